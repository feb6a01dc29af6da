import type { Login } from '../../engine/account.ts';
import type { Json, Node } from '../../engine/json.ts';
import type { Page, SourcePoll } from '../../engine/source.ts';
import type { Tier } from '../model/freshness.ts';
import { PageSize } from './page-size.ts';

export interface SourceSettings {
  readonly login: Login;
  readonly startDateMs: number | null;
  /** Nodes per page of a list, 1 to 100. */
  readonly pageSize: number;
  readonly freshness: Freshness;
  /** The time for which an ended story waits for its webhook; 0 where webhooks are off. */
  readonly storyFinalWaitMs: number;
  readonly publicContent: PublicContent;
}

/** The public content of others to read. */
export interface PublicContent {
  /** User names of accounts, in lower case, without `@`. */
  readonly users: readonly string[];
  /** The age of media at which a reading of an account's media ends, milliseconds. */
  readonly mediaAgeMs: number;
  /** Hashtags in lower case, without `#`. */
  readonly hashtags: readonly string[];
  /** The most pages of each list of a hashtag in a poll: a popular one has no end (Invariant 10). */
  readonly hashtagPages: number;
}

export const noPublicContent: PublicContent = {
  users: [],
  mediaAgeMs: 0,
  hashtags: [],
  hashtagPages: 0,
};

/** The context of one extraction: the settings, the poll and the list caches. */
export interface ExtractContext extends SourceSettings, Omit<SourcePoll, 'stream'> {
  readonly caches: ListCaches;
}

export interface Freshness {
  readonly tiers: readonly Tier[];
  /** The period of whole list scans; other scans read the newest pages only. */
  readonly wholeListMs: number;
  /** The age of media at which a scan of the newest pages ends. */
  readonly newestMs: number;
}

/** A stream's nodes for one account, page by page; each page may become a batch. */
export type Extraction = AsyncGenerator<Page, void, undefined>;

/** A metric of a media that was read in a request of its own. */
export interface SeparateReading {
  readonly mediaId: string;
  /** The total of the metric at that time, where its parts were read; else null. */
  readonly total: Json;
  /** Null where the API has none. */
  readonly value: Json;
  readonly readMs: number;
}

export interface Album {
  readonly requestedMs: number;
  /** The end of their lifetime, epoch milliseconds. */
  readonly untilMs: number;
  readonly ids: readonly string[];
  /** The children that can be read. */
  readonly children: readonly Node[];
}

interface Scan {
  readonly startedMs: number;
  readonly whole: boolean;
  readonly nodes: readonly Node[];
}

const reportFreshMs = 24 * 3_600_000;

/**
 * The media list of one account at its last scan. Streams that read the same list share it, so that
 * it is scanned once for all. The cache is kept in memory only: a restart scans again.
 */
export class ListCache {
  /** The nodes, newest first, with the fields that the scan requested. */
  nodes: readonly Node[] = [];
  /** The nodes before the last scan. */
  before: readonly Node[] = [];
  /** Start of the last scan, and of the last scan of the whole list, epoch milliseconds. */
  scannedMs: number | null = null;
  scannedWholeMs: number | null = null;
  /** Start of the last poll that committed the whole list, by the list's own stream. */
  committedWholeMs: number | null = null;
  readonly page: PageSize;
  /** The pause before each page while the API rejects pages as too large, milliseconds. */
  pauseMs = 0;
  /** Albums whose children were requested apart from the page, because a child cannot be read. */
  readonly albums = new Map<string, Album>();
  /** Readings of metrics in requests of their own, by `<media> <field>`. */
  readonly separate = new Map<string, SeparateReading>();
  #report = { count: 0, atMs: -Infinity };

  constructor(pageSize: number) {
    this.page = new PageSize(pageSize);
  }

  /** The `media_count` that the account last reported; null when it is missing or a day old. */
  reportedCount(nowMs: number): number | null {
    return Math.abs(nowMs - this.#report.atMs) < reportFreshMs ? this.#report.count : null;
  }

  noteReportedCount(count: number, atMs: number): void {
    this.#report = { count, atMs };
  }

  note(scan: Scan): void {
    this.before = this.nodes;
    this.scannedMs = scan.startedMs;
    if (scan.whole) this.scannedWholeMs = scan.startedMs;
    this.nodes = scan.whole ? scan.nodes : merged(scan.nodes, this.nodes);
  }
}

function merged(newest: readonly Node[], known: readonly Node[]): readonly Node[] {
  const seen = new Set(newest.map(({ id }) => id));
  return [...newest, ...known.filter(({ id }) => !seen.has(id))];
}

export interface ListCaches {
  of(accountId: string, edge: string): ListCache;
}

export function createListCaches(pageSize: number): ListCaches {
  const caches = new Map<string, ListCache>();
  return {
    of(accountId, edge) {
      const key = `${accountId}/${edge}`;
      const cache = caches.get(key) ?? new ListCache(pageSize);
      caches.set(key, cache);
      return cache;
    },
  };
}
