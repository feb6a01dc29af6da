import type { Json } from '../../engine/json.ts';

/** A bare number of 16 digits or more, or with an exponent; a match in a text costs only time. */
const bareLongNumber = /[:,[]\s*-?(?:\d{16,}|[\d.]+[eE])/;

/**
 * A possibly unpaired surrogate: a UTF-16 escape without an escape of the other half beside it. An
 * escaped backslash may hide an escape, so it matches too.
 */
const maybeUnpaired =
  /\\\\u[dD]|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]/;
/** Every escape of a text, a pair as one match; the group captures an unpaired surrogate. */
const escapes = /\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u([dD][89a-fA-F][\da-fA-F]{2})|\\./g;

/** Replaces unpaired surrogates, as of an emoji that Meta has cut, by U+FFFD in texts and names. */
function wellFormed(text: string): string {
  if (!maybeUnpaired.test(text)) return text;
  return text.replace(escapes, (escape, unpaired?: string) =>
    unpaired === undefined ? escape : '\\ufffd',
  );
}

/**
 * Parses JSON without rounding: a whole number beyond ±2^53 becomes its own text, which the mapper
 * accepts as an id and rejects as a count (Invariant 5). Texts are well-formed, as Avro requires.
 * @throws SyntaxError when the text is not JSON, RangeError when it is nested too deeply
 */
export function parseJsonBody(body: string): Json {
  const text = wellFormed(body);
  if (!bareLongNumber.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, keepUnsafeIntegers as (key: string, value: unknown) => unknown) as Json;
}

/** Keeps an unsafe integer as its text: `context.source`, in V8 since Node 21, missing in TypeScript's types. */
function keepUnsafeIntegers(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const exact = Number.isFinite(value) && !Number.isInteger(value);
  return exact ? value : (context.source ?? value);
}
