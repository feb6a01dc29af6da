import type { Account } from './account.ts';
import type { ListScan } from './change-set.ts';
import type { DeadLetterError, ErrorCode } from './errors.ts';
import type { Node } from './json.ts';
import type { Graph } from './ports.ts';
import type { Checkpoint } from './state.ts';
import type { Stream } from './stream.ts';

/** One poll, as a source sees it. */
export interface SourcePoll {
  readonly stream: Stream;
  readonly account: Account;
  /** The API, limited by the account's quotas. */
  readonly graph: Graph;
  readonly checkpoint: Checkpoint;
  readonly nowMs: number;
  /** A list that was scanned since then is not scanned again; epoch milliseconds. */
  readonly cycleMs: number;
  /** When the next poll is due, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  readonly lookbackMs: number;
  /** Records that a batch should not exceed. */
  readonly maxBatchRecords: number;
  /** Waits, unless the poll is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Where nodes come from. Polls of several streams and accounts are concurrent. */
export interface Source {
  /**
   * The nodes of a poll, in pages that may each become a batch.
   *
   * @throws as `Graph.get`, less what is isolated and reported as skipped
   */
  pages(poll: SourcePoll): AsyncIterable<Page>;
  /** Notes that everything of a poll that scanned its whole list is published. */
  noteCommitted(poll: Pick<SourcePoll, 'stream' | 'account' | 'nowMs'>): void;
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
  readonly learned?: Pick<Checkpoint, 'refusals' | 'convertedMs'> &
    Partial<Pick<Checkpoint, 'published' | 'seen' | 'reading' | 'doubtedMs'>>;
  /** Ids that were asked for and have nothing to publish. */
  readonly empty?: readonly string[];
  /** The readings of media whose insights were read (`packReading`), by key number. */
  readonly readings?: readonly (readonly [key: string, reading: bigint])[];
  /** Which of how many steps it is, where that is known before. */
  readonly step?: { readonly number: number; readonly of: number };
  /** What there is, where the whole list is known. */
  readonly scanned?: ListScan;
}
