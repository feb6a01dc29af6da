import { StopProcessError, messageOf } from '../engine/errors.ts';
import { describeJson, isNode, type Json, type Node } from '../engine/json.ts';
import avro, { type Schema, type Type } from 'avsc';
import { call, unavailable, type CallContext, type RegistryAddress } from './calls.ts';
import { checkBounds, splitWireValue } from './wire-format.ts';

/** A schema of the kinds that `avro/` uses: every union has two branches, null and another type. */
type FormSchema = string | readonly FormSchema[] | FormSchemaObject;

interface FormSchemaObject {
  readonly type: FormSchema;
  readonly logicalType?: string;
  readonly items?: FormSchema;
  readonly values?: FormSchema;
  readonly fields?: readonly {
    readonly name: string;
    readonly type: FormSchema;
    readonly default?: Json;
  }[];
}

/** An Avro value in memory: JSON, with bytes as buffers. */
type AvroValue = null | boolean | number | string | Uint8Array | readonly AvroValue[] | AvroRecord;
interface AvroRecord {
  readonly [name: string]: AvroValue;
}

/** Creates the lossless, readable and editable JSON form of a record schema. */
export function createJsonForm(schemaText: string) {
  const schema = JSON.parse(schemaText) as FormSchemaObject;
  return {
    /** Converts times to texts such as `2026-11-01T07:00:00.000Z` and bytes to base64. */
    write: (value: unknown) => write(schema, value as AvroValue),
    /**
     * Converts the JSON form back. A missing field takes the schema's default; an unknown field is
     * rejected, because it would be lost. @throws StopProcessError `state.invalid` with the path
     */
    // Bytes are buffers here, as Avro requires; the type `Value` does not include them.
    read: (json: Json, path: string) => read(schema, json, path) as Readonly<Record<string, Json>>,
  };
}

function write(schema: FormSchema, value: AvroValue): Json {
  if (isUnion(schema)) return value === null ? null : write(branchOf(schema), value);
  if (typeof schema === 'string') {
    return schema === 'bytes'
      ? Buffer.from(value as Uint8Array).toString('base64')
      : (value as Json);
  }
  if (schema.logicalType === 'timestamp-millis') return new Date(value as number).toISOString();
  switch (schema.type) {
    case 'record':
      return Object.fromEntries(
        (schema.fields ?? []).map(({ name, type }) => [
          name,
          write(type, (value as AvroRecord)[name] ?? null),
        ]),
      );
    case 'array':
      return (value as readonly AvroValue[]).map((item) => write(schema.items ?? 'null', item));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as AvroRecord).map(([name, item]) => [
          name,
          write(schema.values ?? 'null', item),
        ]),
      );
    default:
      return write(schema.type, value);
  }
}

function read(schema: FormSchema, json: Json | undefined, path: string): AvroValue {
  if (isUnion(schema)) return json === null ? null : read(branchOf(schema), json, path);
  if (typeof schema === 'string') return readPrimitive(schema, json, path);
  if (schema.logicalType === 'timestamp-millis') return readTime(json, path);
  switch (schema.type) {
    case 'record':
      return readRecord(schema, json, path);
    case 'array':
      if (!Array.isArray(json)) return reject(path, 'a list', json);
      return (json as readonly Json[]).map((item, index) =>
        read(schema.items ?? 'null', item, `${path}[${index}]`),
      );
    case 'map':
      return Object.fromEntries(
        Object.entries(objectAt(json, path)).map(([name, item]) => [
          name,
          read(schema.values ?? 'null', item, `${path}.${name}`),
        ]),
      );
    default:
      return read(schema.type, json, path);
  }
}

function readRecord(schema: FormSchemaObject, json: Json | undefined, path: string): AvroValue {
  const object = objectAt(json, path);
  const { fields = [] } = schema;
  const extra = Object.keys(object).find((name) => !fields.some((field) => field.name === name));
  if (extra !== undefined) {
    reject(`${path}.${extra}`, 'no such field in this version', object[extra]);
  }
  return Object.fromEntries(
    fields.map(({ name, type, default: fallback }) => [
      name,
      read(type, object[name] === undefined ? fallback : object[name], `${path}.${name}`),
    ]),
  );
}

const wholeNumber = 'a whole number within 2^53';

const primitives: Readonly<Record<string, { expected: string; fits: (json: Json) => boolean }>> = {
  null: { expected: 'null', fits: (json) => json === null },
  string: { expected: 'a text', fits: (json) => typeof json === 'string' },
  boolean: { expected: 'true or false', fits: (json) => typeof json === 'boolean' },
  double: { expected: 'a number', fits: (json) => typeof json === 'number' },
  int: { expected: wholeNumber, fits: Number.isSafeInteger },
  long: { expected: wholeNumber, fits: Number.isSafeInteger },
};

