import { type Json, isNode } from '../engine/json.ts';

interface Field {
  readonly type: string;
  readonly hasDefault: boolean;
}

/** A field that two schemas do not have alike; a type is null where there is no such field. */
export interface FieldDifference {
  /** Its path, as `children.id`. */
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Whether the one that came or went has a default; of another type, whether it has one now. */
  readonly has_default: boolean;
}

/** Every field that differs, in the order of the schemas: what is new or has another type, what is gone. */
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
 * Names the fields that can make two Avro schemas incompatible: another type, or there in one only
 * and without a default. Registries name a field by its position, of which there are two.
 *
 * @returns such as `"children.id" (was long, is string)`, in the order of the schemas
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

/** Every field by its path, those of records in lists, maps and unions included. */
function listFields(schema: Json, prefix = ''): Map<string, Field> {
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
      const own: [string, Field] = [path, { type: nameType(type), hasDefault: 'default' in field }];
      return [own, ...listFields(type, `${path}.`)];
    }),
  );
}

/** A type without its documentation; a record by its name, as its fields are compared by themselves. */
function nameType(type: Json): string {
  if (Array.isArray(type)) return type.map(nameType).join(' or ');
  if (!isNode(type)) return typeof type === 'string' ? type : 'nothing';
  if (type['items'] !== undefined) return `list of ${nameType(type['items'])}`;
  if (type['values'] !== undefined) return `map of ${nameType(type['values'])}`;
  return nameType(type['name'] ?? type['type'] ?? null);
}
