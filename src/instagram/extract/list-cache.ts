import type { Json, Node } from '../../engine/json.ts';

/** An edge of an account that lists media. */
export type Edge = 'media' | 'stories' | 'tags';

/**
 * What an account's list of media was when it was last scanned; the streams that live on the same
 * list share it, so that it is scanned once for all. Kept in memory alone: a restart scans anew.
 */
export interface ListCache {
  /** Newest first, with the fields that the scan asked for. */
  readonly nodes: readonly Node[];
  /** As it was before the last scan. */
  readonly before: readonly Node[];
  /** When the last scan began, epoch milliseconds; null before the first. */
  readonly scannedMs: number | null;
  /** When the last scan of the whole list began. */
  readonly scannedWholeMs: number | null;
  /** When the last poll of the list's own stream began that committed the whole of it. */
  committedWholeMs: number | null;
  /** Nodes a page that the API has last been able to give. */
  pageSize: number;
  /** The pause before each page while the API finds pages too large, milliseconds. */
  pauseMs: number;
  /** How many entries the account has by its own word; null when it said so a day ago, or never. */
  claimed(nowMs: number): number | null;
  /** Takes in what an account says of itself. */
  noteClaim(count: number, nowMs: number): void;
  /** Albums whose children were asked by themselves, because one beside or among them cannot be read. */
  readonly albums: Map<string, Album>;
  /** The parts of a metric by media, where they are read less often than the metric. */
  readonly partsById: Map<string, ReadParts>;
  /** Takes a scan in: all that there is, or what is newer than its end. */
  note(scan: Scan): void;
}

/** The parts of a metric of one media, as they were last read. */
export interface ReadParts {
  /** The metric's value then. */
  readonly total: Json;
  readonly parts: Json;
  /** Epoch milliseconds. */
  readonly readMs: number;
}

/** The children of an album, as they were when they were asked. */
export interface Album {
  /** When, epoch milliseconds. */
  readonly askedMs: number;
  /** Until when they will do, epoch milliseconds. */
  readonly untilMs: number;
  /** Ids of all of them. */
  readonly ids: readonly string[];
  /** Those that can be read. */
  readonly children: readonly Node[];
}

/** A scan along a list. */
export interface Scan {
  readonly startedMs: number;
  readonly whole: boolean;
  readonly nodes: readonly Node[];
}

/** The list caches of all accounts. */
export interface ListCaches {
  of(accountId: string, edge: Edge): ListCache;
}

/** No list was scanned yet. */
export function createListCaches(pageSize: number): ListCaches {
  const caches = new Map<string, ListCache>();
  return {
    of(accountId, edge) {
      const key = `${accountId}/${edge}`;
      const cache = caches.get(key) ?? createListCache(pageSize);
      caches.set(key, cache);
      return cache;
    },
  };
}

const claimFreshMs = 24 * 3_600_000;

function createListCache(pageSize: number): ListCache {
  let nodes: readonly Node[] = [];
  let before: readonly Node[] = [];
  let claim = { count: 0, atMs: -Infinity };
  let scannedMs: number | null = null;
  let scannedWholeMs: number | null = null;
  return {
    get nodes() {
      return nodes;
    },
    get before() {
      return before;
    },
    get scannedMs() {
      return scannedMs;
    },
    get scannedWholeMs() {
      return scannedWholeMs;
    },
    committedWholeMs: null,
    pageSize,
    pauseMs: 0,
    claimed: (nowMs) => (Math.abs(nowMs - claim.atMs) < claimFreshMs ? claim.count : null),
    noteClaim(count, atMs) {
      claim = { count, atMs };
    },
    albums: new Map(),
    partsById: new Map(),
    note(scan) {
      before = nodes;
      scannedMs = scan.startedMs;
      if (scan.whole) scannedWholeMs = scan.startedMs;
      nodes = scan.whole ? scan.nodes : merged(scan.nodes, nodes);
    },
  };
}

/** The newest pages in front of what was known further back. */
function merged(newest: readonly Node[], known: readonly Node[]): readonly Node[] {
  const seen = new Set(newest.map(({ id }) => id));
  return [...newest, ...known.filter(({ id }) => !seen.has(id))];
}