function readPrimitive(schema: string, json: Json | undefined, path: string): AvroValue {
  if (schema === 'bytes') return readBytes(json, path);
  const primitive = primitives[schema];
  if (primitive === undefined) throw new Error(`the schema has a type that has no form: ${schema}`);
  return json !== undefined && primitive.fits(json) ? json : reject(path, primitive.expected, json);
}

function readBytes(json: Json | undefined, path: string): Uint8Array {
  const bytes = typeof json === 'string' ? Buffer.from(json, 'base64') : undefined;
  // Node drops characters that are not base64 silently; encoding the bytes again detects that.
  return bytes?.toString('base64') === json ? (bytes as Uint8Array) : reject(path, 'base64', json);
}

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

function readTime(json: Json | undefined, path: string): number {
  const ms = typeof json === 'string' && isoTime.test(json) ? Date.parse(json) : Number.NaN;
  return Number.isNaN(ms) ? reject(path, 'a time such as 2026-11-01T07:00:00.000Z', json) : ms;
}

function objectAt(json: Json | undefined, path: string): Node {
  return isNode(json) ? json : reject(path, 'an object', json);
}

function isUnion(schema: FormSchema): schema is readonly FormSchema[] {
  return Array.isArray(schema);
}

function branchOf(union: readonly FormSchema[]): FormSchema {
  return union.find((schema) => schema !== 'null') ?? 'null';
}

function reject(path: string, expected: string, received: Json | undefined): never {
  const plain =
    typeof received === 'string' || typeof received === 'number' || typeof received === 'boolean';
  const shown = plain ? JSON.stringify(received).slice(0, 60) : describeJson(received);
  throw new StopProcessError(
    'state.invalid',
    `${path}: expected ${expected}, got ${shown}. Nothing was changed.`,
    { exitCode: 2 },
  );
}

/** A decoded value, or the reason why it is unreadable. */
export type ReadValue =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** A decoded key. */
export interface ReadKey {
  /** The text of `recordKey`, in either format of keys. */
  readonly text: string;
  /** The key's fields; null where the key is a text, or its schema is unknown. */
  readonly fields: Node | null;
}

/** Decodes values and keys with their writers' schemas. */
export type ValueReader = ReturnType<typeof createValueReader>;

type DecodeValue = (body: Buffer) => Json;

/** Creates a reader that requests each schema once. */
export function createValueReader(address: RegistryAddress) {
  const known = new Map<number, DecodeValue | null>();
  const read = async (bytes: Buffer, signal: AbortSignal): Promise<ReadValue> => {
    const wire = splitWireValue(bytes);
    if (wire === undefined) return unreadable('it is not an Avro record of a schema registry');
    const { id, body } = wire;
    const cached = known.get(id);
    const decode = cached === undefined ? await fetchDecoder(id, { address, signal }) : cached;
    known.set(id, decode);
    if (decode === null) return unreadable(`the registry knows no Avro schema with id ${id}`);
    try {
      return { kind: 'value', value: decode(body) };
    } catch (error) {
      return unreadable(messageOf(error));
    }
  };
  return {
    /** Decodes one value; times become texts, bytes base64. @throws as `call` */
    read,
    /** Decodes one key: a text, or an Avro record. @throws as `call` */
    async readKey(bytes: Buffer, signal: AbortSignal): Promise<ReadKey> {
      // A text begins with no zero byte.
      const key = bytes[0] === 0 ? await read(bytes, signal) : undefined;
      if (key?.kind !== 'value' || !isNode(key.value)) {
        return { text: bytes.toString('utf8'), fields: null };
      }
      const parts = Object.values(key.value).map((part) =>
        typeof part === 'string' ? part.replace('.000Z', 'Z') : JSON.stringify(part),
      );
      return { text: parts.join('/'), fields: key.value };
    },
  };
}

function unreadable(reason: string): ReadValue {
  return { kind: 'unreadable', reason };
}

/** Fetches the decoder of a schema; null when the id is unknown or the schema is not Avro. */
async function fetchDecoder(id: number, context: CallContext): Promise<DecodeValue | null> {
  const { status, body } = await call(context, { method: 'get', path: `/schemas/ids/${id}` });
  if (status === 404) return null;
  const text = isNode(body) ? body['schema'] : undefined;
  if (typeof text !== 'string') {
    throw unavailable(context.address, `HTTP ${status} to schema ${id}`);
  }
  let type: Type;
  try {
    type = avro.Type.forSchema(JSON.parse(text) as Schema);
  } catch {
    return null;
  }
  const form = createJsonForm(text);
  return (body) => {
    checkBounds(type, body);
    return form.write(type.fromBuffer(body));
  };
}
