import type { SearchedHashtag } from '../../engine/state.ts';
import { maxHashtags } from '../streams/hashtag-media.ts';

const weekMs = 7 * 24 * 3_600_000;

/** True while a hashtag counts; one of the future was counted before the clock was set back. */
function counts({ countedMs }: SearchedHashtag, nowMs: number): boolean {
  return nowMs - countedMs < weekMs;
}

/** The listed hashtags to request now, and those that wait until others no longer count. */
export interface AdmittedHashtags {
  readonly admitted: readonly string[];
  readonly waiting: readonly string[];
}

/**
 * Admits listed hashtags up to the limit: first those that count already, then those that were
 * searched before, then the others, in their order.
 */
export function admitHashtags(
  listed: readonly string[],
  searched: readonly SearchedHashtag[],
  nowMs: number,
): AdmittedHashtags {
  const known = new Set(searched.map(({ name }) => name));
  const counted = new Set(searched.filter((one) => counts(one, nowMs)).map(({ name }) => name));
  const uncounted = listed
    .filter((name) => !counted.has(name))
    .toSorted((a, b) => Number(known.has(b)) - Number(known.has(a)));
  const waiting = new Set(uncounted.slice(Math.max(0, maxHashtags - counted.size)));
  return {
    admitted: listed.filter((name) => !waiting.has(name)),
    waiting: listed.filter((name) => waiting.has(name)),
  };
}

/**
 * Counts a hashtag that is about to be requested, and keeps its id, which is constant. Its seven days
 * are never restarted.
 */
export function withSearched(
  searched: readonly SearchedHashtag[],
  { name, id }: Pick<SearchedHashtag, 'name' | 'id'>,
  nowMs: number,
): readonly SearchedHashtag[] {
  const known = searched.find((one) => one.name === name);
  const isCounted = known !== undefined && counts(known, nowMs);
  const entry = { name, id, countedMs: isCounted ? known.countedMs : nowMs };
  return [...searched.filter((one) => one.name !== name), entry];
}

/** Forgets hashtags that are no longer listed and no longer count (Invariant 10). */
export function rememberedHashtags(
  searched: readonly SearchedHashtag[],
  listed: readonly string[],
  nowMs: number,
): readonly SearchedHashtag[] {
  return searched.filter((one) => listed.includes(one.name) || counts(one, nowMs));
}
