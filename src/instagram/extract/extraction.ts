import type { Login } from '../../engine/account.ts';
import type { Page, SourcePoll } from '../../engine/source.ts';
import type { Tier } from '../model/freshness.ts';
import type { ListCaches } from './list-cache.ts';

export interface SourceSettings {
  readonly login: Login;
  readonly startDateMs: number | null;
  /** Nodes per page of a list, 1 to 100. */
  readonly pageSize: number;
  readonly freshness: Freshness;
}

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
