import type { Account } from './account.ts';
import type { DeadLetterError, ErrorCode } from './errors.ts';
import type { Node, Value } from './json.ts';
import type { Priority, SeparateLimit } from './rate-limit/quota.ts';
import type { Checkpoint } from './state.ts';
import type { StreamName } from './stream-name.ts';
import type { AuthorFields } from './suppression.ts';

/** The account of a node and the time of its poll. */
export interface Origin {
  readonly account: Account;
  readonly polledAtMs: number;
}

/** The mapping of a node: a record, or a counted reason for none. */
export type Mapped =
  | {
      readonly kind: 'record';
      readonly record: Value;
      readonly unknown: readonly string[];
      /** Parts of the node that are invalid; the record is without them. */
      readonly rejected?: readonly DeadLetterError[];
    }
  | { readonly kind: 'skipped'; readonly reason: ErrorCode };

/** Returns the fields that every record has: its account, page and time of the poll. */
export function provenance(origin: Origin) {
  return {
    business_account_id: origin.account.id,
    page_id: origin.account.pageId,
    polled_at: origin.polledAtMs,
  };
}

/** The records of a page to publish, and the checkpoint after them. */
export interface StreamChanges {
  readonly records: readonly Value[];
  readonly checkpoint: Checkpoint;
}

/** The facts by which an incremental stream detects changes. */
export interface ChangeContext {
  readonly checkpoint: Checkpoint;
  readonly nowMs: number;
  readonly lookbackMs: number;
  /** The end of the page's window, epoch milliseconds; null for a stream without windows. */
  readonly coveredUntilMs: number | null;
}

/** The declaration of a stream: its mode, key and list, and the mapping of a node to a record. */
export interface Stream {
  readonly name: StreamName;
  readonly mode: 'full' | 'incremental';
  /** One sentence for the documentation. */
  readonly doc: string;
  /** The priority of its calls when the quota is short. */
  readonly priority: Priority;
  /** The limit that its calls spend in place of the account's; absent: the account's. */
  readonly limit?: SeparateLimit;
  /** True where only the last record of a key counts: its topic is compacted. */
  readonly isCompacted: boolean;
  /** The fields that name the author; null where no other person writes a record. */
  readonly author: AuthorFields | null;
  /** The record field with the time of the event, epoch milliseconds; null for a reading. */
  readonly eventTime: string | null;
  /** The record field with a day's impressions, from which Meta derives its limit; null for none. */
  readonly impressions: string | null;
  /** Record fields that make the key, in order. */
  readonly key: readonly string[];
  /** The list that it reads; polls of an account on one list share its scan. Null for none. */
  readonly list: string | null;
  /** True where it publishes the list itself: its poll comes before others on the list. */
  readonly publishesList: boolean;
  /** The fields of webhooks whose changes it publishes. */
  readonly webhookFields: readonly string[];
  /** True where a record stands for a node: its fingerprint is kept by the node's id. */
  readonly tracksNodes: boolean;
  /** @throws DeadLetterError `mapping.invalid`. Pure; never changes the node. */
  readonly toRecord: (node: Node, origin: Origin) => Mapped;
  /** Detects the records to publish; only incremental streams have it. */
  readonly detectChanges?: (records: readonly Value[], context: ChangeContext) => StreamChanges;
}
