import { DeadLetterError, type ErrorCode } from './errors.ts';
import { hash64 } from './fingerprint.ts';
import { type Json, describeJson } from './json.ts';

/** A part of an answer that is not what it has to be. */
export interface InvalidPart {
  /** Its place, as `children[2].id`. */
  readonly path: string;
  readonly expected: string;
  readonly came: Json | undefined;
  /** The content of the dead letter: the part, or the smallest piece around it that identifies its record. */
  readonly raw: Json;
}

/** The dead letter of an invalid part, which its path names. */
export function invalidPart(
  { path, expected, came, raw }: InvalidPart,
  code: ErrorCode = 'mapping.invalid',
): DeadLetterError {
  const message = `field "${path}": expected ${expected}, got ${describeJson(came)}`;
  return new DeadLetterError(code, message, { path, raw: JSON.stringify(raw) });
}

/**
 * Reads one part of an answer. A part that is invalid is added to `rejected`, and its neighbours stay
 * (Invariant 3).
 *
 * @returns undefined for a part that was rejected
 * @throws whatever `read` throws but a DeadLetterError
 */
export function readOrReject<T>(rejected: DeadLetterError[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DeadLetterError)) throw error;
    rejected.push(error);
    return undefined;
  }
}

/** What says that two dead letters are about the same. */
export interface UnusablePart {
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
export function deadLetterFingerprint({ code, path, raw }: UnusablePart): bigint {
  return hash64(`${code} ${path} ${raw.replaceAll(fleeting, '')}`);
}

/** What is remembered after these dead letters, the latest at the end. */
export function withDeadLetters(
  known: readonly bigint[],
  met: readonly bigint[],
): readonly bigint[] {
  if (met.length === 0) return known;
  const latest = new Set(met);
  const older = known.filter((print) => !latest.has(print));
  return [...older, ...latest].slice(-rememberedLetters);
}
