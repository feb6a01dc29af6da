import type { Account } from './account.ts';
import type { ClassifiedError, Scope } from './errors.ts';
import type { Node, Value } from './json.ts';
import type { Priority, SeparateLimit } from './rate-limit/quota.ts';
import type { StreamState } from './state.ts';
import type { StreamName, TopicRole } from './stream-name.ts';
import type { StateSize, TelemetryEvent } from './events.ts';

export type { PollResult, ProbedForm, StateSize, TelemetryEvent } from './events.ts';

/** One GET of the Graph API, without host, version and token, which are the adapter's. */
export interface GraphRequest {
  /** The name for metrics and logs, of bounded cardinality: `/{account}/media`. */
  readonly endpoint: string;
  /** `/17841400000000000/media` */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The account whose quota it spends; null when it is no single account's (`/me/accounts`). */
  readonly accountId: string | null;
  /** The name of the token to send; the account's own when absent. */
  readonly token?: string;
  /** The priority when the quota is short; the stream's own when absent. */
  readonly priority?: Priority;
  /** The limit that it spends in place of the account's; absent: the account's. */
  readonly limit?: SeparateLimit | undefined;
}

/** The usage of a scope's quota, as an answer reports it. */
export interface UsageReport {
  readonly scope: Scope;
  /** Percent of the quota used, 0 to 1000; above 100 it is exceeded. */
  readonly percent: number;
  /** Milliseconds without requests that Meta demands; 0 when it demands none. */
  readonly regainMs: number;
  /** Calls answered since the previous report; 1 except for a batch. */
  readonly calls?: number;
}

/** Receives the usage that every answer reports. Never throws, never waits. */
export type OnUsage = (report: UsageReport) => void;

/** The outcome of one request among many. */
export type Outcome =
  | { readonly request: GraphRequest; readonly node: Node }
  | { readonly request: GraphRequest; readonly error: ClassifiedError };

/** The Graph API as extraction uses it. Safe for concurrent use. */
export interface Graph {
  /**
   * Makes exactly one HTTP request, and returns the body.
   * @throws the classes of `engine/errors.ts`: RetryError (network, 5xx, transient), WaitError
   * (limits), SkipError (unavailable data), FailError (an unknown error), StopAccountError (token),
   * StopStreamError (permission), DeadLetterError (no JSON object); the signal's reason
   */
  get(request: GraphRequest, signal: AbortSignal): Promise<Node>;
  /**
   * Requests many objects of one account, in batches where the host has them. Each request has
   * exactly one outcome, in any order; an error of one request does not affect the others.
   * @throws errors that concern all requests: RetryError (none is answered), WaitError,
   * StopAccountError, StopProcessError; the signal's reason
   */
  getEach(requests: readonly GraphRequest[], signal: AbortSignal): AsyncIterable<Outcome>;
}

/** The Graph API over HTTP, one request a call. */
export interface GraphTransport extends Pick<Graph, 'get'> {
  /** The most requests that `getBatch` accepts; 1 once the host is known to have no batches. */
  readonly batchSize: number;
  /** The API version that the last answer names, as `v26.0`; null before the first. */
  readonly answeredBy: string | null;
  /** This machine's time minus the last answer's `Date`, milliseconds; null before the first. */
  readonly clockAheadMs: number | null;
  /**
   * Sends requests of one account in one HTTP request; Meta counts each of them as a call.
   * @returns the results of the requests that were sent, in order; all are unanswered when the
   * batch is rejected as a whole
   * @throws RetryError, WaitError, StopAccountError, StopProcessError for the batch as a whole
   */
  getBatch(
    requests: readonly GraphRequest[],
    signal: AbortSignal,
  ): Promise<readonly BatchOutcome[]>;
}

/** The part of a transport that sends requests. */
export type BatchTransport = Omit<GraphTransport, 'answeredBy' | 'clockAheadMs'>;

/** The result of an item of a batch: an outcome, or no usable answer. */
export type BatchOutcome =
  Outcome | { readonly request: GraphRequest; readonly isUnanswered: true };

