import { keyNumber } from './fingerprint.ts';
import { isoSeconds } from './key.ts';
import type { Checkpoint } from './state.ts';

/**
 * Resets a checkpoint's entries of records that became dead letters to those of `before`, the last
 * state committed: a later poll that reads the records again publishes them again.
 */
export function forgetUnpublished(
  checkpoint: Checkpoint,
  before: Checkpoint,
  keys: readonly string[],
): Checkpoint {
  if (keys.length === 0) return checkpoint;
  const published = new Map(checkpoint.published);
  // Streams of nodes keep fingerprints by the id, which is the end of the key.
  for (const name of keys.flatMap((key) => [key, key.split('/').at(-1) ?? key]).map(keyNumber)) {
    const print = before.published.get(name);
    if (print === undefined) published.delete(name);
    else published.set(name, print);
  }
  const days = daysWithout(checkpoint.days, before.days, keys);
  const totals = daysWithout(checkpoint.totals, before.totals, keys);
  return { ...checkpoint, published, days, totals };
}

/** Resets the days of keys, each of which consists of the account and the date. */
function daysWithout<T extends { readonly dateMs: number }>(
  days: readonly T[],
  before: readonly T[],
  keys: readonly string[],
): readonly T[] {
  const isReset = ({ dateMs }: T) => keys.some((key) => key.endsWith(`/${isoSeconds(dateMs)}`));
  if (!days.some(isReset)) return days;
  const others = days.filter((day) => !isReset(day));
  return [...others, ...before.filter(isReset)].sort((a, b) => a.dateMs - b.dateMs);
}
