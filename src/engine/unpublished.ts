import { keyNumber } from './fingerprint.ts';
import { isoSeconds } from './key.ts';
import type { Checkpoint } from './state.ts';

/**
 * The memory without what it says of a record that was to be published and became a dead letter: in
 * its place what `before` remembers, so that the record is tried again when it is asked again.
 *
 * @param key - the record's key
 * @param before - the memory of the last state committed
 */
export function forgetUnpublished(
  checkpoint: Checkpoint,
  before: Checkpoint,
  key: string,
): Checkpoint {
  const published = new Map(checkpoint.published);
  // Lists remember by the id, with which the key ends.
  for (const name of [key, key.split('/').at(-1) ?? key].map(keyNumber)) {
    const print = before.published.get(name);
    if (print === undefined) published.delete(name);
    else published.set(name, print);
  }
  const days = daysWithout(checkpoint.days, before.days, key);
  return {
    ...checkpoint,
    published,
    days,
    totals: daysWithout(checkpoint.totals, before.totals, key),
  };
}

/** Days are keyed by the account and their date. */
function daysWithout<T extends { readonly dateMs: number }>(
  days: readonly T[],
  before: readonly T[],
  key: string,
): readonly T[] {
  const isIt = ({ dateMs }: T) => key.endsWith(`/${isoSeconds(dateMs)}`);
  if (!days.some(isIt)) return days;
  return [...days.filter((day) => !isIt(day)), ...before.filter(isIt)].sort(
    (a, b) => a.dateMs - b.dateMs,
  );
}
