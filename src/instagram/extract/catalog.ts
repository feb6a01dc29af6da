import type { Json, Node } from '../../engine/json.ts';

/** An edge of an account that lists media. */
export type Edge = 'media' | 'stories' | 'tags';

/**
 * What an account's list of media was when it was last walked; the streams that live on the same
 * list share it, so that it is walked once for all. Kept in memory alone: a restart walks anew.
 */
export interface Catalog {
  /** Newest first, with the fields that the walk asked for. */
  readonly nodes: readonly Node[];
  /** As it was before the last walk. */
  readonly before: readonly Node[];
  /** When the last walk began, epoch milliseconds; null before the first. */
  readonly walkedMs: number | null;
  /** When the last walk of the whole list began. */
  readonly walkedWholeMs: number | null;
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
  /** Takes a walk in: all that there is, or what is newer than its end. */
  note(walk: Walk): void;
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

/** A walk along a list. */
export interface Walk {
  readonly startedMs: number;
  readonly whole: boolean;
  readonly nodes: readonly Node[];
}

/** The catalogs of all accounts. */
export interface Catalogs {
  of(accountId: string, edge: Edge): Catalog;
}

/** No list was walked yet. */
export function createCatalogs(pageSize: number): Catalogs {
  const catalogs = new Map<string, Catalog>();
  return {
    of(accountId, edge) {
      const key = `${accountId}/${edge}`;
      const catalog = catalogs.get(key) ?? createCatalog(pageSize);
      catalogs.set(key, catalog);
      return catalog;
    },
  };
}

const claimFreshMs = 24 * 3_600_000;

function createCatalog(pageSize: number): Catalog {
  let nodes: readonly Node[] = [];
  let before: readonly Node[] = [];
  let claim = { count: 0, atMs: -Infinity };
  let walkedMs: number | null = null;
  let walkedWholeMs: number | null = null;
  return {
    get nodes() {
      return nodes;
    },
    get before() {
      return before;
    },
    get walkedMs() {
      return walkedMs;
    },
    get walkedWholeMs() {
      return walkedWholeMs;
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
    note(walk) {
      before = nodes;
      walkedMs = walk.startedMs;
      if (walk.whole) walkedWholeMs = walk.startedMs;
      nodes = walk.whole ? walk.nodes : merged(walk.nodes, nodes);
    },
  };
}

/** The newest pages in front of what was known further back. */
function merged(newest: readonly Node[], known: readonly Node[]): readonly Node[] {
  const seen = new Set(newest.map(({ id }) => id));
  return [...newest, ...known.filter(({ id }) => !seen.has(id))];
}
