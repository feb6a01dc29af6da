import type { Type } from 'avsc';

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

/** The position of a cursor in a body; undefined once the cursor has left the body. */
type Position = number | undefined;

interface Cursor {
  readonly body: Buffer;
  position: Position;
}

/**
 * True when reading the body as the type stays within its bytes. avsc detects an overrun only after
 * the last entry: it would read each of the 2^50 entries that a damaged list claims to have.
 */
export function staysWithin(type: Type, body: Buffer): boolean {
  const cursor: Cursor = { body, position: 0 };
  skipValue(type, cursor);
  return cursor.position !== undefined;
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
  else if (types !== undefined) skipBranch(types, cursor);
  else if (underlyingType !== undefined) skipValue(underlyingType, cursor);
  else readLong(cursor);
}

function skipBranch(types: readonly Type[], cursor: Cursor): void {
  const branch = types[readLong(cursor)];
  if (branch === undefined) cursor.position = undefined;
  else skipValue(branch, cursor);
}

/**
 * Skips blocks of entries until an empty block. A negative count is followed by the block's size in
 * bytes.
 */
function skipBlocks(entry: Type, isMap: boolean, cursor: Cursor): void {
  for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
    if (count < 0) readLong(cursor);
    // Each entry has at least one byte.
    if (Math.abs(count) > bytesLeft(cursor)) cursor.position = undefined;
    for (let index = Math.abs(count); index > 0 && cursor.position !== undefined; index -= 1) {
      if (isMap) skip(readLong(cursor), cursor);
      skipValue(entry, cursor);
    }
  }
}

function bytesLeft({ body, position }: Cursor): number {
  return position === undefined ? -1 : body.length - position;
}

function skip(bytes: number, cursor: Cursor): void {
  if (cursor.position === undefined) return;
  cursor.position = bytes < 0 || bytes > bytesLeft(cursor) ? undefined : cursor.position + bytes;
}

/** Reads a zigzag varint; returns 0 outside the body. */
function readLong(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = cursor.position === undefined ? undefined : cursor.body[cursor.position];
    if (byte === undefined || cursor.position === undefined) {
      cursor.position = undefined;
      return 0;
    }
    cursor.position += 1;
    value += (byte % 128) * factor;
    if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
