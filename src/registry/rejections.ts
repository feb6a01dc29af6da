import { StopProcessError, type RetryError } from '../engine/errors.ts';
import { isNode, type Json } from '../engine/json.ts';
import { describeAnswer, unavailable, type RegistryAnswer } from './calls.ts';
import { describeDifference } from './schema-difference.ts';
import type { TopicSchema } from './schemas.ts';
import { readVersion, type ReadContext } from './subject-versions.ts';

/** A schema and its subject. */
export interface SchemaTarget {
  readonly schema: TopicSchema;
  readonly subject: string;
}

/**
 * The error of a schema that is incompatible with the registered versions: the registry's reasons
 * and advice.
 */
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
  // Confluent sends a list `messages`; Apicurio sends one `reason`.
  const reason = body['reason'] ?? body['message'];
  return typeof reason === 'string' ? reason : 'the registry gave no reason';
}

/** The fields that differ from the latest version; empty when that cannot be read. */
async function differingFields(target: SchemaTarget, context: ReadContext): Promise<string> {
  try {
    const { schema: latest } = await readVersion(target.subject, 'latest', context);
    if (latest === undefined) return '';
    return describeDifference(latest, JSON.parse(target.schema.text) as Json);
  } catch {
    // The rejection is reported even when its explanation fails.
    return '';
  }
}

/**
 * The error of a schema that is rejected for a reason other than its fields.
 *
 * @returns null for HTTP 409, the answer to incompatible fields and to concurrent registrations
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
  // Another server, such as a proxy, sends no message of this form; 408 is temporary.
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

/** Confluent's code for an operation that the mode forbids, in READONLY and IMPORT. */
const operationNotPermitted = 42205;

/**
 * True when the registry is read-only. Apicurio answers 409 as for an incompatible schema; only the
 * text differs.
 */
function acceptsNoSchemas(body: Json): boolean {
  const code = isNode(body) ? body['error_code'] : undefined;
  return code === operationNotPermitted || /\bread-only mode\b/i.test(messageIn(body) ?? '');
}

function messageIn(body: Json): string | undefined {
  const message = isNode(body) ? body['message'] : undefined;
  return typeof message === 'string' && message !== '' ? message : undefined;
}

/** The reasons without the old schema, which Confluent repeats among them. */
export function withoutOldSchema(reasons: string): string {
  // The match ends at the next `{oldSchema`; otherwise an unterminated schema makes the expression
  // quadratic.
  return reasons.replaceAll(/\{oldSchema: '(?:(?!\{oldSchema: ').)*?'\}[;,]? ?/gs, '');
}
