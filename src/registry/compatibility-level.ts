import { isNode, type Json } from '../engine/json.ts';
import {
  call,
  callUnlessDenied,
  describeAnswer,
  describeRequest,
  type CallContext,
  type RegistryAnswer,
} from './calls.ts';

/** The parameters of reading and setting a level. */
export interface LevelContext extends CallContext {
  /** The level that this program sets on its own subjects. */
  readonly compatibility: string;
}

export interface SubjectLevel {
  /** The subject's own level; null without one, or when the login may not read it. */
  readonly level: string | null;
  /** True when the login may not read the level. */
  readonly isHidden?: boolean;
  /**
   * Present when the registry rejected the configured level; `effective` is the level that applies
   * instead, null when it cannot be read.
   */
  readonly rejection?: { readonly reason: string; readonly effective: string | null };
}

/** The subject's own level; null without one. */
export async function ownLevel(subject: string, context: LevelContext): Promise<string | null> {
  return levelIn(await call(context, { method: 'get', path: pathOf(subject) }));
}

/** Like `ownLevel`; hidden from a login that may only read schemas. */
export async function visibleLevel(subject: string, context: LevelContext) {
  const answer = await callUnlessDenied(context, { method: 'get', path: pathOf(subject) });
  return { level: levelIn(answer), isHidden: answer.status === 403 };
}

function pathOf(subject: string): string {
  return `/config/${encodeURIComponent(subject)}`;
}

function levelIn({ body }: RegistryAnswer<Json | undefined>): string | null {
  const level = isNode(body) ? body['compatibilityLevel'] : undefined;
  return typeof level === 'string' ? level.toUpperCase() : null;
}

/** The global level; null when it cannot be read, because that takes a separate permission. */
async function globalLevel(context: LevelContext): Promise<string | null> {
  return levelIn(await callUnlessDenied(context, { method: 'get', path: '/config' }));
}

/** The level that applies to a subject, its own or the global one; null when it cannot be read. */
async function effectiveLevel(subject: string, context: LevelContext): Promise<string | null> {
  const path = `${pathOf(subject)}?defaultToGlobal=true`;
  const level = levelIn(await callUnlessDenied(context, { method: 'get', path }));
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
 * @throws RetryError `registry.unavailable`, StopProcessError `registry.unauthorized` for HTTP 401
 */
export async function setLevel(subject: string, context: LevelContext): Promise<SubjectLevel> {
  const { compatibility } = context;
  const request = { method: 'put', path: pathOf(subject), json: { compatibility } } as const;
  const answer = await callUnlessDenied(context, request);
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
): { readonly message: string; readonly fields: Record<string, unknown> } | null {
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
