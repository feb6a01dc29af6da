import type { Account, Login } from './account.ts';
import type { DeadLetterError, ErrorCode } from './errors.ts';
import type { Fields } from '../instagram/model/fields.ts';
import type { Node, Value } from './json.ts';
import type { Memory } from './state.ts';
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

/** One request of a series of daily values; `as` names each metric in the merged day. */
export interface SeriesRequest {
  readonly period: string;
  readonly metrics: Readonly<Record<string, string>>;
  /** These metrics of it reach back 30 days only and are left out of older windows. */
  readonly recentOnly: readonly string[];
}

/** One request for the totals of a day. */
export interface TotalsRequest {
  readonly metrics: readonly string[];
  /** Asked by its parts: each part named becomes a field. Such a metric must go alone. */
  readonly parts?: {
    readonly breakdown: string;
    readonly fields: Readonly<Record<string, string>>;
  };
}

/** What a stream asks of the API; every request that it can cause stands here. */
export type Source =
  | { readonly kind: 'object'; readonly fields: Fields }
  | {
      readonly kind: 'list';
      readonly edge: 'media' | 'stories' | 'tags';
      readonly fields: Fields;
      /** Fields that Instagram Login does not know; one of them fails a whole request. */
      readonly facebookOnly?: readonly string[];
    }
  | {
      readonly kind: 'insights';
      /** The list that names the media. */
      readonly edge: 'media' | 'stories';
      readonly listFields: Fields;
      /** Fields that show whether a media has moved, and those that other streams of the list need. */
      readonly besides?: Fields;
      /** Fields that Instagram Login does not know. */
      readonly facebookOnly?: readonly string[];
      /** The widest set of metrics that a listed media answers in one request, by login. */
      readonly metrics: (listed: Node, login: Login) => readonly string[];
      /** Metrics that only some media of a kind have: that one lacks one says nothing of others. */
      readonly sparse: readonly string[];
      /** A metric by its parts, in a request of its own: asked when its total has moved. */
      readonly parts?: { readonly metric: string; readonly breakdown: string };
    }
  | {
      readonly kind: 'comments';
      /** The list of media that says how many comments each has. */
      readonly listFields: Fields;
      /** Of these, what Instagram Login does not know. */
      readonly facebookOnly: readonly string[];
      /** Of a comment and of a reply. */
      readonly fields: Fields;
    }
  | { readonly kind: 'series'; readonly requests: readonly SeriesRequest[] }
  | { readonly kind: 'totals'; readonly requests: readonly TotalsRequest[] }
  | {
      readonly kind: 'breakdowns';
      readonly metric: string;
      readonly period: string;
      readonly breakdowns: readonly string[];
      /** The span that people are counted in, where the metric asks for one. */
      readonly timeframe?: string;
    };

/** Which records are worth publishing and what to remember afterwards. */
export interface Settled {
  readonly records: readonly Value[];
  readonly memory: Memory;
}

/** What settling looks at besides the records. */
export interface SettleContext {
  readonly memory: Memory;
  readonly nowMs: number;
  readonly lookbackMs: number;
  /** Up to where the page's window asked; null where there are no windows. */
  readonly coveredUntilMs: number | null;
}

/** A stream, as data: what it asks, how a node becomes a record, what it is keyed by. */
export interface Stream {
  readonly name: StreamName;
  readonly mode: 'full' | 'incremental';
  /** One sentence for the documents. */
  readonly doc: string;
  /** Record fields that make the key, in order. */
  readonly key: readonly string[];
  readonly source: Source;
  /** @throws DeadLetterError `mapping.invalid`. Pure; never changes the node. */
  readonly toRecord: (node: Node, origin: Origin) => Mapped;
  /** Only incremental streams decide; full streams publish all. */
  readonly settle?: (records: readonly Value[], context: SettleContext) => Settled;
}
