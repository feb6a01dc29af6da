import type { Login } from '../../engine/account.ts';
import type { Page, SourcePoll } from '../../engine/source.ts';
import type { Tier } from '../model/freshness.ts';
import type { ListCaches } from './list-cache.ts';

/** What the configuration says of extraction. */
export interface SourceSettings {
  readonly login: Login;
  readonly startDateMs: number | null;
  /** Nodes a page of a list, 1 to 100. */
  readonly pageSize: number;
  readonly freshness: Freshness;
}

/** What an extractor works with. */
export interface ExtractContext extends SourceSettings, Omit<SourcePoll, 'stream'> {
  readonly caches: ListCaches;
}

/** How often what is old is asked again. */
export interface Freshness {
  /** Insights of media by their age. */
  readonly tiers: readonly Tier[];
  /** The whole list of media is scanned this often; between, its newest pages. */
  readonly wholeListMs: number;
  /** How far back the newest pages go, by the age of their media. */
  readonly newestMs: number;
}

/** A stream's nodes for one account, in steps that may each become a batch. */
export type Extraction = AsyncGenerator<Page, void, undefined>;
