import type { Json } from '../core/json.ts';

/**
 * Worth the slower parse: a bare number (after `:`, `,` or `[`) of 16 digits or more, or with an
 * exponent. The same within a text costs time and nothing else.
 */
const bareLongNumber = /[:,[]\s*-?(?:\d{16,}|[\d.]+[eE])/;

/**
 * Parses JSON without rounding: a whole number beyond ±2^53 stays the text that it was written as
 * (`"ig_id":17841405309211844123` becomes `'17841405309211844123'`). The mapper then decides by
 * type: an id is taken as it is, where a count is expected a text is refused (Invariant 5).
 *
 * @throws SyntaxError when the text is not JSON, RangeError when it is nested too deeply
 */
export function parseJsonBody(text: string): Json {
  if (!bareLongNumber.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, keepUnsafeIntegers as (key: string, value: unknown) => unknown) as Json;
}

/** `context.source` is the number's own text, in V8 since Node 21; TypeScript's reviver lacks it. */
function keepUnsafeIntegers(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const exact = Number.isFinite(value) && !Number.isInteger(value);
  return exact ? value : (context.source ?? value);
}
