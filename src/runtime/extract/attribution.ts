import type { ConnectorError } from '../../core/errors.ts';
import type { Listed } from '../../core/refusals.ts';

/** An object that was not answered, and the error that came in its place. */
export interface Failed {
  readonly listed: Listed;
  readonly error: ConnectorError;
}

/** What decides whether an error is an object's own. */
export interface Evidence<T> {
  /** Whether any of the objects that were requested with it was answered. */
  readonly isAnswered: boolean;
  /** Other objects of the list, of which some are requested when none was answered. */
  readonly controls: readonly T[];
  readonly areAnswered: (controls: readonly T[]) => Promise<boolean>;
}

/** So many others are requested to find out whether an error is common to all. */
const controlSample = 3;

/**
 * The objects whose error is their own: others are answered. An error of everything that was
 * requested, and of a sample of the rest, says nothing about a single object.
 *
 * @throws the first error, when no object is answered
 */
export async function attribute<T>(
  failed: readonly Failed[],
  { isAnswered, controls, areAnswered }: Evidence<T>,
): Promise<readonly Failed[]> {
  const [first] = failed;
  if (first === undefined || isAnswered) return failed;
  const sample = spread(controls, controlSample);
  if (sample.length > 0 && (await areAnswered(sample))) return failed;
  throw first.error;
}

/** Some of a list: its first, its last, and what lies evenly between. */
function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  const step = (list.length - 1) / (count - 1);
  return list.filter((_, index) => Math.round(Math.round(index / step) * step) === index);
}
