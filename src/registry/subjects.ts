import { isConnectorError, messageOf, StopProcessError } from '../engine/errors.ts';
import { type Json, isNode } from '../engine/json.ts';
import { topicName } from '../engine/stream-name.ts';
import { call, unavailable } from './calls.ts';
import { type RegistryClient, RegistryRefusal } from './client.ts';
import {
  isWithoutLevel,
  ownLevel,
  setLevel,
  visibleLevel,
  type LevelWork,
  type SubjectLevel,
} from './compatibility-level.ts';
import { incompatibleError, rejectionError, type SchemaTarget } from './rejections.ts';
import type { TopicSchema } from './schemas.ts';
import { findEquivalent, listVersions, readVersion } from './subject-versions.ts';

/** The parameters of registering or verifying a schema. */
export interface SubjectWork extends LevelWork {
  readonly client: RegistryClient;
  /** `register` adds missing schemas; `verify` requires all of them. */
  readonly mode: 'register' | 'verify';
  readonly topicTemplate: string;
}

/** TopicNameStrategy: `<topic>-value`. */
export function subjectOf(schema: TopicSchema, topicTemplate: string): string {
  return `${topicName(topicTemplate, schema.role)}-value`;
}

/**
 * Checks that the schema is compatible with the registered versions; a new subject accepts any
 * schema.
 *
 * @returns the subject's versions in ascending order; empty when the subject does not exist
 * @throws StopProcessError `registry.incompatible`, with the registry's own reasons
 */
export async function checkCompatible(
  schema: TopicSchema,
  work: SubjectWork,
): Promise<readonly number[]> {
  const subject = subjectOf(schema, work.topicTemplate);
  const versions = await listVersions(subject, work);
  if (versions === null) return [];
  const answer = await askCompatibility(subject, schema, work);
  const compatible = isNode(answer.body) ? answer.body['is_compatible'] : undefined;
  if (compatible === true) return versions;
  if (compatible === false) {
    throw await incompatibleError(answer.body, { schema, subject }, work);
  }
  throw unavailable(work.address, `it did not say whether ${subject} is compatible`);
}

async function askCompatibility(subject: string, schema: TopicSchema, work: SubjectWork) {
  const base = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
  const json = { schema: schema.text };
  const all = await call(
    work.address,
    { method: 'post', path: `${base}?verbose=true`, json },
    work.signal,
  );
  // Older registries compare with one version only.
  if (all.status !== 404 && all.status !== 405) return all;
  return call(
    work.address,
    { method: 'post', path: `${base}/latest?verbose=true`, json },
    work.signal,
  );
}

/** A schema's id and the compatibility level of its subject. */
export interface Registered extends SubjectLevel {
  readonly id: number;
}

/**
 * Registers the schema, or finds the registered one. An existing level is kept, even that of a
 * subject without versions. A subject of this program without a level gets the configured one: it
 * is new, or an earlier start ended before setting it.
 *
 * @param versions - the subject's versions in ascending order; empty when it is new
 * @remarks Instances that start together register together: Apicurio answers 409 to all but the
 * first.
 */
export async function register(
  schema: TopicSchema,
  versions: readonly number[],
  work: SubjectWork,
): Promise<Registered> {
  const subject = subjectOf(schema, work.topicTemplate);
  const level = await ownLevel(subject, work);
  const id = await work.client
    .register(subject, schema.text, level)
    .catch((error: unknown) =>
      idDespite(error, { schema, subject, isNew: versions.length === 0 }, work),
    );
  if (typeof id !== 'number') {
    throw unavailable(work.address, `no id in its answer to the schema of ${subject}`);
  }
  if (!(await isWithoutLevel(level, versions, work))) return { id, level };
  if (!(await isOurs(schema, versions[0], work))) return { id, level };
  return { id, ...(await setLevel(subject, work)) };
}

/**
 * Returns the id when the rejected registration was unnecessary; otherwise throws the matching
 * error.
 */
async function idDespite(
  error: unknown,
  target: SchemaTarget & { readonly isNew: boolean },
  work: SubjectWork,
): Promise<number> {
  work.signal.throwIfAborted();
  if (isConnectorError(error)) throw error;
  if (!(error instanceof RegistryRefusal)) throw unavailable(work.address, messageOf(error));
  const found = await findEquivalent(target.subject, target.schema.text, work);
  if (found !== undefined) return found;
  const rejected = rejectionError(error, target, work);
  if (rejected !== null) throw rejected;
  if (error.status === 409 && target.isNew) {
    throw unavailable(work.address, `${target.subject} is being registered by another`);
  }
  throw await incompatibleError(error.body, target, work);
}

/** True when the subject is new or its first version has this schema's full name. */
async function isOurs(
  schema: TopicSchema,
  first: number | undefined,
  work: SubjectWork,
): Promise<boolean> {
  if (first === undefined) return true;
  const subject = subjectOf(schema, work.topicTemplate);
  const { schema: began } = await readVersion(subject, first, work);
  return began !== undefined && fullName(began) === fullName(JSON.parse(schema.text) as Json);
}

function fullName(schema: Json): string | undefined {
  const { name, namespace } = isNode(schema) ? schema : {};
  if (typeof name !== 'string') return undefined;
  const isFull = name.includes('.') || typeof namespace !== 'string';
  return isFull ? name : `${namespace}.${name}`;
}

/**
 * Finds the schema, which must be registered already.
 *
 * @throws StopProcessError `registry.missing`
 */
export async function find(schema: TopicSchema, work: SubjectWork): Promise<Registered> {
  const subject = subjectOf(schema, work.topicTemplate);
  const id = await findEquivalent(subject, schema.text, work);
  if (id !== undefined) return { id, ...(await visibleLevel(subject, work)) };
  throw new StopProcessError(
    'registry.missing',
    `subject "${subject}" does not hold the schema avro/${schema.role}.avsc: register it ` +
      '("instagram-kafka schemas register"), or set SCHEMA_REGISTRY_MODE=register',
    { exitCode: 3 },
  );
}
