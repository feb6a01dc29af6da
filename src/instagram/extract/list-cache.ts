import type { Json, Node } from '../../engine/json.ts';

/** An edge of an account that lists media. */
export type Edge = 'media' | 'stories' | 'tags';

/**
 * The media list of one account at its last scan. Streams that read the same list share it, so that
 * it is scanned once for all. The cache is kept in memory only: a restart scans again.
 */
export interface ListCache {
  /** The nodes, newest first, with the fields that the scan requested. */
  readonly nodes: readonly Node[];
  /** The nodes before the last scan. */
  readonly before: readonly Node[];
  /** Start of the last scan, epoch milliseconds; null before the first. */
  readonly scannedMs: number | null;
  /** Start of the last scan of the whole list, epoch milliseconds; null before the first. */
  readonly scannedWholeMs: number | null;
  /** Start of the last poll that committed the whole list, by the list's own stream. */
  committedWholeMs: number | null;
  /** The page size that the API last accepted, nodes. */
  pageSize: number;
  /** The pause before each page while the API rejects pages as too large, milliseconds. */
  pauseMs: number;
  /** The `media_count` that the account last reported; null when it is missing or a day old. */
  reportedCount(nowMs: number): number | null;
  /** Records the `media_count` of an account. */
  noteReportedCount(count: number, nowMs: number): void;
  /** Albums whose children were requested apart from the page, because a child cannot be read. */
  readonly albums: Map<string, Album>;
  /** The parts of a metric by media; they are read less often than the metric. */
  readonly partsById: Map<string, ReadParts>;
  /** Records a scan of the whole list, or of its newest pages. */
  note(scan: Scan): void;
}

/** The last reading of a metric's parts for one media. */
export interface ReadParts {
  /** The metric's value at that time. */
  readonly total: Json;
  readonly parts: Json;
  /** Epoch milliseconds. */
  readonly readMs: number;
}

/** The cached children of an album. */
export interface Album {
  /** The time of the request, epoch milliseconds. */
  readonly requestedMs: number;
  /** The end of their lifetime, epoch milliseconds. */
  readonly untilMs: number;
  /** Ids of all children. */
  readonly ids: readonly string[];
  /** The children that can be read. */
  readonly children: readonly Node[];
}

/** The result of a list scan. */
export interface Scan {
  readonly startedMs: number;
  readonly whole: boolean;
  readonly nodes: readonly Node[];
}

/** The list caches of all accounts. */
export interface ListCaches {
  of(accountId: string, edge: Edge): ListCache;
}

/** Creates empty list caches. */
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

const reportFreshMs = 24 * 3_600_000;

function createListCache(pageSize: number): ListCache {
  let nodes: readonly Node[] = [];
  let before: readonly Node[] = [];
  let report = { count: 0, atMs: -Infinity };
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
    reportedCount: (nowMs) => (Math.abs(nowMs - report.atMs) < reportFreshMs ? report.count : null),
    noteReportedCount(count, atMs) {
      report = { count, atMs };
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

/** Puts the newest pages in front of the older known nodes. */
function merged(newest: readonly Node[], known: readonly Node[]): readonly Node[] {
  const seen = new Set(newest.map(({ id }) => id));
  return [...newest, ...known.filter(({ id }) => !seen.has(id))];
}
