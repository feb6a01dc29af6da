import type { Type } from 'avsc';

/** What avsc's types have beside what its declarations say of all of them. */
interface Shape {
  readonly typeName: string;
  readonly itemsType?: Type;
  readonly valuesType?: Type;
  readonly underlyingType?: Type;
  readonly types?: readonly Type[];
  readonly fields?: readonly { readonly type: Type }[];
  readonly size?: number;
}

/** Where a walk along a body is; undefined once it has left it. */
type At = number | undefined;

interface Walk {
  readonly body: Buffer;
  at: At;
}

/**
 * Whether a body stays within its bytes when it is read as a type. avsc notices only at its end that it
 * has read too far: of a list that claims to have 2^50 entries it would read every one.
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

/** Blocks of entries until an empty one; a negative count has the block's bytes behind it. */
function passBlocks(entry: Type, isMap: boolean, walk: Walk): void {
  for (let count = readLong(walk); count !== 0; count = readLong(walk)) {
    if (count < 0) readLong(walk);
    // An entry has a byte at least.
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

/** A number of variable length, in zigzag; 0 outside of the body. */
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