/** The accounts of the tokens, and the problems of the list. */
export interface AccountListing {
  readonly accounts: readonly Account[];
  /** Errors for a person: tokens whose accounts cannot be listed, configured accounts not found. */
  readonly problems: readonly string[];
  /** Warnings for a person: excluded entries of the list; no configured account is missing. */
  readonly warnings: readonly string[];
}

export interface AccountDirectory {
  /**
   * Lists the accounts of all tokens, narrowed by the allow list; the last known ones of a token
   * whose accounts cannot be listed now.
   * @throws StopProcessError `accounts.none` when there is none, with the settings to check
   */
  list(signal: AbortSignal): Promise<AccountListing>;
  /** Resolves when tokens were renewed; rejects with the signal's reason. */
  renewed(signal: AbortSignal): Promise<void>;
}

/** Encodes values and keys to wire bytes: byte 0, four bytes of schema id, Avro body. */
export interface Encoder {
  /** @throws DeadLetterError `encoding.invalid`, naming the field */
  encode(role: TopicRole, value: Value, accountId?: string): Buffer;
  /** Encodes a key, given as `recordKey` returns it; undefined where the topic's keys are texts. */
  encodeKey(role: TopicRole, key: string, accountId?: string): Buffer | undefined;
  /** The registry's id of the schema by which `encode` writes the values of a role's topic. */
  schemaId(role: TopicRole, accountId?: string): number;
}

/** Prepares the topics and schemas of an account, before its first record. */
export interface AccountPreparation {
  /**
   * @throws FailError where a topic or a subject is rejected, RetryError where Kafka or the registry
   * is unavailable
   */
  prepareAccount(accountId: string, signal: AbortSignal): Promise<void>;
}

/** Converts state to wire bytes and back; reads every format ever written. */
export interface StateCodec {
  encode(state: StreamState): Buffer;
  /** @throws StopStreamError `state.unreadable` or `registry.mismatch`, with the repair */
  decode(key: string, bytes: Buffer): Promise<StreamState>;
}

/** A state key's content after a restore: the state, or the error that makes it unreadable. */
export type Restored =
  | { readonly kind: 'state'; readonly state: StreamState; readonly size?: StateSize }
  | { readonly kind: 'unreadable'; readonly error: Error };

/** One record ready to be produced. */
export interface OutgoingRecord {
  readonly role: TopicRole;
  readonly key: string;
  /** The key as an Avro record; absent: Kafka gets the text. */
  readonly keyBytes?: Buffer;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Its timestamp in Kafka, epoch milliseconds; absent: the time of publishing. */
  readonly timestampMs?: number;
}

/** The content of one Kafka transaction: records, dead letters and the state after them. */
export interface Batch {
  readonly account: Account;
  readonly records: readonly OutgoingRecord[];
  readonly state: StreamState;
}

/** The exactly-once publisher. Batches of one account are serial; accounts are concurrent. */
export interface Publisher {
  /**
   * Commits the batch in one transaction (Invariant 1); after an error nothing of it is published.
   * An unknown outcome is resolved before it returns, by the sequence number in the state topic.
   * @throws RetryError `kafka.unavailable`, DeadLetterError `kafka.record-too-large` (nothing of
   * the batch was published; `path` is the record's key), StopStreamError of the same code for the
   * state, StopStreamError `kafka.fenced`, StopProcessError `kafka.unauthorized`
   */
  publish(batch: Batch, signal: AbortSignal): Promise<void>;
}

/** The state topic, by partition. */
export interface StateStore {
  /**
   * Acquires a partition, which fences its earlier producer, and reads it up to its restore marker.
   * Keys are those of `stateKey`; a tombstone is no state.
   * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
   */
  restore(partition: number, signal: AbortSignal): Promise<ReadonlyMap<string, Restored>>;
  /**
   * Releases a partition: the running transaction may end within a few seconds; nothing more is
   * published to it until it is restored again. Never rejects.
   */
  release(partition: number): Promise<void>;
}

