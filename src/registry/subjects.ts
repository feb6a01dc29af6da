import { COMPATIBILITY } from '@kafkajs/confluent-schema-registry';
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { isConnectorError, StopProcessError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { isNode } from '../core/json.ts';
import { topicName } from '../core/stream-name.ts';
import type { RegistryAddress } from './calls.ts';
import { bounded, call, checkStatus, unavailable } from './calls.ts';
import { describeDifference } from './schema-difference.ts';
import type { TopicSchema } from './schemas.ts';

/** What registering a schema takes. */
export interface SubjectWork {
  readonly address: RegistryAddress;
  readonly client: SchemaRegistry;
  readonly compatibility: string;
  readonly topicTemplate: string;
  readonly signal: AbortSignal;
}

/** TopicNameStrategy: `<topic>-value`. */
export function subjectOf(schema: TopicSchema, topicTemplate: string): string {
  return `${topicName(topicTemplate, schema.role)}-value`;
}

/**
 * Asks the registry whether the schema may follow what is there; a new subject may have any.
 *
 * @returns whether the subject exists
 * @throws StopProcessError `registry.incompatible`, with the registry's own reasons
 */
export async function checkCompatible(schema: TopicSchema, work: SubjectWork): Promise<boolean> {
  const subject = subjectOf(schema, work.topicTemplate);
  const path = `/subjects/${encodeURIComponent(subject)}/versions`;
  const versions = await call(work.address, { method: 'get', path }, work.signal);
  if (versions.status === 404) return false;
  const answer = await askCompatibility(subject, schema, work);
  const compatible = isNode(answer.body) ? answer.body['is_compatible'] : undefined;
  if (compatible === true) return true;
  if (compatible === false) throw await incompatible(schema, reasonsOf(answer.body), work);
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

function reasonsOf(body: Json): string {
  if (!isNode(body)) return 'the registry gave no reason';
  const { messages } = body;
  if (Array.isArray(messages) && messages.length > 0) return messages.map(String).join('; ');
  // Confluent's list is `messages`; Apicurio has one `reason`.
  const reason = body['reason'] ?? body['message'];
  return typeof reason === 'string' ? reason : 'the registry gave no reason';
}

/** A schema that the registry refuses: which, why, and what to do. */
async function incompatible(
  schema: TopicSchema,
  reasons: string,
  work: SubjectWork,
): Promise<StopProcessError> {
  const subject = subjectOf(schema, work.topicTemplate);
  const fields = await differingFields(schema, work);
  // Confluent repeats the whole old schema among its reasons.
  const shown = reasons.replaceAll(/\{oldSchema: '.*?'\}[;,]? ?/gs, '');
  return new StopProcessError(
    'registry.incompatible',
    `schema of subject "${subject}" is incompatible with what is registered: ${shown}. ` +
      (fields === '' ? '' : `Fields that differ from the latest version: ${fields}. `) +
      'Nothing was published. Run the version that registered it, give the topics another name ' +
      '(KAFKA_TOPIC_TEMPLATE), or change the subject in the registry',
    { exitCode: 3 },
  );
}

/** The fields that differ from the latest version; empty when that cannot be had. */
async function differingFields(schema: TopicSchema, work: SubjectWork): Promise<string> {
  const subject = subjectOf(schema, work.topicTemplate);
  const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
  try {
    const { body } = await call(work.address, { method: 'get', path }, work.signal);
    const latest = isNode(body) ? body['schema'] : undefined;
    if (typeof latest !== 'string') return '';
    return describeDifference(JSON.parse(latest) as Json, JSON.parse(schema.text) as Json);
  } catch {
    // The refusal is the news; that its explanation cannot be had is not.
    return '';
  }
}

/**
 * Registers the schema, or finds it registered already, and returns its id. A level that is set is
 * left as it is, be it of a subject that is yet to come; a new subject gets the configured one.
 */
export async function register(
  schema: TopicSchema,
  exists: boolean,
  work: SubjectWork,
): Promise<number> {
  const subject = subjectOf(schema, work.topicTemplate);
  const level = await levelOf(subject, work);
  const options = {
    subject,
    // The client refuses a level other than the subject's own, so it is told that.
    compatibility: COMPATIBILITY[level as keyof typeof COMPATIBILITY],
    updateConfig: !exists,
  };
  const parsed = JSON.parse(schema.text) as Parameters<SchemaRegistry['register']>[0];
  const { id } = await translated(
    schema,
    work,
    bounded(work.address, work.client.register(parsed as never, options)),
  );
  return id;
}

async function levelOf(subject: string, work: SubjectWork): Promise<string> {
  const path = `/config/${encodeURIComponent(subject)}`;
  const { body } = await call(work.address, { method: 'get', path }, work.signal);
  const level = isNode(body) ? body['compatibilityLevel'] : undefined;
  return typeof level === 'string' ? level.toUpperCase() : work.compatibility;
}

/**
 * The id of a schema that must be registered already.
 *
 * @throws StopProcessError `registry.missing`
 */
export async function find(schema: TopicSchema, work: SubjectWork): Promise<number> {
  const subject = subjectOf(schema, work.topicTemplate);
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const json = { schema: schema.text };
  const { body, status } = await call(work.address, { method: 'post', path, json }, work.signal);
  const id = isNode(body) ? body['id'] : undefined;
  if (status === 200 && typeof id === 'number') return id;
  throw new StopProcessError(
    'registry.missing',
    `subject "${subject}" does not hold the schema avro/${schema.role}.avsc: register it, or set SCHEMA_REGISTRY_MODE=register`,
    { exitCode: 3 },
  );
}

async function translated<T>(
  schema: TopicSchema,
  work: SubjectWork,
  asked: Promise<T>,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (isConnectorError(error)) throw error;
    const status = error instanceof Error && 'status' in error ? error.status : undefined;
    const why = error instanceof Error ? error.message : String(error);
    if (status === 409) throw await incompatible(schema, why, work);
    if (typeof status === 'number') checkStatus(work.address, status);
    throw unavailable(work.address, why);
  }
}
