import { keyNumber } from './fingerprint.ts';
import { isoSeconds } from './key.ts';
import type { Checkpoint } from './state.ts';

/**
 * Resets a checkpoint's entries of a record that became a dead letter to those of `before`, so that
 * a later poll that reads the record again publishes it again.
 *
 * @param key - the record's key
 * @param before - the checkpoint of the last state committed
 */
export function forgetUnpublished(
  checkpoint: Checkpoint,
  before: Checkpoint,
  key: string,
): Checkpoint {
  const published = new Map(checkpoint.published);
  // Streams of nodes keep fingerprints by the id, which is the end of the key.
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

/** Resets the day of a key, which consists of the account and the date. */
function daysWithout<T extends { readonly dateMs: number }>(
  days: readonly T[],
  before: readonly T[],
  key: string,
): readonly T[] {
  const isDay = ({ dateMs }: T) => key.endsWith(`/${isoSeconds(dateMs)}`);
  if (!days.some(isDay)) return days;
  return [...days.filter((day) => !isDay(day)), ...before.filter(isDay)].sort(
    (a, b) => a.dateMs - b.dateMs,
  );
}
