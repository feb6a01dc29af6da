import type { Account } from './account.ts';
import type { PublishMode } from './change-set.ts';
import type { Tally } from './events.ts';
import type { FieldRules } from './field-rules.ts';
import type { Clock, Encoder, Graph, PollTrace, Publisher, Telemetry } from './ports.ts';
import type { Source } from './source.ts';
import type { Pause, Published, StreamState } from './state.ts';
import type { Stream } from './stream.ts';
import type { StreamName } from './stream-name.ts';
import type { SuppressionEntryOf } from './suppression.ts';
import type { PendingChanges, WebhookChange } from './webhooks.ts';

/** The dependencies of a poll, shared by all polls. */
export interface PollTools {
  readonly graph: Graph;
  readonly encoder: Encoder;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly source: Source;
  readonly telemetry: Telemetry;
  readonly suppressionEntry: SuppressionEntryOf;
  readonly pending: Pick<PendingChanges, 'remove'>;
  readonly settings: {
    readonly lookbackMs: number;
    readonly maxBatchRecords: number;
    /** The publish mode of each stream; `always` for a stream that is not listed. */
    readonly publish: Readonly<Record<StreamName, PublishMode>>;
    /** The streams whose records carry the time of their event. */
    readonly eventTimed: readonly StreamName[];
    /** The rules of each stream that has some. */
    readonly fieldRules: Readonly<Record<StreamName, FieldRules>>;
    /** True when tombstones delete media and stories that are gone. */
    readonly tombstones: boolean;
    /** The name of this instance, written into the state. */
    readonly instance: string;
  };
}

/**
 * One extraction of one stream for one account. It outlives a failed try: `state` and `published`
 * keep all that was committed, so that nothing is published twice.
 */
export interface Poll {
  readonly stream: Stream;
  readonly account: Account;
  /** `<stream>/<account>/<start time>`, in every record's headers. */
  readonly id: string;
  readonly startedMs: number;
  /** The start of the cycle, epoch milliseconds: list scans since then serve this poll too. */
  readonly cycleMs: number;
  /** The due time of the next poll, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  /** The changes of webhooks to publish; absent for a poll of the schedule. */
  readonly changes?: readonly WebhookChange[] | undefined;
  readonly trace: PollTrace;
  /** The suppression list of the account. */
  readonly suppressed: Published;
  state: StreamState;
  /** The stream's pause now, which the next commit saves; null for none. */
  readonly pause: Pause | null;
  readonly published: Set<string>;
  readonly tally: Tally & { readonly unknownFields: Set<string> };
}

export interface PollContext {
  readonly poll: Poll;
  readonly tools: PollTools;
}
