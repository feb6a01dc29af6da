import { StopProcessError } from '../engine/errors.ts';
import { type Json, type Node, describeJson, isNode } from '../engine/json.ts';

/** A schema of the kinds that `avro/` uses. */
type Shape = string | readonly Shape[] | ShapeObject;

interface ShapeObject {
  readonly type: Shape;
  readonly name?: string;
  readonly logicalType?: string;
  readonly items?: Shape;
  readonly values?: Shape;
  readonly fields?: readonly Field[];
}

interface Field {
  readonly name: string;
  readonly type: Shape;
  readonly default?: Json;
}

/** An Avro value in memory: JSON, with bytes as buffers. */
type Held = null | boolean | number | string | Uint8Array | readonly Held[] | HeldRecord;
interface HeldRecord {
  readonly [name: string]: Held;
}

/** Lossless, readable and editable JSON form of Avro values. */
export interface JsonForm {
  /**
   * Converts times to texts such as `2026-11-01T07:00:00.000Z` and bytes to base64; other values
   * stay.
   */
  write(value: unknown): Json;
  /**
   * Converts the JSON form back. A missing field takes the schema's default; an unknown field is
   * rejected, because it would be lost.
   *
   * @throws StopProcessError `state.invalid` with the path, the expected and the received value
   */
  read(json: Json, path: string): Readonly<Record<string, Json>>;
}

/** Creates the JSON form of a record schema. */
export function createJsonForm(schema: string): JsonForm {
  const shape = JSON.parse(schema) as ShapeObject;
  return {
    write: (value) => write(shape, value as Held),
    // Bytes are buffers here, as Avro requires; the type `Value` does not include them.
    read: (json, path) => read(shape, json, path) as Readonly<Record<string, Json>>,
  };
}

function write(shape: Shape, value: Held): Json {
  if (isUnion(shape)) return value === null ? null : write(branchOf(shape), value);
  if (typeof shape === 'string') {
    return shape === 'bytes'
      ? Buffer.from(value as Uint8Array).toString('base64')
      : (value as Json);
  }
  if (shape.logicalType === 'timestamp-millis') return new Date(value as number).toISOString();
  switch (shape.type) {
    case 'record':
      return Object.fromEntries(
        fieldsOf(shape).map(({ name, type }) => [
          name,
          write(type, (value as HeldRecord)[name] ?? null),
        ]),
      );
    case 'array':
      return (value as readonly Held[]).map((item) => write(shape.items ?? 'null', item));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as HeldRecord).map(([name, item]) => [
          name,
          write(shape.values ?? 'null', item),
        ]),
      );
    default:
      return write(shape.type, value);
  }
}

function read(shape: Shape, json: Json | undefined, path: string): Held {
  if (isUnion(shape)) return json === null ? null : read(branchOf(shape), json, path);
  if (typeof shape === 'string') return readPrimitive(shape, json, path);
  if (shape.logicalType === 'timestamp-millis') return readTime(json, path);
  switch (shape.type) {
    case 'record':
      return readRecord(shape, json, path);
    case 'array':
      if (!Array.isArray(json)) return refuse(path, 'a list', json);
      return (json as readonly Json[]).map((item, index) =>
        read(shape.items ?? 'null', item, `${path}[${index}]`),
      );
    case 'map':
      return Object.fromEntries(
        Object.entries(objectAt(json, path)).map(([name, item]) => [
          name,
          read(shape.values ?? 'null', item, `${path}.${name}`),
        ]),
      );
    default:
      return read(shape.type, json, path);
  }
}

function readRecord(shape: ShapeObject, json: Json | undefined, path: string): Held {
  const given = objectAt(json, path);
  const fields = fieldsOf(shape);
  const extra = Object.keys(given).find((name) => !fields.some((field) => field.name === name));
  if (extra !== undefined) {
    refuse(`${path}.${extra}`, 'no such field in this version', given[extra]);
  }
  return Object.fromEntries(
    fields.map(({ name, type, default: fallback }) => [
      name,
      read(type, given[name] === undefined ? fallback : given[name], `${path}.${name}`),
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

function readPrimitive(shape: string, json: Json | undefined, path: string): Held {
  if (shape === 'bytes') return readBytes(json, path);
  const primitive = primitives[shape];
  if (primitive === undefined) throw new Error(`the schema has a type that has no form: ${shape}`);
  return json !== undefined && primitive.fits(json) ? json : refuse(path, primitive.expected, json);
}

function readBytes(json: Json | undefined, path: string): Uint8Array {
  const bytes = typeof json === 'string' ? Buffer.from(json, 'base64') : undefined;
  // Node drops characters that are not base64 silently; encoding the bytes again detects that.
  return bytes?.toString('base64') === json ? (bytes as Uint8Array) : refuse(path, 'base64', json);
}

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

function readTime(json: Json | undefined, path: string): number {
  const ms = typeof json === 'string' && isoTime.test(json) ? Date.parse(json) : Number.NaN;
  return Number.isNaN(ms) ? refuse(path, 'a time such as 2026-11-01T07:00:00.000Z', json) : ms;
}

function objectAt(json: Json | undefined, path: string): Node {
  return isNode(json) ? json : refuse(path, 'an object', json);
}

function isUnion(shape: Shape): shape is readonly Shape[] {
  return Array.isArray(shape);
}

/** Every union in `avro/` has two branches: null and another type. */
function branchOf(union: readonly Shape[]): Shape {
  return union.find((shape) => shape !== 'null') ?? 'null';
}

function fieldsOf(shape: ShapeObject): readonly Field[] {
  return shape.fields ?? [];
}

function refuse(path: string, expected: string, came: Json | undefined): never {
  const plain = typeof came === 'string' || typeof came === 'number' || typeof came === 'boolean';
  const shown = plain ? JSON.stringify(came).slice(0, 60) : describeJson(came);
  throw new StopProcessError(
    'state.invalid',
    `${path}: expected ${expected}, got ${shown}. Nothing was changed.`,
    { exitCode: 2 },
  );
}
