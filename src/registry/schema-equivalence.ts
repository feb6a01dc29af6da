import { isDeepStrictEqual } from 'node:util';
import { isNode, type Json, type Node } from '../engine/json.ts';

/**
 * True when two Avro schemas write the same bytes and read the same values. Formatting, docs, the
 * order of attributes and attributes unknown to Avro are ignored. Names, aliases, logical types and
 * defaults count, so the comparison is stricter than Avro's Parsing Canonical Form.
 */
export function isEquivalent(one: Json, other: Json): boolean {
  return isDeepStrictEqual(canonical(one, ''), canonical(other, ''));
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
const named = ['record', 'error', 'enum', 'fixed'];

/** The schema reduced to its relevant attributes, with full names. */
function canonical(schema: Json, namespace: string): Json {
  if (typeof schema === 'string') return fullName(schema, namespace);
  if (Array.isArray(schema)) return schema.map((branch: Json) => canonical(branch, namespace));
  return isNode(schema) ? canonicalNode(schema, namespace) : null;
}

function canonicalNode(schema: Node, namespace: string): Json {
  const { type = null, items = null, values = null } = schema;
  if (type === 'array') return { type, items: canonical(items, namespace) };
  if (type === 'map') return { type, values: canonical(values, namespace) };
  if (named.includes(text(type))) return canonicalNamed(schema, namespace);
  return withLogicalType(canonical(type, namespace), schema);
}

function canonicalNamed(schema: Node, outer: string): Json {
  const name = fullName(text(schema['name']), text(schema['namespace'] ?? outer));
  const namespace = name.slice(0, Math.max(0, name.lastIndexOf('.')));
  const { type, symbols, size, default: fallback, fields } = schema;
  const aliases = list(schema['aliases']).map((alias) => fullName(text(alias), namespace));
  return withLogicalType(
    {
      ...present({ type, symbols, size, default: fallback }),
      name,
      aliases: aliases.toSorted(),
      fields: list(fields).map((field) =>
        isNode(field) ? canonicalField(field, namespace) : null,
      ),
    },
    schema,
  );
}

function canonicalField(field: Node, namespace: string): Json {
  const { name, type = null, default: fallback } = field;
  const aliases = list(field['aliases']).map(text).toSorted();
  return { ...present({ name, default: fallback }), type: canonical(type, namespace), aliases };
}

/** The type alone without a logical type, so that `{"type":"long"}` equals `"long"`. */
function withLogicalType(type: Json, { logicalType, precision, scale }: Node): Json {
  if (logicalType === undefined) return type;
  return { type, ...present({ logicalType, precision, scale }) };
}

function fullName(name: string, namespace: string): string {
  const isFull = name.includes('.') || namespace === '' || primitives.includes(name);
  return isFull ? name : `${namespace}.${name}`;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Removes undefined attributes: an absent default differs from a default of null. */
function present(attributes: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
}
