import type { Context, GraphNode } from '../context.ts';
import type { FieldRequest } from '../fields-parser.ts';
import type { Json, JsonObject } from '../json.ts';

/** Renders the requested fields in the requested order; `id` is always present. */
export function renderNode(
  node: GraphNode,
  fields: readonly FieldRequest[] | undefined,
  context: Context,
): JsonObject {
  const requested = fields ?? node.defaultFields.map(plainField);
  const rendered: Record<string, Json> = {};
  for (const field of requested) {
    const value = node.field(field, context);
    if (value !== undefined) {
      rendered[field.key] = value;
    }
  }
  if (!('id' in rendered)) {
    rendered['id'] = node.id;
  }
  return rendered;
}

/** Creates a field without modifiers. */
function plainField(name: string): FieldRequest {
  return { name, key: name, parameters: new Map() };
}
