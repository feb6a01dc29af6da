import { type Json, isNode } from '../engine/json.ts';

interface SchemaField {
  readonly type: string;
  readonly hasDefault: boolean;
}

/** A field that differs between two schemas; a type is null where the field is missing. */
export interface FieldDifference {
  /** The path, such as `children.id`. */
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
  /**
   * True when the added or removed field has a default; for a changed type, when the new field has
   * one.
   */
  readonly has_default: boolean;
}

/**
 * Every field that differs, in the order of the schemas: added or changed fields, then removed
 * ones.
 */
export function listDifferences(before: Json, after: Json): readonly FieldDifference[] {
  const old = listFields(before);
  const current = listFields(after);
  const changed = [...current].flatMap(([field, { type, hasDefault }]) => {
    const was = old.get(field)?.type ?? null;
    return was === type ? [] : [{ field, before: was, after: type, has_default: hasDefault }];
  });
  const gone = [...old]
    .filter(([field]) => !current.has(field))
    .map(([field, { type, hasDefault }]) => {
      return { field, before: type, after: null, has_default: hasDefault };
    });
  return [...changed, ...gone];
}

const mostNamed = 10;

/**
 * Names the fields that can make two Avro schemas incompatible: a changed type, or a field without
 * default in one schema only. Registries name a field by its position, which is ambiguous.
 *
 * @returns text such as `"children.id" (was long, is string)`, in the order of the schemas
 */
export function describeDifference(before: Json, after: Json): string {
  const all = listDifferences(before, after).flatMap((one) => {
    const { field, before: was, after: is, has_default: hasDefault } = one;
    if (was !== null && is !== null) return [`"${field}" (was ${was}, is ${is})`];
    if (hasDefault) return [];
    return [`"${field}" (${was === null ? 'new, has' : 'gone, had'} no default)`];
  });
  const more = all.length > mostNamed ? [`${all.length - mostNamed} more`] : [];
  return [...all.slice(0, mostNamed), ...more].join(', ');
}

/** Every field by its path, including those of records in lists, maps and unions. */
function listFields(schema: Json, prefix = ''): Map<string, SchemaField> {
  if (Array.isArray(schema)) {
    return new Map(schema.flatMap((branch: Json) => [...listFields(branch, prefix)]));
  }
  if (!isNode(schema)) return new Map();
  const inner = schema['items'] ?? schema['values'];
  if (inner !== undefined) return listFields(inner, prefix);
  const fields = Array.isArray(schema['fields']) ? (schema['fields'] as readonly Json[]) : [];
  return new Map(
    fields.filter(isNode).flatMap((field) => {
      const path = `${prefix}${nameType(field['name'] ?? null)}`;
      const type = field['type'] ?? null;
      const own: [string, SchemaField] = [
        path,
        { type: nameType(type), hasDefault: 'default' in field },
      ];
      return [own, ...listFields(type, `${path}.`)];
    }),
  );
}

/**
 * A type without its documentation. A record is reduced to its name, because its fields are
 * compared separately.
 */
function nameType(type: Json): string {
  if (Array.isArray(type)) return type.map(nameType).join(' or ');
  if (!isNode(type)) return typeof type === 'string' ? type : 'nothing';
  if (type['items'] !== undefined) return `list of ${nameType(type['items'])}`;
  if (type['values'] !== undefined) return `map of ${nameType(type['values'])}`;
  return nameType(type['name'] ?? type['type'] ?? null);
}
