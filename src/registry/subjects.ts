import {
  isClassifiedError,
  messageOf,
  StopProcessError,
  type RetryError,
} from '../engine/errors.ts';
import { topicName } from '../engine/stream-name.ts';
import { call, describeAnswer, unavailable, exchange, type RegistryAnswer } from './calls.ts';
import { type RegistryClient, RegistryErrorResponse } from './client.ts';
import {
  isWithoutLevel,
  ownLevel,
  setLevel,
  visibleLevel,
  type LevelContext,
  type SubjectLevel,
} from './compatibility-level.ts';
import {
  describeDifference,
  fullName,
  listDifferences,
  type FieldDifference,
} from './schema-compare.ts';
import { schemaName, type TopicSchema } from './schemas.ts';
import { findEquivalent, listVersions, readVersion, lookUp } from './subject-versions.ts';
import { isNode, type Json } from '../engine/json.ts';

/** The parameters of registering or verifying a schema. */
export interface SubjectContext extends LevelContext {
  readonly client: RegistryClient;
  /** `register` adds missing schemas; `verify` requires all of them. */
  readonly mode: 'register' | 'verify';
}

export interface SubjectSchema extends TopicSchema {
  readonly subject: string;
  /** The account of the topic; null for one that all accounts share. */
  readonly account: string | null;
}

/** TopicNameStrategy: the subjects of a topic are `<topic>-value` and `<topic>-key`. */
export function subjectSchema(
  schema: TopicSchema,
  topicTemplate: string,
  accountId?: string,
): SubjectSchema {
  const subject = `${topicName(topicTemplate, schema.role, accountId)}-${schema.part}`;
  return { ...schema, subject, account: accountId ?? null };
}

/**
 * Checks that the schema is compatible with the registered versions; a new subject accepts any
 * schema. Returns the versions in ascending order; empty when the subject does not exist.
 * @throws StopProcessError `registry.incompatible`, with the registry's own reasons
 */
export async function checkCompatible(
  schema: SubjectSchema,
  context: SubjectContext,
): Promise<readonly number[]> {
  const versions = await listVersions(schema.subject, context);
  if (versions === null) return [];
  const { body } = await requestCompatibility(schema, context);
  const compatible = isNode(body) ? body['is_compatible'] : undefined;
  if (compatible === true) return versions;
  if (compatible === false) throw await incompatibleError(body, schema, context);
  throw unavailable(context.address, `it did not say whether ${schema.subject} is compatible`);
}

async function requestCompatibility({ subject, text }: SubjectSchema, context: SubjectContext) {
  const base = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
  const request = { method: 'post', json: { schema: text } } as const;
  const all = await call(context, { ...request, path: `${base}?verbose=true` });
  // Older registries compare with one version only.
  if (all.status !== 404 && all.status !== 405) return all;
  return call(context, { ...request, path: `${base}/latest?verbose=true` });
}

/** A schema's id and the compatibility level of its subject. */
export interface Registered extends SubjectLevel {
  readonly id: number;
}

/**
 * Registers the schema, or finds the registered one. An existing level is kept, even that of a
 * subject without versions. A subject of this program without a level gets the configured one: it
 * is new, or an earlier start ended before setting it. Instances that start together register
 * together: Apicurio answers 409 to all but the first.
 */
export async function register(
  schema: SubjectSchema,
  versions: readonly number[],
  context: SubjectContext,
): Promise<Registered> {
  const { subject, text } = schema;
  const level = await ownLevel(subject, context);
  const id = await context.client.register(subject, text, level).catch((error: unknown) => {
    context.signal.throwIfAborted();
    return idDespite(error, schema, versions.length === 0, context);
  });
  if (typeof id !== 'number') {
    throw unavailable(context.address, `no id in its answer to the schema of ${subject}`);
  }
  if (!(await isWithoutLevel(level, versions, context))) return { id, level };
  if (!(await isOurs(schema, versions[0], context))) return { id, level };
  return { id, ...(await setLevel(subject, context)) };
}

/** Returns the id when the rejected registration was unnecessary; otherwise throws its error. */
async function idDespite(
  error: unknown,
  schema: SubjectSchema,
  isNew: boolean,
  context: SubjectContext,
): Promise<number> {
  if (isClassifiedError(error)) throw error;
  if (!(error instanceof RegistryErrorResponse)) {
    throw unavailable(context.address, messageOf(error));
  }
  const { subject, text } = schema;
  const found = await findEquivalent(subject, text, context);
  if (found !== undefined) return found;
  const rejected = rejectionError(error, schema, context);
  if (rejected !== null) throw rejected;
  if (error.status === 409 && isNew) {
    throw unavailable(context.address, `${subject} is being registered by another`);
  }
  throw await incompatibleError(error.body, schema, context);
}

/** True when the subject is new or its first version has this schema's full name. */
async function isOurs(
  schema: SubjectSchema,
  first: number | undefined,
  context: SubjectContext,
): Promise<boolean> {
  if (first === undefined) return true;
  const { schema: firstSchema } = await readVersion(schema.subject, first, context);
  return (
    firstSchema !== undefined && nameOf(firstSchema) === nameOf(JSON.parse(schema.text) as Json)
  );
}

