/** Draws a number in [0, 1) that depends only on the name. */
export type Draw = (name: string) => number;

const FRACTION = 2 ** 53;
/** Local constants: in tests each access to a global costs more than the arithmetic. */
const { floor, imul } = Math;

/**
 * Creates a source of reproducible randomness. Draws are named instead of ordered, so that later
 * content (a new post) never shifts earlier draws.
 */
export function createDraw(seed: string): Draw {
  return (name) => hash53(`${seed}/${name}`) / FRACTION;
}

/** Returns an integer in [min, max]. */
export function drawInteger(fraction: number, min: number, max: number): number {
  return min + floor(fraction * (max - min + 1));
}

/** Returns an element of a non-empty list. */
export function drawOne<T>(fraction: number, list: readonly [T, ...T[]]): T {
  return list[floor(fraction * list.length)] ?? list[0];
}

/** Returns `length` decimal digits, from as many draws as it takes. */
export function drawDigits(draw: Draw, name: string, length: number): string {
  const first = `${floor(draw(`${name}/a`) * 1e12)}`.padStart(12, '0');
  const second = `${floor(draw(`${name}/b`) * 1e12)}`.padStart(12, '0');
  return (first + second).slice(0, length);
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Returns `length` letters and digits. */
export function drawText(draw: Draw, name: string, length: number): string {
  let text = '';
  for (let index = 0; index < length; index += 1) {
    text += LETTERS.charAt(floor(draw(`${name}/${index}`) * LETTERS.length));
  }
  return text;
}

/** Computes two interleaved 32-bit multiplicative hashes, folded into 53 bits. */
function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = imul(high ^ unit, 2654435761);
    low = imul(low ^ unit, 1597334677);
  }
  high = imul(high ^ (high >>> 16), 2246822507) ^ imul(low ^ (low >>> 13), 3266489909);
  low = imul(low ^ (low >>> 16), 2246822507) ^ imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
