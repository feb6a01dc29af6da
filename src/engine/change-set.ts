import { fingerprint, keyNumber } from './fingerprint.ts';
import type { Value } from './json.ts';
import type { Checkpoint, Published } from './state.ts';

/** The publish modes: `changes` omits records equal to the last one published. */
export const publishModes = ['changes', 'always'] as const;

export type PublishMode = (typeof publishModes)[number];

/** The fingerprint of a key that was requested and had nothing to publish. */
export const nothing = 0n;

/**
 * Returns the records that differ from the last one published for their key, and the new
 * fingerprints.
 */
export function changesOf(
  entries: readonly { readonly key: string; readonly record: Value }[],
  published: Published,
  mode: PublishMode,
): { readonly records: readonly Value[]; readonly published: Published } {
  const records: Value[] = [];
  const changed = new Map<string, bigint>();
  for (const { key, record } of entries) {
    const name = keyNumber(key);
    const print = fingerprint(record);
    const isNew = (changed.get(name) ?? published.get(name)) !== print;
    if (mode === 'always' || isNew) records.push(record);
    if (isNew) changed.set(name, print);
  }
  return { records, published: withEntries(published, changed) };
}

/**
 * Adds entries. Copies the map, which is large, only if there are any: most pages change nothing.
 */
function withEntries(published: Published, changed: Published): Published {
  return changed.size === 0 ? published : new Map([...published, ...changed]);
}

/** Adds keys that had nothing to publish, except keys that were published before. */
export function withNothing(published: Published, keys: readonly string[]): Published {
  const names = keys.map(keyNumber).filter((name) => !published.has(name));
  return withEntries(published, new Map(names.map((name) => [name, nothing])));
}

export interface ListScan {
  /** Every id in the list. */
  readonly present: ReadonlySet<string>;
  /** Ids that may be absent because they expired, as stories do; `all` where every id may. */
  readonly expired: ReadonlySet<string> | 'all';
  /** The number of entries that the account reports; null where it reports none. */
  readonly claimed: number | null;
  /**
   * For a list that the API cuts at its bound: ids of earlier scans that are newer than its oldest
   * entry. The absence of any other id proves nothing: the entry may lie behind the cut.
   */
  readonly beforeCut?: ReadonlySet<string>;
  /** Ids that are absent and not gone yet: a record of theirs is still to come. */
  readonly waiting?: ReadonlySet<string>;
}

/** Returns a test by key number: true for an entry that is not listed, behind the cut, or waiting. */
export function goneBy(scanned: ListScan): (name: string) => boolean {
  const { present, beforeCut, waiting = [] } = scanned;
  const listed = new Set([...present, ...waiting].map(keyNumber));
  if (beforeCut === undefined) return (name) => !listed.has(name);
  const inside = new Set([...beforeCut].map(keyNumber));
  return (name) => inside.has(name) && !listed.has(name);
}

/** The numbers of a suspected truncation: known entries, and those missing in the list. */
export type SuspectedTruncation = Readonly<Record<'known' | 'missing', number>>;

/** The most entries that may be missing at once without suspicion. */
const fewMissing = 3;

/**
 * Returns a suspected truncation when a scan lacks at least half of the known entries. A second
 * scan, after `truncationSuspectedMs`, must lack them too before they count as deleted.
 */
export function suspectTruncation(
  { published, truncationSuspectedMs }: Pick<Checkpoint, 'published' | 'truncationSuspectedMs'>,
  scanned: ListScan,
  nowMs: number,
): SuspectedTruncation | undefined {
  const { present, expired } = scanned;
  if (expired === 'all') return undefined;
  const ended = new Set([...expired].map(keyNumber));
  const listed = new Set([...present].map(keyNumber));
  const isGone = goneBy(scanned);
  const known = [...published.keys()].filter(
    (name) => listed.has(name) || (isGone(name) && !ended.has(name)),
  );
  const missing = known.filter((name) => !listed.has(name)).length;
  const isMuch = missing > fewMissing && missing * 2 >= known.length;
  if (!isMuch && (missing === 0 || present.size > 0)) return undefined;
  const isSecond = truncationSuspectedMs !== null && truncationSuspectedMs < nowMs;
  const isConfirmed = isSecond && !isContradicted(scanned, missing);
  return isConfirmed ? undefined : { known: known.length, missing };
}

/** True when the account's own count includes the missing entries; a cut list has no such count. */
function isContradicted({ present, claimed, beforeCut }: ListScan, missing: number): boolean {
  return claimed !== null && beforeCut === undefined && (claimed - present.size) * 2 >= missing;
}

/** Splits the keys after a scan of the whole list: those that remain, and those that are gone. */
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
