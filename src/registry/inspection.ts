import { isConnectorError } from '../engine/errors.ts';
import { isNode, type Json } from '../engine/json.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import { exchange } from './calls.ts';
import { visibleLevel } from './compatibility-level.ts';
import { type FieldDifference, listDifferences } from './schema-compare.ts';
import { findEquivalent, listVersions, lookUp, readVersion } from './subject-versions.ts';
import { type SubjectContext, type SubjectSchema, checkCompatible } from './subjects.ts';

/** The registry's view of one schema. */
export interface SubjectFinding {
  readonly role: TopicRole;
  readonly subject: string;
  /** The numbers of all versions, in ascending order; empty when the subject does not exist. */
  readonly versions: readonly number[];
  /** The subject's own compatibility level; null without one, or when it may not be read. */
  readonly level: string | null;
  /** The id that a start uses without registering a schema; null without one. */
  readonly id: number | null;
  /** The mode, such as READONLY; null when a start registers nothing or it cannot be read. */
  readonly mode: string | null;
  /** The registry's reason why this schema is incompatible; null when it is compatible. */
  readonly incompatible: string | null;
  /** The fields in which this schema differs from the latest version. */
  readonly differences: readonly FieldDifference[];
}

/** @throws StopProcessError `registry.unauthorized`, RetryError `registry.unavailable` */
export async function inspectSubject(
  schema: SubjectSchema,
  context: SubjectContext,
): Promise<SubjectFinding> {
  const { role, subject, text } = schema;
  const [versions, found, level, latest] = await Promise.all([
    findVersions(schema, context),
    findRegistered(schema, context),
    visibleLevel(subject, context),
    readVersion(subject, 'latest', context),
  ]);
  const differences =
    latest.schema === undefined ? [] : listDifferences(latest.schema, JSON.parse(text) as Json);
  return { role, subject, level: level.level, ...found, ...versions, differences };
}

/** The id that a start uses, or the mode of the subject if the start has to register the schema. */
async function findRegistered({ subject, text }: SubjectSchema, context: SubjectContext) {
  const find = context.mode === 'verify' ? findEquivalent : lookUp;
  const id = await find(subject, text, context);
  if (id !== undefined || context.mode === 'verify') return { id: id ?? null, mode: null };
  const mode = await readMode(subject, context);
  if (acceptsSchemas(mode)) return { id: null, mode };
  return { id: (await findEquivalent(subject, text, context)) ?? null, mode };
}

/** The mode of a subject; null when it cannot be read, because some registries have no modes. */
async function readMode(subject: string, context: SubjectContext): Promise<string | null> {
  const path = `/mode/${encodeURIComponent(subject)}?defaultToGlobal=true`;
  const { body } = await exchange(context, { method: 'get', path });
  const mode = isNode(body) ? body['mode'] : undefined;
  return typeof mode === 'string' ? mode.toUpperCase() : null;
}

/** True when a subject in this mode accepts a new schema. IMPORT accepts only schemas with an id. */
export function acceptsSchemas(mode: string | null): boolean {
  return mode === null || !['READONLY', 'READONLY_OVERRIDE', 'IMPORT'].includes(mode);
}

/** In `verify` mode the schema is not compared, because that takes a write permission. */
async function findVersions(schema: SubjectSchema, context: SubjectContext) {
  let incompatible: string | null = null;
  try {
    if (context.mode === 'register') {
      return { versions: await checkCompatible(schema, context), incompatible };
    }
  } catch (error) {
    if (!isConnectorError(error) || error.code !== 'registry.incompatible') throw error;
    incompatible = error.message;
  }
  return { versions: (await listVersions(schema.subject, context)) ?? [], incompatible };
}
