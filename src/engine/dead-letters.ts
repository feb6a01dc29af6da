import { DeadLetterError, type ErrorCode } from './errors.ts';
import { hash64 } from './fingerprint.ts';
import { type Json, describeJson } from './json.ts';

/** A part of an answer with an unexpected type or value, and its path, such as `children[2].id`. */
interface InvalidPart {
  readonly path: string;
  readonly expected: string;
  readonly received: Json | undefined;
  /** The content of the dead letter: the part, or the smallest part around it with an identity. */
  readonly raw: Json;
}

export function invalidPart(
  { path, expected, received, raw }: InvalidPart,
  code: ErrorCode = 'mapping.invalid',
): DeadLetterError {
  const message = `field "${path}": expected ${expected}, got ${describeJson(received)}`;
  return new DeadLetterError(code, message, { path, raw: JSON.stringify(raw) });
}

/**
 * Reads one part of an answer. A part that is invalid is added to `rejected`, the result is
 * undefined, and its neighbours stay (Invariant 3).
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

/** The most fingerprints of dead letters in a checkpoint, 8 bytes each: as many as media listed. */
export const maxRememberedDeadLetters = 10_000;

/** Signatures of URLs and the time of the poll, which differ in every poll. */
const volatile = /(?<=https?:[^"?\s]*)\?[^"\s]*|"polled_at":\d+/g;

/** The 64-bit fingerprint of a dead letter: equal for the same content and the same reason. */
export function deadLetterFingerprint({
  code,
  path,
  raw,
}: Pick<DeadLetterError, 'code' | 'path' | 'raw'>): bigint {
  return hash64(`${code} ${path} ${raw.replaceAll(volatile, '')}`);
}

/** Adds fingerprints of dead letters to those of the checkpoint, the latest at the end. */
export function withDeadLetters(
  known: readonly bigint[],
  added: readonly bigint[],
): readonly bigint[] {
  if (added.length === 0) return known;
  const latest = new Set(added);
  const older = known.filter((print) => !latest.has(print));
  return [...older, ...latest].slice(-maxRememberedDeadLetters);
}
