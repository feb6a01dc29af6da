import { SkipError, type ErrorCode, type Skipped } from '../../engine/errors.ts';
import { type Fields, pathsOf, rejectedAfter } from '../model/fields.ts';

/** True when the account itself is gone or hidden, or a limit is reported as such an error. */
export function isOfAccount(error: unknown): boolean {
  return (
    error instanceof SkipError && (error.code === 'graph.ambiguous' || error.code === 'graph.gone')
  );
}

/** The metrics that a rejection of an account's insights excludes, and the reason. */
export interface ExcludedMetrics {
  readonly reason: ErrorCode;
  readonly subjects: readonly string[];
  /** True when the API named them; false when too few people are counted for all of them. */
  readonly named: boolean;
}

/** Finds the metrics that a rejection excludes. @throws the error itself when there are none */
export function excludedBy(error: unknown, requested: readonly string[]): ExcludedMetrics {
  if (!(error instanceof SkipError)) throw error;
  const { code: reason } = error;
  const named = requested.filter((metric) => error.subjects.includes(metric));
  if (named.length > 0 && !isOfAccount(error)) return { reason, subjects: named, named: true };
  if (reason !== 'graph.not-enough-users') throw error;
  return { reason, subjects: requested, named: false };
}

/**
 * Sends a request, and repeats it without each field that the API names as unknown or not
 * permitted: one such field fails the whole request.
 * @param skipped - receives one entry for each excluded field, by its path
 * @param fields - the requested fields, when some are within lists
 * @throws every other error of `request`, and a rejection that names no further field
 */
export async function withoutRejectedFields<T>(
  skipped: Skipped[],
  request: (excluded: ReadonlySet<string>) => Promise<T>,
  fields: Fields = {},
): Promise<T> {
  const before = excludedFields(skipped);
  for (let excluded = before; ;) {
    try {
      const answer = await request(excluded);
      for (const subject of excluded) {
        if (!before.has(subject)) skipped.push({ reason: 'graph.field-refused', subject });
      }
      return answer;
    } catch (error) {
      excluded = newlyRejected(error, excluded, fields);
    }
  }
}

/** Returns the fields that were excluded so far. */
export function excludedFields(skipped: readonly Skipped[]): ReadonlySet<string> {
  const fields = skipped.filter(({ reason }) => reason === 'graph.field-refused');
  return new Set(fields.map(({ subject }) => subject));
}

/** @throws the error when it names no field that can still be excluded */
function newlyRejected(
  error: unknown,
  excluded: ReadonlySet<string>,
  fields: Fields,
): ReadonlySet<string> {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') throw error;
  const after = error.subjects.reduce(
    (sofar, name) => rejectedAfter(name, pathsOf(name, fields), sofar) ?? sofar,
    excluded,
  );
  if (after === excluded) throw error;
  return after;
}
