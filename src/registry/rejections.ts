import { StopProcessError, type RetryError } from '../engine/errors.ts';
import { isNode, type Json } from '../engine/json.ts';
import { describeAnswer, unavailable, type RegistryAnswer } from './calls.ts';
import { describeDifference } from './schema-difference.ts';
import type { TopicSchema } from './schemas.ts';
import { readVersion, type ReadContext } from './subject-versions.ts';

/** A schema and where it shall be registered. */
export interface SchemaTarget {
  readonly schema: TopicSchema;
  readonly subject: string;
}

/** A schema that may not follow the registered ones: the registry's reasons, and what to do. */
export async function incompatibleError(
  body: Json,
  target: SchemaTarget,
  context: ReadContext,
): Promise<StopProcessError> {
  const fields = await differingFields(target, context);
  // Confluent repeats the whole old schema among its reasons.
  const shown = withoutOldSchema(reasonsIn(body));
  return new StopProcessError(
    'registry.incompatible',
    `schema of subject "${target.subject}" is incompatible with what is registered: ${shown}. ` +
      (fields === '' ? '' : `Fields that differ from the latest version: ${fields}. `) +
      'Nothing was published. Run the version that registered it, give the topics another name ' +
      '(KAFKA_TOPIC_TEMPLATE), or change the subject in the registry',
    { exitCode: 3 },
  );
}

function reasonsIn(body: Json): string {
  if (!isNode(body)) return 'the registry gave no reason';
  const { messages } = body;
  if (Array.isArray(messages) && messages.length > 0) return messages.map(String).join('; ');
  // Confluent's list is `messages`; Apicurio has one `reason`.
  const reason = body['reason'] ?? body['message'];
  return typeof reason === 'string' ? reason : 'the registry gave no reason';
}

/** The fields that differ from the latest version; empty when that cannot be had. */
async function differingFields(target: SchemaTarget, context: ReadContext): Promise<string> {
  try {
    const { schema: latest } = await readVersion(target.subject, 'latest', context);
    if (latest === undefined) return '';
    return describeDifference(latest, JSON.parse(target.schema.text) as Json);
  } catch {
    // The rejection matters; that it cannot be explained does not.
    return '';
  }
}

/**
 * The error for a schema that is rejected for another reason than its fields.
 *
 * @returns null for HTTP 409, which has to do with the fields or with another registration
 */
export function rejectionError(
  answer: RegistryAnswer,
  { schema, subject }: SchemaTarget,
  { address }: ReadContext,
): StopProcessError | RetryError | null {
  const acceptsNone = acceptsNoSchemas(answer.body);
  const { status } = answer;
  if (status === 409 && !acceptsNone) return null;
  const file = `avro/${schema.role}.avsc`;
  // Something else than a registry, such as a proxy, gives no reason of this form; 408 passes by itself.
  if (status === 408 || messageIn(answer.body) === undefined) {
    return unavailable(address, `HTTP ${status} to the schema ${file}`);
  }
  return new StopProcessError(
    'registry.rejected',
    `the schema registry at ${address.url} does not accept the schema ${file} for subject ` +
      `"${subject}" (${describeAnswer(answer)}). Nothing was published. ` +
      (acceptsNone ? adviceOnMode : adviceOnOther),
    { exitCode: 3 },
  );
}

const adviceOnMode =
  'Allow writing again (PUT /mode with READWRITE, in Confluent and Redpanda), or set ' +
  'SCHEMA_REGISTRY_URL to the registry that accepts schemas; if that one is mirrored here, ' +
  'register there with "instagram-kafka schemas register"';

const adviceOnOther =
  'Correct what the registry names, or register the schema by hand and set SCHEMA_REGISTRY_MODE=verify';

/** Confluent's code for a mode that forbids what was requested, READONLY and IMPORT. */
const operationNotPermitted = 42205;

/** Apicurio answers 409 like for an incompatible schema; only its text says that nothing is writable. */
function acceptsNoSchemas(body: Json): boolean {
  const code = isNode(body) ? body['error_code'] : undefined;
  return code === operationNotPermitted || /\bread-only mode\b/i.test(messageIn(body) ?? '');
}

function messageIn(body: Json): string | undefined {
  const message = isNode(body) ? body['message'] : undefined;
  return typeof message === 'string' && message !== '' ? message : undefined;
}

/** Reasons without the whole old schema, which Confluent repeats among them. */
export function withoutOldSchema(reasons: string): string {
  // Stops at the next beginning: a schema without an end would make the expression quadratic otherwise.
  return reasons.replaceAll(/\{oldSchema: '(?:(?!\{oldSchema: ').)*?'\}[;,]? ?/gs, '');
}
