import type { Value } from './json.ts';

/**
 * 64 bits of a record that are equal when it says the same: `polled_at` and the signatures of URLs
 * aside, which differ at every poll. Two records that differ share one once in 2^64.
 */
export function fingerprint(record: Value): bigint {
  return hash64(JSON.stringify(record, withoutFleeting));
}

const maxNumber = 2n ** 64n;
/** Taken out once: in a context of `node:vm` each look at a global costs more than the multiplication. */
const { imul } = Math;

/** A key in 64 bits, as a decimal text: the id itself where it is one, else a hash. */
export function keyNumber(key: string): string {
  return /^[1-9]\d{0,19}$/.test(key) && BigInt(key) < maxNumber ? key : String(hash64(key));
}

/** Fields are in the order of the stream's declaration, so that equal records give equal texts. */
function withoutFleeting(name: string, value: unknown): unknown {
  if (name === 'polled_at') return undefined;
  return name.endsWith('_url') && typeof value === 'string' ? value.split('?', 1)[0] : value;
}

/** Two lanes of multiply and xor over UTF-16 units, mixed at the end as MurmurHash3 does. */
export function hash64(text: string): bigint {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    high = imul(high ^ unit, 0x9e3779b1);
    low = imul(low ^ unit, 0x5f356495);
  }
  const mixedHigh = mix(high ^ imul(low, 0xcc9e2d51) ^ text.length);
  const mixedLow = mix(low ^ imul(high, 0x1b873593));
  return (BigInt(mixedHigh) << 32n) | BigInt(mixedLow);
}

/** MurmurHash3's finalizer: every bit in changes every bit out. */
function mix(bits: number): number {
  let mixed = imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A number from 0 below `below` that depends on the text alone, to spread things evenly. */
export function spreadOf(text: string, below: number): number {
  return Number(hash64(text) % BigInt(below));
}
