import { SkipError, type Skipped } from '../../engine/errors.ts';
import { type Fields, pathsOf, rejectedAfter } from '../model/fields.ts';

/** True when the account itself is gone or hidden, or a limit is reported as such an error. */
export function isOfAccount(error: unknown): boolean {
  return (
    error instanceof SkipError && (error.code === 'graph.ambiguous' || error.code === 'graph.gone')
  );
}

/**
 * Finds the metrics that a rejection excludes: those `named`, or all when too few people are counted.
 * @throws the error itself when it excludes none
 */
export function excludedBy(error: unknown, requested: readonly string[]) {
  if (!(error instanceof SkipError)) throw error;
  const { code: reason } = error;
  const named = requested.filter((metric) => error.subjects.includes(metric));
  if (named.length > 0 && !isOfAccount(error)) return { reason, subjects: named, named: true };
  if (reason !== 'graph.not-enough-users') throw error;
  return { reason, subjects: requested, named: false };
}

/**
 * Sends a request, and repeats it without each field that the API rejects: one fails the whole
 * request. `skipped` receives the path of each excluded field; `fields` are given when some are
 * within lists.
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
