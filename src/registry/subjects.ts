import { isConnectorError, messageOf, StopProcessError } from '../engine/errors.ts';
import { type Json, isNode } from '../engine/json.ts';
import { topicName } from '../engine/stream-name.ts';
import { call, unavailable } from './calls.ts';
import { type RegistryClient, RegistryErrorResponse } from './client.ts';
import {
  isWithoutLevel,
  ownLevel,
  setLevel,
  visibleLevel,
  type LevelContext,
  type SubjectLevel,
} from './compatibility-level.ts';
import { incompatibleError, rejectionError, type SchemaTarget } from './rejections.ts';
import type { TopicSchema } from './schemas.ts';
import { findEquivalent, listVersions, readVersion } from './subject-versions.ts';

/** The parameters of registering or verifying a schema. */
export interface SubjectContext extends LevelContext {
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
  context: SubjectContext,
): Promise<readonly number[]> {
  const subject = subjectOf(schema, context.topicTemplate);
  const versions = await listVersions(subject, context);
  if (versions === null) return [];
  const answer = await requestCompatibility(subject, schema, context);
  const compatible = isNode(answer.body) ? answer.body['is_compatible'] : undefined;
  if (compatible === true) return versions;
  if (compatible === false) {
    throw await incompatibleError(answer.body, { schema, subject }, context);
  }
  throw unavailable(context.address, `it did not say whether ${subject} is compatible`);
}

async function requestCompatibility(subject: string, schema: TopicSchema, context: SubjectContext) {
  const base = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
  const json = { schema: schema.text };
  const all = await call(
    context.address,
    { method: 'post', path: `${base}?verbose=true`, json },
    context.signal,
  );
  // Older registries compare with one version only.
  if (all.status !== 404 && all.status !== 405) return all;
  return call(
    context.address,
    { method: 'post', path: `${base}/latest?verbose=true`, json },
    context.signal,
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
  context: SubjectContext,
): Promise<Registered> {
  const subject = subjectOf(schema, context.topicTemplate);
  const level = await ownLevel(subject, context);
  const id = await context.client
    .register(subject, schema.text, level)
    .catch((error: unknown) =>
      idDespite(error, { schema, subject, isNew: versions.length === 0 }, context),
    );
  if (typeof id !== 'number') {
    throw unavailable(context.address, `no id in its answer to the schema of ${subject}`);
  }
  if (!(await isWithoutLevel(level, versions, context))) return { id, level };
  if (!(await isOurs(schema, versions[0], context))) return { id, level };
  return { id, ...(await setLevel(subject, context)) };
}

/**
 * Returns the id when the rejected registration was unnecessary; otherwise throws the matching
 * error.
 */
async function idDespite(
  error: unknown,
  target: SchemaTarget & { readonly isNew: boolean },
  context: SubjectContext,
): Promise<number> {
  context.signal.throwIfAborted();
  if (isConnectorError(error)) throw error;
  if (!(error instanceof RegistryErrorResponse))
    throw unavailable(context.address, messageOf(error));
  const found = await findEquivalent(target.subject, target.schema.text, context);
  if (found !== undefined) return found;
  const rejected = rejectionError(error, target, context);
  if (rejected !== null) throw rejected;
  if (error.status === 409 && target.isNew) {
    throw unavailable(context.address, `${target.subject} is being registered by another`);
  }
  throw await incompatibleError(error.body, target, context);
}

/** True when the subject is new or its first version has this schema's full name. */
async function isOurs(
  schema: TopicSchema,
  first: number | undefined,
  context: SubjectContext,
): Promise<boolean> {
  if (first === undefined) return true;
  const subject = subjectOf(schema, context.topicTemplate);
  const { schema: firstSchema } = await readVersion(subject, first, context);
  return (
    firstSchema !== undefined && fullName(firstSchema) === fullName(JSON.parse(schema.text) as Json)
  );
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
export async function find(schema: TopicSchema, context: SubjectContext): Promise<Registered> {
  const subject = subjectOf(schema, context.topicTemplate);
  const id = await findEquivalent(subject, schema.text, context);
  if (id !== undefined) return { id, ...(await visibleLevel(subject, context)) };
  throw new StopProcessError(
    'registry.missing',
    `subject "${subject}" does not hold the schema avro/${schema.role}.avsc: register it ` +
      '("instagram-kafka schemas register"), or set SCHEMA_REGISTRY_MODE=register',
    { exitCode: 3 },
  );
}
