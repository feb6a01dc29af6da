import { isConnectorError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { isNode } from '../core/json.ts';
import type { TopicRole } from '../core/stream-name.ts';
import { call } from './calls.ts';
import { ownLevel } from './compatibility-level.ts';
import type { FieldDifference } from './schema-difference.ts';
import { listDifferences } from './schema-difference.ts';
import type { TopicSchema } from './schemas.ts';
import type { SubjectWork } from './subjects.ts';
import { checkCompatible, lookUp, subjectOf, versionsOf } from './subjects.ts';

export type { FieldDifference } from './schema-difference.ts';

/** What the registry has of one schema. */
export interface SubjectFinding {
  readonly role: TopicRole;
  readonly subject: string;
  /** Every version's number, the first one first; none when there is no such subject. */
  readonly versions: readonly number[];
  /** The subject's own compatibility level; null when it has none. */
  readonly level: string | null;
  /** The id under which the subject has this very schema; null when it has not. */
  readonly id: number | null;
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
  const [versions, id, level, latest] = await Promise.all([
    compatibleWith(schema, work),
    lookUp(schema, work),
    ownLevel(subject, work),
    latestOf(subject, work),
  ]);
  const differences =
    latest === null ? [] : listDifferences(latest, JSON.parse(schema.text) as Json);
  return { role: schema.role, subject, level, id: id ?? null, ...versions, differences };
}

async function compatibleWith(schema: TopicSchema, work: SubjectWork) {
  try {
    return { versions: await checkCompatible(schema, work), incompatible: null };
  } catch (error) {
    if (!isConnectorError(error) || error.code !== 'registry.incompatible') throw error;
    const subject = subjectOf(schema, work.topicTemplate);
    return { versions: (await versionsOf(subject, work)) ?? [], incompatible: error.message };
  }
}

/** The latest version's schema; null when there is none. */
async function latestOf(subject: string, work: SubjectWork): Promise<Json> {
  const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
  const { body } = await call(work.address, { method: 'get', path }, work.signal);
  const text = isNode(body) ? body['schema'] : undefined;
  return typeof text === 'string' ? (JSON.parse(text) as Json) : null;
}
