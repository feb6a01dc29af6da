import { isNode, type Json } from '../engine/json.ts';
import {
  call,
  callUnlessDenied,
  describeAnswer,
  describeRequest,
  type RegistryAnswer,
  type RegistryRequest,
} from './calls.ts';
import type { ReadContext } from './subject-versions.ts';

/** The parameters of reading and setting a level. */
export interface LevelContext extends ReadContext {
  /** The level that this program sets on its own subjects. */
  readonly compatibility: string;
}

/** The compatibility level of a subject. */
export interface SubjectLevel {
  /** The subject's own level; null without one, or when the login may not read it. */
  readonly level: string | null;
  /** True when the login may not read the level. */
  readonly isHidden?: boolean;
  /** Present when the registry rejected the configured level. */
  readonly rejection?: LevelRejection;
}

/** The rejection of a level, and the level that applies instead. */
export interface LevelRejection {
  readonly reason: string;
  /** Null when the level cannot be read. */
  readonly effective: string | null;
}

/** A warning for the log. */
export interface LevelWarning {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The subject's own level; null without one. */
export async function ownLevel(subject: string, context: LevelContext): Promise<string | null> {
  return levelIn(await call(context.address, levelRequest(subject), context.signal));
}

/**
 * Like `ownLevel`; `hidden` when the login may not read it, as a role that may only read schemas.
 */
export async function visibleLevel(
  subject: string,
  context: LevelContext,
): Promise<{ readonly level: string | null; readonly isHidden: boolean }> {
  const answer = await callUnlessDenied(context.address, levelRequest(subject), context.signal);
  return { level: levelIn(answer), isHidden: answer.status === 403 };
}

function levelRequest(subject: string): RegistryRequest & { readonly method: 'get' } {
  return { method: 'get', path: `/config/${encodeURIComponent(subject)}` };
}

function levelIn({ body }: RegistryAnswer<Json | undefined>): string | null {
  const level = isNode(body) ? body['compatibilityLevel'] : undefined;
  return typeof level === 'string' ? level.toUpperCase() : null;
}

/** The global level; null when it cannot be read, because that takes a separate permission. */
async function globalLevel(context: LevelContext): Promise<string | null> {
  return levelIn(
    await callUnlessDenied(context.address, { method: 'get', path: '/config' }, context.signal),
  );
}

/** The level that applies to a subject, its own or the global one; null when it cannot be read. */
async function effectiveLevel(subject: string, context: LevelContext): Promise<string | null> {
  const { method, path } = levelRequest(subject);
  const withDefault = { method, path: `${path}?defaultToGlobal=true` };
  const level = levelIn(await callUnlessDenied(context.address, withDefault, context.signal));
  return level ?? (await globalLevel(context));
}

/**
 * True when the subject has no level of its own. Apicurio reports `NONE` for such a subject, as if
 * it were set, unless the registry has a global level.
 */
export async function isWithoutLevel(
  level: string | null,
  versions: readonly number[],
  context: LevelContext,
): Promise<boolean> {
  if (level !== 'NONE' || versions.length !== 1) return level === null;
  return (await globalLevel(context)) === 'NONE';
}

/**
 * Sets the configured level. Roles that may register schemas often may not set levels (Confluent's
 * DeveloperWrite), and a registry in read-only mode rejects them. The schema is registered all the
 * same, so a rejection is a result and not an error.
 *
 * @throws RetryError `registry.unavailable`, StopProcessError `registry.unauthorized` for HTTP 401
 */
export async function setLevel(subject: string, context: LevelContext): Promise<SubjectLevel> {
  const { compatibility } = context;
  const request = { ...levelRequest(subject), method: 'put', json: { compatibility } } as const;
  const answer = await callUnlessDenied(context.address, request, context.signal);
  if (answer.status < 400) return { level: compatibility };
  const reason = `${describeRequest(request)}: ${describeAnswer(answer)}`;
  return { level: null, rejection: { reason, effective: await effectiveLevel(subject, context) } };
}

/** True when `level` forbids every change that `wanted` forbids. */
export function isAsStrict(level: string, wanted: string): boolean {
  const suffix = '_TRANSITIVE';
  const direction = wanted.replace(suffix, '');
  const hasDirection = ['FULL', direction].includes(level.replace(suffix, ''));
  if (direction === 'NONE') return true;
  return hasDirection && (level.endsWith(suffix) || !wanted.endsWith(suffix));
}

/** The log's warning about a subject's level; null without one. */
export function levelWarning(
  subject: string,
  { level, rejection, isHidden = false }: SubjectLevel,
  wanted: string,
): LevelWarning | null {
  if (rejection !== undefined) {
    const { effective, reason } = rejection;
    const advice = adviceOn(effective, wanted);
    const fields = { subject, level: effective, wanted, reason, advice };
    return { message: 'compatibility level not set', fields };
  }
  if (isHidden || (level !== null && level !== 'NONE')) return null;
  // The subject keeps its level; without one, it accepts changes that break readers.
  return { message: 'subject allows incompatible schemas', fields: { subject, level, wanted } };
}

function adviceOn(effective: string | null, wanted: string): string {
  if (effective !== null && isAsStrict(effective, wanted)) {
    return `No action needed: the level that applies to the subject is as strict as ${wanted}.`;
  }
  const state =
    effective === null
      ? `The level that applies to the subject cannot be read, and may be weaker than ${wanted}.`
      : `The level that applies to the subject, ${effective}, is weaker than ${wanted}: ` +
        'a change that some readers cannot read is accepted.';
  return (
    `${state} Set the level of the subject, or grant the login the permission to change the ` +
    'compatibility of this subject (Confluent: WriteCompatibility).'
  );
}
