import type { Value } from './json.ts';

/**
 * Returns the 64-bit fingerprint of a record, without `polled_at` and the signatures of URLs, which
 * differ in every poll. Two different records share a fingerprint once in 2^64.
 */
export function fingerprint(record: Value): bigint {
  return hash64(JSON.stringify(record, withoutVolatile));
}

const maxNumber = 2n ** 64n;
/** Read once: in a `node:vm` context each read of a global costs more than the multiplication. */
const { imul } = Math;

/** Returns a key in 64 bits as a decimal text: a numeric id itself, else a hash of the key. */
export function keyNumber(key: string): string {
  return /^[1-9]\d{0,19}$/.test(key) && BigInt(key) < maxNumber ? key : String(hash64(key));
}

/** Omits volatile values. Fields are in declaration order: equal records give equal texts. */
function withoutVolatile(name: string, value: unknown): unknown {
  if (name === 'polled_at') return undefined;
  return typeof value === 'string' ? withoutSignature(name, value) : value;
}

/** Returns a field's text; a URL without its query, whose signature differs in every poll. */
export function withoutSignature(name: string, text: string): string {
  return name.endsWith('_url') ? (text.split('?', 1)[0] ?? '') : text;
}

/** Hashes UTF-16 units by two 32-bit halves of multiply and xor, mixed as in MurmurHash3. */
export function hash64(text: string): bigint {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = imul(high ^ unit, 0x9e3779b1);
    low = imul(low ^ unit, 0x5f356495);
  }
  const mixedHigh = mix(high ^ imul(low, 0xcc9e2d51) ^ text.length);
  const mixedLow = mix(low ^ imul(high, 0x1b873593));
  return (BigInt(mixedHigh) << 32n) | BigInt(mixedLow);
}

/** MurmurHash3's finalizer: every input bit affects every output bit. */
function mix(bits: number): number {
  let mixed = imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Returns a number from 0 to below `below` that depends on the text alone and is spread evenly. */
export function spreadOf(text: string, below: number): number {
  return Number(hash64(text) % BigInt(below));
}
