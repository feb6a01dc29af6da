/** Any JSON value. What `JSON.parse` gives, typed so that it must be looked at before it is used. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object as the Graph API sends it. */
export type Node = Readonly<Record<string, Json>>;

/** A mapped value, as its Avro schema has it: timestamps are epoch milliseconds, ids are strings. */
export type Value = Readonly<Record<string, Json>>;

/** Whether a JSON value is an object (not null, not an array). */
export function isNode(value: Json | undefined): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entries of a list; PHP writes an empty list as `{}` or null, too. Undefined for other values. */
export function listOf(value: Json | undefined): readonly Json[] | undefined {
  if (Array.isArray(value)) return value as readonly Json[];
  const isEmpty = value === null || (isNode(value) && Object.keys(value).length === 0);
  return isEmpty ? [] : undefined;
}

/** What a JSON value is, in the words of an error message: `null`, `list`, `object`, `string` … */
export function describeJson(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value;
}
