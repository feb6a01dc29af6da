import { fingerprint, keyNumber } from './fingerprint.ts';
import type { Value } from './json.ts';
import type { Published } from './published.ts';
import type { Checkpoint } from './state.ts';

/** Whether a record that says nothing new is published again. */
export const publishModes = ['changes', 'always'] as const;

/** One of `publishModes`. */
export type PublishMode = (typeof publishModes)[number];

/** The fingerprint of what was asked for and had nothing to publish. */
export const nothing = 0n;

/** A record and its key. */
export interface Keyed {
  readonly key: string;
  readonly record: Value;
}

/** Which records are worth publishing, and what has been published then. */
export interface Changes {
  readonly records: readonly Value[];
  readonly published: Published;
}

/** Keeps what differs from what was last published under its key. */
export function changesOf(
  found: readonly Keyed[],
  published: Published,
  mode: PublishMode,
): Changes {
  const records: Value[] = [];
  const news = new Map<string, bigint>();
  for (const { key, record } of found) {
    const name = keyNumber(key);
    const print = fingerprint(record);
    const isNew = (news.get(name) ?? published.get(name)) !== print;
    if (mode === 'always' || isNew) records.push(record);
    if (isNew) news.set(name, print);
  }
  // What is remembered is large, and most pages of most polls bring no news.
  return { records, published: news.size === 0 ? published : new Map([...published, ...news]) };
}

/** Remembers what was asked for and had nothing, unless something was published before. */
export function withNothing(published: Published, keys: readonly string[]): Published {
  const names = keys.map(keyNumber).filter((name) => !published.has(name));
  return names.length === 0
    ? published
    : new Map([...published, ...names.map((name) => [name, nothing] as const)]);
}

/** What a scan of a whole list found. */
export interface ListScan {
  /** Every id that there is. */
  readonly present: ReadonlySet<string>;
  /** Ids that need not be listed any more, because their time is over; `all` where none need. */
  readonly expired: ReadonlySet<string> | 'all';
  /** How many the account says that there are; null where it has not said. */
  readonly claimed: number | null;
  /**
   * Of a list that the API cuts at its bound: ids of earlier scans that are newer than its oldest
   * entry. The absence of any other id says nothing, since it may lie behind the cut.
   */
  readonly beforeCut?: ReadonlySet<string>;
}

/** Tells by its key number whether an entry is gone: not listed, nor behind the list's cut. */
export function goneBy({ present, beforeCut }: ListScan): (name: string) => boolean {
  const listed = new Set([...present].map(keyNumber));
  if (beforeCut === undefined) return (name) => !listed.has(name);
  const inside = new Set([...beforeCut].map(keyNumber));
  return (name) => inside.has(name) && !listed.has(name);
}

/** So much is missing in a list that it may be the list that is wrong. */
export interface Doubt {
  readonly known: number;
  readonly missing: number;
}

/** So few may go at once in any account. */
const fewMissing = 3;

/**
 * Whether a scan lacks so much of what is known, half of it or all, that another one has to lack it
 * too before it is taken for gone.
 *
 * @param memory - `doubtedMs` is when the scan before was doubted
 */
export function doubtOf(
  { published, doubtedMs }: Pick<Checkpoint, 'published' | 'doubtedMs'>,
  scanned: ListScan,
  nowMs: number,
): Doubt | undefined {
  const { present, expired } = scanned;
  if (expired === 'all') return undefined;
  const over = new Set([...expired].map(keyNumber));
  const listed = new Set([...present].map(keyNumber));
  const isGone = goneBy(scanned);
  const known = [...published.keys()].filter(
    (name) => listed.has(name) || (isGone(name) && !over.has(name)),
  );
  const missing = known.filter((name) => !listed.has(name)).length;
  const isMuch = missing > fewMissing && missing * 2 >= known.length;
  if (!isMuch && (missing === 0 || present.size > 0)) return undefined;
  const isSecond = doubtedMs !== null && doubtedMs < nowMs;
  return isSecond && !isDenied(scanned, missing) ? undefined : { known: known.length, missing };
}

/**
 * By the account's own word they are still there, however often the list comes without them. It says
 * nothing of a list that is cut.
 */
function isDenied({ present, claimed, beforeCut }: ListScan, missing: number): boolean {
  return claimed !== null && beforeCut === undefined && (claimed - present.size) * 2 >= missing;
}

/** What is left of the keys after a scan of the whole list, and the keys that are gone. */
export function withoutGone(
  published: Published,
  scanned: ListScan,
): { readonly published: Published; readonly gone: readonly string[] } {
  const isGone = goneBy(scanned);
  const gone = [...published].filter(([name]) => isGone(name));
  if (gone.length === 0) return { published, gone: [] };
  return {
    published: new Map([...published].filter(([name]) => !isGone(name))),
    gone: gone.filter(([, print]) => print !== nothing).map(([name]) => name),
  };
}
