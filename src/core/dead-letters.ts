import { hash64 } from './fingerprint.ts';

/** What says that two dead letters are about the same. */
export interface Letter {
  readonly code: string;
  readonly path: string;
  readonly raw: string;
}

/**
 * So many dead letters of a stream and account are remembered, 8 bytes each: as many as the API
 * lists media, so that not even a list of which nothing can be used is dead-lettered twice.
 */
export const rememberedLetters = 10_000;

/** Signatures of URLs and the time of the poll, which differ at every poll. */
const fleeting = /(?<=https?:[^"?\s]*)\?[^"\s]*|"polled_at":\d+/g;

/** 64 bits of a dead letter that are equal when the same came and was refused for the same reason. */
export function letterPrint({ code, path, raw }: Letter): bigint {
  return hash64(`${code} ${path} ${raw.replaceAll(fleeting, '')}`);
}

/** What is remembered after these dead letters, the latest at the end. */
export function withLetters(known: readonly bigint[], met: readonly bigint[]): readonly bigint[] {
  if (met.length === 0) return known;
  const latest = new Set(met);
  const older = known.filter((print) => !latest.has(print));
  return [...older, ...latest].slice(-rememberedLetters);
}
