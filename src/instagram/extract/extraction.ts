import type { Account, Login } from '../../engine/account.ts';
import type { Walked } from '../../engine/change-set.ts';
import type { DeadLetterError, ErrorCode } from '../../engine/errors.ts';
import type { Tier } from '../model/freshness.ts';
import type { Node } from '../../engine/json.ts';
import type { Memory } from '../../engine/state.ts';
import type { Catalogs } from './catalog.ts';
import type { Graph } from '../../engine/ports.ts';

/** What an extractor gets. */
export interface ExtractContext {
  readonly graph: Graph;
  readonly account: Account;
  readonly login: Login;
  readonly memory: Memory;
  readonly nowMs: number;
  /** A list that was walked since then is not walked again; epoch milliseconds. */
  readonly roundMs: number;
  /** When the next poll is due, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  readonly startDateMs: number | null;
  readonly lookbackMs: number;
  /** Nodes a page of a list, 1 to 100. */
  readonly pageSize: number;
  readonly catalogs: Catalogs;
  readonly freshness: Freshness;
  /** Records that a batch should not exceed. */
  readonly maxBatchRecords: number;
  /** Waits, unless the poll is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** How often what is old is asked again. */
export interface Freshness {
  /** Insights of media by their age. */
  readonly tiers: readonly Tier[];
  /** The whole list of media is walked this often; between, its newest pages. */
  readonly wholeListMs: number;
  /** How far back the newest pages go, by the age of their media. */
  readonly newestMs: number;
}

/** Something the API would not give, for a reason that is counted. */
export interface Skipped {
  readonly reason: ErrorCode;
  /** The media, metric, field or window left out. */
  readonly subject: string;
}

/** What one step of an extraction brought. */
export interface Page {
  readonly nodes: readonly Node[];
  readonly skipped: readonly Skipped[];
  /** Parts of the answer that cannot be used, each with its path; the nodes are without them. */
  readonly rejected?: readonly DeadLetterError[];
  /** Up to where a window asked, epoch milliseconds; null for what has no windows. */
  readonly coveredUntilMs: number | null;
  /** What is refused, or was published, as of this page, in place of what was remembered. */
  readonly learned?: Pick<Memory, 'refusals' | 'convertedMs'> &
    Partial<Pick<Memory, 'published' | 'seen' | 'reading' | 'doubtedMs'>>;
  /** Ids that were asked for and have nothing to publish. */
  readonly empty?: readonly string[];
  /** The readings of media whose insights were read (`packReading`), by key number. */
  readonly readings?: readonly (readonly [key: string, reading: bigint])[];
  /** Which of how many steps it is, where that is known before. */
  readonly step?: { readonly number: number; readonly of: number };
  /** What there is, where the whole list is known. */
  readonly walked?: Walked;
}

/** A stream's nodes for one account, in steps that may each become a batch. */
export type Extraction = AsyncGenerator<Page, void, undefined>;