function nameOf(schema: Json): string | undefined {
  const { name, namespace } = isNode(schema) ? schema : {};
  if (typeof name !== 'string') return undefined;
  return fullName(name, typeof namespace === 'string' ? namespace : '');
}

/** Finds the schema, which must be registered already. @throws StopProcessError `registry.missing` */
export async function find(schema: SubjectSchema, context: SubjectContext): Promise<Registered> {
  const { subject, text } = schema;
  const id = await findEquivalent(subject, text, context);
  if (id !== undefined) return { id, ...(await visibleLevel(subject, context)) };
  throw new StopProcessError(
    'registry.missing',
    `subject "${subject}" does not hold the schema ${schemaName(schema)}: register it ` +
      '("instagram-kafka schemas register"), or set SCHEMA_REGISTRY_MODE=register',
    { exitCode: 3 },
  );
}

/** The error of a schema that is incompatible with the registered versions, with their reasons. */
async function incompatibleError(
  body: Json,
  schema: SubjectSchema,
  context: SubjectContext,
): Promise<StopProcessError> {
  // The rejection is reported even when its explanation cannot be read.
  const latest = await readVersion(schema.subject, 'latest', context).catch(() => undefined);
  const fields =
    latest?.schema === undefined
      ? ''
      : describeDifference(latest.schema, JSON.parse(schema.text) as Json);
  return new StopProcessError(
    'registry.incompatible',
    `schema of subject "${schema.subject}" is incompatible with what is registered: ` +
      `${withoutOldSchema(reasonsIn(body))}. ` +
      (fields === '' ? '' : `Fields that differ from the latest version: ${fields}. `) +
      'Nothing was published. Run the version that registered it, give the topics another name ' +
      '(KAFKA_TOPIC_TEMPLATE), or change the subject in the registry',
    { exitCode: 3 },
  );
}

function reasonsIn(body: Json): string {
  const { messages, reason, message } = isNode(body) ? body : {};
  if (Array.isArray(messages) && messages.length > 0) return messages.map(String).join('; ');
  // Confluent sends a list `messages`; Apicurio sends one `reason`.
  const text = reason ?? message;
  return typeof text === 'string' ? text : 'the registry gave no reason';
}

/** The reasons without the old schema, which Confluent repeats among them. */
export function withoutOldSchema(reasons: string): string {
  // The match ends at the next `{oldSchema`; otherwise an unterminated schema makes the expression
  // quadratic.
  return reasons.replaceAll(/\{oldSchema: '(?:(?!\{oldSchema: ').)*?'\}[;,]? ?/gs, '');
}

/**
 * The error of a schema that is rejected for a reason other than its fields; null for HTTP 409, the
 * answer to incompatible fields and to concurrent registrations.
 */
function rejectionError(
  answer: RegistryAnswer,
  schema: SubjectSchema,
  { address }: SubjectContext,
): StopProcessError | RetryError | null {
  const { status, body } = answer;
  const { message, error_code: code } = isNode(body) ? body : {};
  const text = typeof message === 'string' ? message : '';
  // Apicurio answers 409 as for an incompatible schema; only the text differs.
  const isReadOnly = code === operationNotPermitted || /\bread-only mode\b/i.test(text);
  if (status === 409 && !isReadOnly) return null;
  const name = schemaName(schema);
  // Another server, such as a proxy, sends no message of this form; 408 is temporary.
  if (status === 408 || text === '') {
    return unavailable(address, `HTTP ${status} to the schema ${name}`);
  }
  return new StopProcessError(
    'registry.rejected',
    `the schema registry at ${address.url} does not accept the schema ${name} for subject ` +
      `"${schema.subject}" (${describeAnswer(answer)}). Nothing was published. ` +
      (isReadOnly ? adviceOnMode : adviceOnOther),
    { exitCode: 3 },
  );
}

/** Confluent's code for an operation that the mode forbids, in READONLY and IMPORT. */
const operationNotPermitted = 42205;

const adviceOnMode =
  'Allow writing again (PUT /mode with READWRITE, in Confluent and Redpanda), or set ' +
  'SCHEMA_REGISTRY_URL to the registry that accepts schemas; if that one is mirrored here, ' +
  'register there with "instagram-kafka schemas register"';

const adviceOnOther =
  'Correct what the registry names, or register the schema by hand and set SCHEMA_REGISTRY_MODE=verify';

/** The registry's view of one schema. */
export interface SubjectFinding extends Pick<SubjectSchema, 'role' | 'subject' | 'account'> {
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
  const { role, subject, account, text } = schema;
  const [versions, found, level, latest] = await Promise.all([
    findVersions(schema, context),
    findRegistered(schema, context),
    visibleLevel(subject, context),
    readVersion(subject, 'latest', context),
  ]);
  const differences =
    latest.schema === undefined ? [] : listDifferences(latest.schema, JSON.parse(text) as Json);
  return { role, subject, account, level: level.level, ...found, ...versions, differences };
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
    if (!isClassifiedError(error) || error.code !== 'registry.incompatible') throw error;
    incompatible = error.message;
  }
  return { versions: (await listVersions(schema.subject, context)) ?? [], incompatible };
}
