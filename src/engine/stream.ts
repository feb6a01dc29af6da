import type { Account } from './account.ts';
import type { DeadLetterError, ErrorCode } from './errors.ts';
import type { Node, Value } from './json.ts';
import type { Priority } from './rate-limit/quota.ts';
import type { Checkpoint } from './state.ts';
import type { StreamName } from './stream-name.ts';

/** Where a node came from and when. */
export interface Origin {
  readonly account: Account;
  readonly polledAtMs: number;
}

/** What becomes of a node: a record, or nothing for a reason that is counted. */
export type Mapped =
  | {
      readonly kind: 'record';
      readonly record: Value;
      readonly unknown: readonly string[];
      /** Parts of the node that are invalid; the record is without them. */
      readonly rejected?: readonly DeadLetterError[];
    }
  | { readonly kind: 'skipped'; readonly reason: ErrorCode };

/** The fields that every record carries: whose it is and when it was asked for. */
export function provenance(origin: Origin) {
  return {
    business_account_id: origin.account.id,
    page_id: origin.account.pageId,
    polled_at: origin.polledAtMs,
  };
}

/** Which records are worth publishing and what to remember afterwards. */
export interface Settled {
  readonly records: readonly Value[];
  readonly checkpoint: Checkpoint;
}

/** What settling looks at besides the records. */
export interface SettleContext {
  readonly checkpoint: Checkpoint;
  readonly nowMs: number;
  readonly lookbackMs: number;
  /** Up to where the page's window asked; null where there are no windows. */
  readonly coveredUntilMs: number | null;
}

/** A stream, as data: how a node becomes a record, its key, and what polls of it share. */
export interface Stream {
  readonly name: StreamName;
  readonly mode: 'full' | 'incremental';
  /** One sentence for the documents. */
  readonly doc: string;
  /** The priority of its calls when the quota is short. */
  readonly priority: Priority;
  /** True where only the last record of a key counts: its topic is compacted. */
  readonly isCompacted: boolean;
  /** Record fields that make the key, in order. */
  readonly key: readonly string[];
  /** The list that it reads; polls of an account on one list share its scan. Null where it reads none. */
  readonly list: string | null;
  /** True where it publishes the list itself: its poll goes before others on the list. */
  readonly publishesList: boolean;
  /** True where a record stands for a node: the last one published is remembered by the node's id. */
  readonly tracksNodes: boolean;
  /** @throws DeadLetterError `mapping.invalid`. Pure; never changes the node. */
  readonly toRecord: (node: Node, origin: Origin) => Mapped;
  /** Only incremental streams decide; full streams publish all. */
  readonly settle?: (records: readonly Value[], context: SettleContext) => Settled;
}
