import { type Json, type Node, isNode } from '../../src/engine/json.ts';

/** A field of a schema or of a record inside it. */
export interface SchemaField {
  /** `children.owner.id` */
  readonly path: string;
  readonly type: Json;
  readonly doc: Json | undefined;
  readonly defaultValue: Json | undefined;
}

/** Every field of an Avro schema's JSON, those of its inner records included. */
export function schemaFields(schema: Json, prefix = ''): readonly SchemaField[] {
  if (Array.isArray(schema)) {
    return (schema as readonly Json[]).flatMap((branch) => schemaFields(branch, prefix));
  }
  if (!isNode(schema)) return [];
  if (Array.isArray(schema['fields'])) {
    return (schema['fields'] as readonly Node[]).flatMap((field) => fieldOf(field, prefix));
  }
  return schemaFields(schema['items'] ?? schema['values'] ?? null, prefix);
}

function fieldOf(field: Node, prefix: string): readonly SchemaField[] {
  const path = `${prefix}${field['name'] as string}`;
  const type = field['type'] ?? null;
  const own = { path, type, doc: field['doc'], defaultValue: field['default'] };
  return [own, ...schemaFields(type, `${path}.`)];
}

/** Every named record inside a schema. */
export function schemaRecords(schema: Json): readonly Node[] {
  if (Array.isArray(schema)) return (schema as readonly Json[]).flatMap(schemaRecords);
  if (!isNode(schema)) return [];
  const own = schema['type'] === 'record' ? [schema] : [];
  return [...own, ...Object.values(schema).flatMap(schemaRecords)];
}