/** Receives the whole assignment whenever it changes. */
export type OnAssignment = (owned: readonly number[]) => void;

/** The instances that share the accounts by the partitions of the state topic. */
export interface Group {
  /** The number of partitions; read after the topics were prepared. */
  readonly partitions: number;
  /**
   * Joins the group until aborted, then leaves it. Transient errors are reported and retried;
   * partitions are given up before the broker can assign them to another instance.
   * @throws StopProcessError `kafka.unauthorized` or `kafka.topic-invalid`
   */
  join(onAssignment: OnAssignment, signal: AbortSignal): Promise<void>;
  /**
   * The instances in the group, by name; a killed one until its session expires.
   * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
   */
  members(signal: AbortSignal): Promise<readonly string[]>;
  /** The instances to which partitions are assigned now, by partition. Throws as `members`. */
  owners(signal: AbortSignal): Promise<ReadonlyMap<number, string>>;
}

/** The clock and the timer, replaced in tests. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The action of a control request. */
export type ControlAction = 'poll' | 'pause' | 'resume';

/**
 * A request for one stream of one account, for all streams of an account, or for all accounts of a
 * stream.
 */
export interface ControlRequest {
  readonly action: ControlAction;
  /** Null for every stream of the account. */
  readonly stream: string | null;
  /** Null for every account of the stream. */
  readonly accountId: string | null;
  /** The end of a pause, epoch milliseconds; null for one that lasts until it is resumed. */
  readonly untilMs: number | null;
}

/** The accounts that another instance polls: `owner` by name, or null where the group reports none. */
export interface Elsewhere {
  readonly owner: string | null;
  readonly accounts: number;
}

/** The answer to a control request; `reason` is for a person. */
export type ControlAnswer =
  | {
      readonly kind: 'accepted';
      /** The streams of the account, or the accounts of the stream, that it was carried out for. */
      readonly count: number;
      /** True when the state topic has every pause or resume; null for a poll. */
      readonly saved: boolean | null;
      /** The accounts of the stream that it was not carried out for, by instance. */
      readonly elsewhere: readonly Elsewhere[];
    }
  | { readonly kind: 'unknown' | 'conflict' | 'unready'; readonly reason: string }
  /** Another instance polls the account: `owner` by name, or null where the group reports none. */
  | { readonly kind: 'elsewhere'; readonly reason: string; readonly owner: string | null };

/** The control API of the running program. */
export interface Controls {
  /**
   * Carries out a control request. `poll` polls at once, or right after the running poll; `pause`
   * lets the running try of a poll end; `resume` also restarts a stream that an error had stopped.
   * Pauses and resumes take effect at once; the answer waits a few seconds for the state topic to
   * have them. Never rejects.
   */
  execute(request: ControlRequest): Promise<ControlAnswer>;
}

/** The receiver of events. Never throws, never waits. */
export interface Telemetry {
  report(event: TelemetryEvent): void;
}

export interface TracedPoll {
  readonly stream: StreamName;
  readonly accountId: string;
  /** The poll's id, as in the headers of its records. */
  readonly poll: string;
}

/** A step of a poll: one request, the encoding of a page's records, or one transaction. */
export type StepKind = 'request' | 'encode' | 'transaction';

/** The facts of a step, free of secrets. */
export type StepFacts = Readonly<Record<string, string | number>>;

/** The trace of one poll. Never throws, never waits. */
export interface PollTrace {
  /** Headers for the poll's records; none while tracing is off. */
  readonly headers: Readonly<Record<string, string>>;
  /** Begins a step; the returned function ends it, with the step's error if it failed. */
  begin(kind: StepKind, facts: StepFacts): (error?: unknown) => void;
  /** Ends the poll; call it once, after its steps. */
  end(error?: unknown): void;
}

/** Creates the traces of polls. */
export interface Tracer {
  poll(poll: TracedPoll): PollTrace;
}
