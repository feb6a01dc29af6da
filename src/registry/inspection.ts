import { isConnectorError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { TopicRole } from '../core/stream-name.ts';
import { ownLevel } from './compatibility-level.ts';
import type { FieldDifference } from './schema-difference.ts';
import { listDifferences } from './schema-difference.ts';
import type { TopicSchema } from './schemas.ts';
import { findEquivalent, listVersions, lookUp, readVersion } from './subject-versions.ts';
import type { SubjectWork } from './subjects.ts';
import { checkCompatible, subjectOf } from './subjects.ts';

export type { FieldDifference } from './schema-difference.ts';

/** What the registry has of one schema. */
export interface SubjectFinding {
  readonly role: TopicRole;
  readonly subject: string;
  /** Every version's number, the first one first; none when there is no such subject. */
  readonly versions: readonly number[];
  /** The subject's own compatibility level; null when it has none. */
  readonly level: string | null;
  /** The id that a start uses without registering anything; null when there is none. */
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
    (work.mode === 'verify' ? findEquivalent : lookUp)(subject, schema.text, work),
    ownLevel(subject, work),
    readVersion(subject, 'latest', work),
  ]);
  const differences =
    latest.schema === undefined
      ? []
      : listDifferences(latest.schema, JSON.parse(schema.text) as Json);
  return { role: schema.role, subject, level, id: id ?? null, ...versions, differences };
}

async function compatibleWith(schema: TopicSchema, work: SubjectWork) {
  try {
    return { versions: await checkCompatible(schema, work), incompatible: null };
  } catch (error) {
    if (!isConnectorError(error) || error.code !== 'registry.incompatible') throw error;
    const subject = subjectOf(schema, work.topicTemplate);
    return { versions: (await listVersions(subject, work)) ?? [], incompatible: error.message };
  }
}
