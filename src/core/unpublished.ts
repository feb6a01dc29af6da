import { keyNumber } from './fingerprint.ts';
import { isoSeconds } from './graph-time.ts';
import type { Memory } from './state.ts';

/**
 * The memory without what it says of a record that was to be published and became a dead letter: in
 * its place what `before` remembers, so that the record is tried again when it is asked again.
 *
 * @param key - the record's key
 * @param before - the memory of the last state committed
 */
export function forgetUnpublished(memory: Memory, before: Memory, key: string): Memory {
  const name = keyNumber(key);
  const published = new Map(memory.published);
  const print = before.published.get(name);
  if (print === undefined) published.delete(name);
  else published.set(name, print);
  return { ...memory, published, days: daysWithout(memory, before, key) };
}

/** Days are keyed by the account and their date. */
function daysWithout(memory: Memory, before: Memory, key: string): Memory['days'] {
  const isIt = ({ dateMs }: { readonly dateMs: number }) => key.endsWith(`/${isoSeconds(dateMs)}`);
  if (!memory.days.some(isIt)) return memory.days;
  return [...memory.days.filter((day) => !isIt(day)), ...before.days.filter(isIt)].sort(
    (a, b) => a.dateMs - b.dateMs,
  );
}
