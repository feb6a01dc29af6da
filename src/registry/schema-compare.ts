import { isDeepStrictEqual } from 'node:util';
import { isNode, type Json, type Node } from '../engine/json.ts';

/** A field that differs between two schemas; a type is null where the field is missing. */
export interface FieldDifference {
  /** The path, such as `children.id`. */
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
  /** True when the field has a default; of a changed type, when the new field has one. */
  readonly has_default: boolean;
}

/** Every field that differs: added or changed ones, then removed ones, in their schemas' order. */
export function listDifferences(before: Json, after: Json): readonly FieldDifference[] {
  const old = listFields(before);
  const current = listFields(after);
  const changed = [...current].flatMap(([field, { type, has_default }]) => {
    const was = old.get(field)?.type ?? null;
    return was === type ? [] : [{ field, before: was, after: type, has_default }];
  });
  const gone = [...old]
    .filter(([field]) => !current.has(field))
    .map(([field, { type, has_default }]) => ({ field, before: type, after: null, has_default }));
  return [...changed, ...gone];
}

const mostNamed = 10;

/**
 * Names the fields that can make two Avro schemas incompatible: a changed type, or a field without
 * default in one schema only, such as `"children.id" (was long, is string)`. Registries name a
 * field by its position, which is ambiguous.
 */
export function describeDifference(before: Json, after: Json): string {
  const all = listDifferences(before, after).flatMap((one) => {
    const { field, before: was, after: is } = one;
    if (was !== null && is !== null) return [`"${field}" (was ${was}, is ${is})`];
    if (one.has_default) return [];
    return [`"${field}" (${was === null ? 'new, has' : 'gone, had'} no default)`];
  });
  const more = all.length > mostNamed ? [`${all.length - mostNamed} more`] : [];
  return [...all.slice(0, mostNamed), ...more].join(', ');
}

/** Every field by its path, including those of records in lists, maps and unions. */
function listFields(
  schema: Json,
  prefix = '',
): Map<string, { type: string; has_default: boolean }> {
  if (Array.isArray(schema)) {
    return new Map(schema.flatMap((branch: Json) => [...listFields(branch, prefix)]));
  }
  if (!isNode(schema)) return new Map();
  const inner = schema['items'] ?? schema['values'];
  if (inner !== undefined) return listFields(inner, prefix);
  return new Map(
    list(schema['fields'])
      .filter(isNode)
      .flatMap((field) => {
        const path = `${prefix}${nameType(field['name'] ?? null)}`;
        const type = field['type'] ?? null;
        const own = { type: nameType(type), has_default: 'default' in field };
        return [[path, own] as const, ...listFields(type, `${path}.`)];
      }),
  );
}

/** A type without its documentation, and a record by its name: its fields are listed themselves. */
function nameType(type: Json): string {
  if (Array.isArray(type)) return type.map(nameType).join(' or ');
  if (!isNode(type)) return typeof type === 'string' ? type : 'nothing';
  if (type['items'] !== undefined) return `list of ${nameType(type['items'])}`;
  if (type['values'] !== undefined) return `map of ${nameType(type['values'])}`;
  return nameType(type['name'] ?? type['type'] ?? null);
}

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
  if (!isNode(schema)) return null;
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

/** The full name of a type: with the namespace, unless it has one or is a primitive. */
export function fullName(name: string, namespace: string): string {
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
