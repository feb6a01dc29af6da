/** Any JSON value: the result of `JSON.parse`, typed so that it must be checked before its use. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object as the Graph API sends it. */
export type Node = Readonly<Record<string, Json>>;

/** A mapped value, as in its Avro schema: timestamps are epoch milliseconds, ids are strings. */
export type Value = Readonly<Record<string, Json>>;

/** Parses a JSON text; undefined for another text. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** True for a JSON object (not null, not an array). */
export function isNode(value: Json | undefined): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entries of a list; PHP also writes an empty list as `{}` or null. Undefined otherwise. */
export function listOf(value: Json | undefined): readonly Json[] | undefined {
  if (Array.isArray(value)) return value as readonly Json[];
  const isEmpty = value === null || (isNode(value) && Object.keys(value).length === 0);
  return isEmpty ? [] : undefined;
}

/** Returns the type of a JSON value for an error message: `null`, `list`, `object`, `string` … */
export function describeJson(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value;
}
