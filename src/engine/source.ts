import type { Account } from './account.ts';
import type { RequestedObjects } from './call-results.ts';
import type { ListScan } from './change-set.ts';
import type { DeadLetterError, Skipped } from './errors.ts';
import type { Node } from './json.ts';
import type { Graph } from './ports.ts';
import type { Checkpoint } from './state.ts';
import type { Stream } from './stream.ts';
import type { WebhookChange } from './webhooks.ts';

/** The parameters of a poll that a source needs. */
export interface SourcePoll {
  readonly stream: Stream;
  readonly account: Account;
  /** The API, limited by the account's quotas. */
  readonly graph: Graph;
  readonly checkpoint: Checkpoint;
  readonly nowMs: number;
  /** The start of the cycle, epoch milliseconds: a list scanned since then is not scanned again. */
  readonly cycleMs: number;
  /** The due time of the next poll, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  readonly lookbackMs: number;
  /** The most records of a batch. */
  readonly maxBatchRecords: number;
  /** The changes of webhooks that the poll publishes; absent for a poll of the schedule. */
  readonly changes?: readonly WebhookChange[] | undefined;
  /** Waits, unless the poll is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A source of nodes. Polls of several streams and accounts are concurrent. */
export interface Source {
  /**
   * Fetches the nodes of a poll, in pages that may each become a batch. Throws as `Graph.get`,
   * except errors of single objects, which are reported as skipped.
   */
  pages(poll: SourcePoll): AsyncIterable<Page>;
  /** Marks a list as published: a poll scanned all of it and committed everything. */
  markListPublished(poll: Pick<SourcePoll, 'stream' | 'account' | 'nowMs'>): void;
}

/** The result of one step of an extraction, such as a window of days; not a page of the API. */
export interface Page {
  readonly nodes: readonly Node[];
  readonly skipped: readonly Skipped[];
  /** Invalid parts of the answer, each with its path; the nodes are without them. */
  readonly rejected?: readonly DeadLetterError[];
  /** The end of the requested window, epoch milliseconds; null for a stream without windows. */
  readonly coveredUntilMs: number | null;
  /** The parts of the checkpoint that this page replaces. */
  readonly checkpointUpdate?: Partial<
    Pick<
      Checkpoint,
      | 'rejections'
      | 'convertedMs'
      | 'published'
      | 'seen'
      | 'delivered'
      | 'reading'
      | 'truncationSuspectedMs'
      | 'stories'
      | 'hashtags'
    >
  >;
  /** Keys of the changes of webhooks that need no further poll once this page is committed. */
  readonly processed?: readonly string[];
  /** Ids that were requested and have nothing to publish. */
  readonly empty?: readonly string[];
  /** The new readings of media insights (`packReading`), by key number. */
  readonly readings?: readonly (readonly [key: string, reading: bigint])[];
  /** The step's number and the number of steps, where that is known in advance. */
  readonly step?: { readonly number: number; readonly of: number };
  /** The scan of the whole list, once it is complete. */
  readonly scanned?: ListScan;
  /** The objects that were requested for it, one call each; absent for other requests. */
  readonly requested?: RequestedObjects;
}
