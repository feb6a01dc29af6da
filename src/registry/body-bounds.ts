import type { Type } from 'avsc';

/** The properties of avsc's types that its type declarations lack. */
interface Shape {
  readonly typeName: string;
  readonly itemsType?: Type;
  readonly valuesType?: Type;
  readonly underlyingType?: Type;
  readonly types?: readonly Type[];
  readonly fields?: readonly { readonly type: Type }[];
  readonly size?: number;
}

/** The position of a cursor in a body; undefined once the cursor has left the body. */
type At = number | undefined;

interface Walk {
  readonly body: Buffer;
  at: At;
}

/**
 * True when reading the body as the type stays within its bytes. avsc detects an overrun only after
 * the last entry: it would read each of the 2^50 entries that a damaged list claims to have.
 */
export function staysWithin(type: Type, body: Buffer): boolean {
  const walk: Walk = { body, at: 0 };
  pass(type, walk);
  return walk.at !== undefined;
}

const fixedBytes: Readonly<Record<string, number>> = { null: 0, boolean: 1, float: 4, double: 8 };

function pass(type: Type, walk: Walk): void {
  const shape = type as unknown as Shape;
  const { typeName } = shape;
  const bytes = fixedBytes[typeName] ?? shape.size;
  if (bytes !== undefined) skip(bytes, walk);
  else if (typeName === 'bytes' || typeName === 'string') skip(readLong(walk), walk);
  else passInside(shape, walk);
}

function passInside(shape: Shape, walk: Walk): void {
  const { fields, types, underlyingType } = shape;
  const entry = shape.itemsType ?? shape.valuesType;
  if (entry !== undefined) passBlocks(entry, shape.typeName === 'map', walk);
  else if (fields !== undefined) for (const field of fields) pass(field.type, walk);
  else if (types !== undefined) passBranch(types, walk);
  else if (underlyingType !== undefined) pass(underlyingType, walk);
  else readLong(walk);
}

function passBranch(types: readonly Type[], walk: Walk): void {
  const branch = types[readLong(walk)];
  if (branch === undefined) walk.at = undefined;
  else pass(branch, walk);
}

/**
 * Skips blocks of entries until an empty block. A negative count is followed by the block's size in
 * bytes.
 */
function passBlocks(entry: Type, isMap: boolean, walk: Walk): void {
  for (let count = readLong(walk); count !== 0; count = readLong(walk)) {
    if (count < 0) readLong(walk);
    // Each entry has at least one byte.
    if (Math.abs(count) > left(walk)) walk.at = undefined;
    for (let index = Math.abs(count); index > 0 && walk.at !== undefined; index -= 1) {
      if (isMap) skip(readLong(walk), walk);
      pass(entry, walk);
    }
  }
}

function left({ body, at }: Walk): number {
  return at === undefined ? -1 : body.length - at;
}

function skip(bytes: number, walk: Walk): void {
  if (walk.at === undefined) return;
  walk.at = bytes < 0 || bytes > left(walk) ? undefined : walk.at + bytes;
}

/** Reads a zigzag varint; returns 0 outside the body. */
function readLong(walk: Walk): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = walk.at === undefined ? undefined : walk.body[walk.at];
    if (byte === undefined || walk.at === undefined) {
      walk.at = undefined;
      return 0;
    }
    walk.at += 1;
    value += (byte % 128) * factor;
    if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
