import type { Json } from '../../engine/json.ts';

/**
 * Worth the slower parse: a bare number (after `:`, `,` or `[`) of 16 digits or more, or with an
 * exponent. The same within a text costs time and nothing else.
 */
const bareLongNumber = /[:,[]\s*-?(?:\d{16,}|[\d.]+[eE])/;

/**
 * A half of a surrogate pair that may lack the other: a UTF-16 escape without one of the other half
 * beside it. A backslash that is itself escaped hides what it stands before.
 */
const maybeLone =
  /\\\\u[dD]|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]/;
/** Every escape of a text, pairs as one; the group is a half without the other. */
const escapes = /\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u([dD][89a-fA-F][\da-fA-F]{2})|\\./g;

/** Texts and names well-formed: half a pair, as of an emoji that Meta has cut, becomes U+FFFD. */
function wellFormed(text: string): string {
  if (!maybeLone.test(text)) return text;
  return text.replace(escapes, (escape, lone?: string) =>
    lone === undefined ? escape : '\\ufffd',
  );
}

/**
 * Parses JSON without rounding: a whole number beyond ±2^53 stays the text that it was written as
 * (`"ig_id":17841405309211844123` becomes `'17841405309211844123'`). The mapper then decides by
 * type: an id is taken as it is, where a count is expected a text is rejected (Invariant 5). Texts are
 * well-formed, as Avro and UTF-8 ask for.
 *
 * @throws SyntaxError when the text is not JSON, RangeError when it is nested too deeply
 */
export function parseJsonBody(body: string): Json {
  const text = wellFormed(body);
  if (!bareLongNumber.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, keepUnsafeIntegers as (key: string, value: unknown) => unknown) as Json;
}

/** `context.source` is the number's own text, in V8 since Node 21; TypeScript's reviver lacks it. */
function keepUnsafeIntegers(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const exact = Number.isFinite(value) && !Number.isInteger(value);
  return exact ? value : (context.source ?? value);
}
