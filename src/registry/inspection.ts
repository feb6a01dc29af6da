import { isConnectorError } from '../engine/errors.ts';
import { isNode, type Json } from '../engine/json.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import { exchange } from './calls.ts';
import { visibleLevel } from './compatibility-level.ts';
import { type FieldDifference, listDifferences } from './schema-difference.ts';
import type { TopicSchema } from './schemas.ts';
import { findEquivalent, listVersions, lookUp, readVersion } from './subject-versions.ts';
import { type SubjectWork, checkCompatible, subjectOf } from './subjects.ts';

export type { FieldDifference } from './schema-difference.ts';

/** What the registry has of one schema. */
export interface SubjectFinding {
  readonly role: TopicRole;
  readonly subject: string;
  /** Every version's number, the first one first; none when there is no such subject. */
  readonly versions: readonly number[];
  /** The subject's own compatibility level; null when it has none, or it may not be read. */
  readonly level: string | null;
  /** The id that a start uses without registering anything; null when there is none. */
  readonly id: number | null;
  /** The mode of the subject, as READONLY; null where a start registers nothing or it cannot be read. */
  readonly mode: string | null;
  /** Why this schema may not follow what is there; null when it may. */
  readonly incompatible: string | null;
  /** How the fields of this schema differ from the latest version's. */
  readonly differences: readonly FieldDifference[];
}

/** @throws StopProcessError `registry.unauthorized`, RetryError `registry.unavailable` */
export async function inspectSubject(
  schema: TopicSchema,
  work: SubjectWork,
): Promise<SubjectFinding> {
  const subject = subjectOf(schema, work.topicTemplate);
  const [versions, found, level, latest] = await Promise.all([
    compatibleWith(schema, work),
    findRegistered(subject, schema, work),
    visibleLevel(subject, work),
    readVersion(subject, 'latest', work),
  ]);
  const differences =
    latest.schema === undefined
      ? []
      : listDifferences(latest.schema, JSON.parse(schema.text) as Json);
  return { role: schema.role, subject, level: level.level, ...found, ...versions, differences };
}

/** The id that a start uses; where it would have to register, the mode that decides about that. */
async function findRegistered(subject: string, { text }: TopicSchema, work: SubjectWork) {
  const find = work.mode === 'verify' ? findEquivalent : lookUp;
  const id = await find(subject, text, work);
  if (id !== undefined || work.mode === 'verify') return { id: id ?? null, mode: null };
  const mode = await readMode(subject, work);
  if (acceptsSchemas(mode)) return { id: null, mode };
  return { id: (await findEquivalent(subject, text, work)) ?? null, mode };
}

/** The mode that applies to a subject; null where it cannot be read, as registries need not have modes. */
async function readMode(subject: string, { address, signal }: SubjectWork): Promise<string | null> {
  const path = `/mode/${encodeURIComponent(subject)}?defaultToGlobal=true`;
  const { body } = await exchange(address, { method: 'get', path }, signal);
  const mode = isNode(body) ? body['mode'] : undefined;
  return typeof mode === 'string' ? mode.toUpperCase() : null;
}

/** True when a subject in this mode accepts a new schema. IMPORT accepts none without an id. */
export function acceptsSchemas(mode: string | null): boolean {
  return mode === null || !['READONLY', 'READONLY_OVERRIDE', 'IMPORT'].includes(mode);
}

/** Where a schema must be there already it is not compared: that takes a permission to write. */
async function compatibleWith(schema: TopicSchema, work: SubjectWork) {
  const subject = subjectOf(schema, work.topicTemplate);
  if (work.mode === 'verify') {
    return { versions: (await listVersions(subject, work)) ?? [], incompatible: null };
  }
  try {
    return { versions: await checkCompatible(schema, work), incompatible: null };
  } catch (error) {
    if (!isConnectorError(error) || error.code !== 'registry.incompatible') throw error;
    return { versions: (await listVersions(subject, work)) ?? [], incompatible: error.message };
  }
}
