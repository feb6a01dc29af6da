import type { Type } from 'avsc';
import { DeadLetterError } from '../engine/errors.ts';
import { type Json, type Value, describeJson, isNode } from '../engine/json.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import type { Encoder } from '../engine/ports.ts';
import { parseKey, type TopicSchema } from './schemas.ts';

/** The magic byte 0 and the schema id in four bytes. */
const headerBytes = 5;
const slabBytes = 1024 * 1024;

/** Returns the id of the writer's schema and the Avro bytes; undefined for bytes of another format. */
export function splitWireValue(bytes: Buffer) {
  if (bytes.length <= headerBytes || bytes[0] !== 0) return undefined;
  return { id: bytes.readInt32BE(1), body: bytes.subarray(headerBytes) };
}

/** Returns the id of the writer's schema; null for bytes of another format. */
export function schemaIdOf(bytes: Buffer | null): number | null {
  return bytes === null ? null : (splitWireValue(bytes)?.id ?? null);
}

/**
 * Creates an encoder of prepared schemas. It encodes into slabs of its own, because avsc's
 * `toBuffer` encodes values above 1 KB twice. A slab is never overwritten; it is released with the
 * last record in it.
 */
export function createEncoder(
  schemas: ReadonlyMap<TopicRole, TopicSchema>,
  idOf: (schema: TopicSchema, accountId?: string) => number | undefined,
  keySchemas: ReadonlyMap<TopicRole, TopicSchema> = new Map(),
): Encoder {
  let slab = Buffer.allocUnsafe(slabBytes);
  let used = 0;
  const prepared = (schema: TopicSchema | undefined, role: TopicRole, accountId?: string) => {
    const id = schema && idOf(schema, accountId);
    if (schema === undefined || id === undefined) {
      throw new Error(`the schema of ${role} was not prepared`);
    }
    return { type: schema.type, id };
  };
  const encode = (type: Type, id: number, value: Value): Buffer => {
    for (;;) {
      const start = used;
      const end =
        start + headerBytes <= slab.length
          ? type.encode(value, slab, start + headerBytes)
          : -headerBytes;
      if (end >= 0) {
        slab.writeUInt8(0, start);
        slab.writeInt32BE(id, start + 1);
        used = end;
        return slab.subarray(start, end);
      }
      // A negative result is the number of missing bytes.
      slab = Buffer.allocUnsafe(Math.max(slabBytes, slab.length - start - end + headerBytes));
      used = 0;
    }
  };
  return {
    schemaId: (role, accountId) => prepared(schemas.get(role), role, accountId).id,
    encodeKey(role, key, accountId) {
      const schema = keySchemas.get(role);
      if (schema === undefined) return undefined;
      const { type, id } = prepared(schema, role, accountId);
      return encode(type, id, parseKey(type, key));
    },
    encode(role, value, accountId) {
      const { type, id } = prepared(schemas.get(role), role, accountId);
      try {
        return encode(type, id, value);
      } catch {
        throw encodingError(role, type, value);
      }
    },
  };
}

/** The error of a value that does not fit its schema; names the field. */
function encodingError(role: TopicRole, type: Type, value: Value): DeadLetterError {
  let path = '';
  let received: Json | undefined;
  let expected = 'what the schema says';
  type.isValid(value, {
    errorHook: (fields: string[], actual: unknown, expectedType: Type) => {
      path = fields.join('.');
      received = actual as Json | undefined;
      expected = expectedType.toString();
    },
  });
  const shown =
    isNode(received) || received === undefined ? describeJson(received) : JSON.stringify(received);
  return new DeadLetterError(
    'encoding.invalid',
    `record of ${role}, field "${path}": expected ${expected}, got ${shown.slice(0, 200)}`,
    { path, raw: JSON.stringify(value) },
  );
}

/** The properties of avsc's types that its type declarations lack. */
interface AvroType {
  readonly typeName: string;
  readonly itemsType?: Type;
  readonly valuesType?: Type;
  readonly underlyingType?: Type;
  readonly types?: readonly Type[];
  readonly fields?: readonly { readonly type: Type }[];
  readonly size?: number;
}

interface Cursor {
  readonly body: Buffer;
  position: number;
}

/**
 * Throws unless reading the body as the type stays within its bytes. avsc detects an overrun only
 * after the last entry: it would read each of the 2^50 entries that a damaged list claims to have.
 */
export function checkBounds(type: Type, body: Buffer): void {
  skipValue(type, { body, position: 0 });
}

const fixedBytes: Readonly<Record<string, number>> = { null: 0, boolean: 1, float: 4, double: 8 };

function skipValue(type: Type, cursor: Cursor): void {
  const avroType = type as unknown as AvroType;
  const { typeName } = avroType;
  const bytes = fixedBytes[typeName] ?? avroType.size;
  if (bytes !== undefined) skip(bytes, cursor);
  else if (typeName === 'bytes' || typeName === 'string') skip(readLong(cursor), cursor);
  else skipNested(avroType, cursor);
}

function skipNested(avroType: AvroType, cursor: Cursor): void {
  const { fields, types, underlyingType } = avroType;
  const entry = avroType.itemsType ?? avroType.valuesType;
  if (entry !== undefined) skipBlocks(entry, avroType.typeName === 'map', cursor);
  else if (fields !== undefined) for (const field of fields) skipValue(field.type, cursor);
  else if (types !== undefined) skipValue(types[readLong(cursor)] ?? tooShort(), cursor);
  else if (underlyingType !== undefined) skipValue(underlyingType, cursor);
  else readLong(cursor);
}

/** Skips blocks of entries until an empty one. A negative count precedes the block's size in bytes. */
function skipBlocks(entry: Type, isMap: boolean, cursor: Cursor): void {
  for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
    if (count < 0) readLong(cursor);
    // Each entry has at least one byte.
    if (Math.abs(count) > cursor.body.length - cursor.position) tooShort();
    for (let index = Math.abs(count); index > 0; index -= 1) {
      if (isMap) skip(readLong(cursor), cursor);
      skipValue(entry, cursor);
    }
  }
}

function skip(bytes: number, cursor: Cursor): void {
  if (bytes < 0 || bytes > cursor.body.length - cursor.position) tooShort();
  cursor.position += bytes;
}

/** Reads a zigzag varint. */
function readLong(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = cursor.body[cursor.position] ?? tooShort();
    cursor.position += 1;
    value += (byte % 128) * factor;
    if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function tooShort(): never {
  throw new Error('its bytes end before it does');
}
