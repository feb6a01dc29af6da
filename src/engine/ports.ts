import type { Account } from './account.ts';
import type { ConnectorError, Scope } from './errors.ts';
import type { Node, Value } from './json.ts';
import type { Priority } from './rate-limit/quota.ts';
import type { StreamState } from './state.ts';
import type { StreamName, TopicRole } from './stream-name.ts';
import type { StateSize, TelemetryEvent } from './events.ts';

export type { PollResult, ProbedForm, StateSize, TelemetryEvent } from './events.ts';

/** One GET of the Graph API, without host, version and token, which are the adapter's. */
export interface GraphRequest {
  /** For metrics and logs, of bounded cardinality: `/{account}/media`. */
  readonly endpoint: string;
  /** `/17841400000000000/media` */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Whose budget it spends; null when it is no single account's (`/me/accounts`). */
  readonly accountId: string | null;
  /** Which of several tokens it carries, by its name; that of the account when absent. */
  readonly token?: string;
  /** Who goes first when the quota is short; the stream's own when absent. */
  readonly priority?: Priority;
}

/** What an answer told of a scope's quota. */
export interface UsageReport {
  readonly scope: Scope;
  /** Used of the budget, 0 to 1000; above 100 it is overdrawn. */
  readonly percent: number;
  /** How long nothing may be asked, milliseconds; 0 when nothing was said. */
  readonly regainMs: number;
  /** Calls that were answered since the report before; 1 unless it stands for a batch. */
  readonly calls?: number;
}

/** Is told what every answer says of quotas. Never throws, never waits. */
export type OnUsage = (report: UsageReport) => void;

/** The outcome of one request among many. */
export type Outcome =
  | { readonly request: GraphRequest; readonly node: Node }
  | { readonly request: GraphRequest; readonly error: ConnectorError };

/** The Graph API as extraction uses it. Safe for concurrent use. */
export interface Graph {
  /**
   * Makes exactly one HTTP request.
   *
   * @returns the body, a JSON object
   * @throws the taxonomy of `core/errors.ts`: RetryError (network, 5xx, transient), WaitError
   * (limits), SkipError (what cannot be had; `subjects` names rejected metrics or fields),
   * FailError (an error that no row places), StopAccountError (token), StopStreamError (permission),
   * DeadLetterError (not a JSON object)
   * @remarks Aborting `signal` rejects with the signal's reason.
   */
  get(request: GraphRequest, signal: AbortSignal): Promise<Node>;
  /**
   * Requests many objects of one account, in batches where the host has them. Each request has
   * exactly one outcome, in any order; the error of one never touches the others.
   *
   * @throws what concerns all of them: RetryError (none is answered), WaitError,
   * StopAccountError, StopProcessError; the signal's reason
   */
  getEach(requests: readonly GraphRequest[], signal: AbortSignal): AsyncIterable<Outcome>;
}

/** The Graph API over HTTP, one request a call. */
export interface GraphTransport extends Pick<Graph, 'get'> {
  /** The most requests that `getBatch` takes; 1 where the host has no batches, as far as is known. */
  readonly batchSize: number;
  /** The API version that the last answer names, as `v26.0`; null before the first. */
  readonly answeredBy: string | null;
  /**
   * Milliseconds by which this machine's clock was ahead of the last answer's `Date`, to within the
   * seconds that an answer takes; null before the first.
   */
  readonly clockAheadMs: number | null;
  /**
   * Sends requests of one account in one HTTP request; Meta counts each of them as a call.
   *
   * @returns the results of the requests that were sent, in order. All are unanswered when the batch
   * is rejected as a whole; `batchSize` is 1 for a day when the API says that it has no batches
   * @throws RetryError, WaitError, StopAccountError, StopProcessError for the batch as a whole
   */
  getBatch(
    requests: readonly GraphRequest[],
    signal: AbortSignal,
  ): Promise<readonly BatchOutcome[]>;
}

/** A transport as far as it sends requests. */
export type BatchTransport = Omit<GraphTransport, 'answeredBy' | 'clockAheadMs'>;

/** The result of an item of a batch: an outcome, or no usable answer. */
export type BatchOutcome =
  Outcome | { readonly request: GraphRequest; readonly isUnanswered: true };

/** The accounts there are, and what is wrong with the list. */
export interface AccountListing {
  readonly accounts: readonly Account[];
  /** For a person: tokens whose accounts cannot be had, accounts that are asked for and not reached. */
  readonly problems: readonly string[];
  /** For a person: entries of the list that were left out; no account that is named is missing. */
  readonly warnings: readonly string[];
}

/** Who may be polled. */
export interface AccountDirectory {
  /**
   * Lists the accounts of all tokens, narrowed by the allow list, every page of them. While the
   * accounts of one token cannot be had, those that it had last are given.
   *
   * @throws StopProcessError `accounts.none` when there is none, naming what to check
   */
  list(signal: AbortSignal): Promise<AccountListing>;
  /** Resolves when tokens were renewed, which is worth a new list; rejects with the signal's reason. */
  renewed(signal: AbortSignal): Promise<void>;
}

/** Values to wire bytes: byte 0, four bytes of schema id, Avro body. Ready after the start. */
export interface Encoder {
  /** @throws DeadLetterError `encoding.invalid`, naming the field */
  encode(role: TopicRole, value: Value): Buffer;
  /** The id that the registry gave the schema that `encode` writes a role's values with. */
  schemaId(role: TopicRole): number;
}

/** State to wire bytes and back; knows every format ever written. */
export interface StateCodec {
  encode(state: StreamState): Buffer;
  /** @throws StopStreamError `state.unreadable` or `registry.mismatch`, saying how to repair it */
  decode(key: string, bytes: Buffer): Promise<StreamState>;
}

/** A state key's content after a restore: the state, or why it cannot be read. */
export type Restored =
  | { readonly kind: 'state'; readonly state: StreamState; readonly size?: StateSize }
  | { readonly kind: 'unreadable'; readonly error: Error };

/** One record ready to be sent. */
export interface OutgoingRecord {
  readonly role: TopicRole;
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What one Kafka transaction carries: records, dead letters and the state after them. */
export interface Batch {
  readonly account: Account;
  readonly records: readonly OutgoingRecord[];
  readonly state: StreamState;
}

/** The exactly-once publisher. Batches of one account are serial; accounts are concurrent. */
export interface Publisher {
  /**
   * Commits the batch in one transaction (Invariant 1), or throws and has published nothing.
   * An unknown outcome is resolved before it returns, by the sequence number in the state topic.
   *
   * @throws RetryError `kafka.unavailable`, DeadLetterError `kafka.record-too-large` (nothing of the
   * batch was published; `path` is the record's key), StopStreamError of the same code for the state,
   * StopStreamError `kafka.fenced`, StopProcessError `kafka.unauthorized`
   */
  publish(batch: Batch, signal: AbortSignal): Promise<void>;
}

/** The state topic, by partition. */
export interface StateStore {
  /**
   * Takes a partition over from whoever had it and reads it to its true end; keys as `stateKey` has
   * them. A tombstone is no state. Publishing to the partition is allowed from then on.
   *
   * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`, the signal's reason
   */
  restore(partition: number, signal: AbortSignal): Promise<ReadonlyMap<string, Restored>>;
  /**
   * Gives a partition up: the transaction in hand may end, within a few seconds, and nothing is
   * published to it any more until it is restored again. Never rejects.
   */
  release(partition: number): Promise<void>;
}

/** Is told the partitions that are owned, all of them, whenever they change. */
export type OnAssignment = (owned: readonly number[]) => void;

/** The instances that share the accounts by the partitions of the state topic. */
export interface Group {
  /** How many partitions there are; the topics must be prepared. */
  readonly partitions: number;
  /**
   * Takes part until aborted, then leaves. Trouble that may pass is waited out and told to the
   * telemetry; what is owned is then given up in time, before another instance can be given it.
   *
   * @throws StopProcessError `kafka.unauthorized` or `kafka.topic-invalid`
   */
  join(onAssignment: OnAssignment, signal: AbortSignal): Promise<void>;
  /**
   * The instances that take part, by name; a killed one is among them until its session is over.
   *
   * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
   */
  members(signal: AbortSignal): Promise<readonly string[]>;
  /**
   * The instance that the group gives a partition to now, by name; null while nobody is given it.
   *
   * @throws as `members`
   */
  ownerOf(partition: number, signal: AbortSignal): Promise<string | null>;
}

/** Time, so that tests own it. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What a person may order of one stream of one account. */
export type ControlAction = 'poll' | 'pause' | 'resume';

/** What became of an order; `reason` is for a person. */
export type ControlAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'unknown' | 'conflict' | 'unready'; readonly reason: string }
  /** The account is polled by another instance, `owner` by name where the group tells. */
  | { readonly kind: 'elsewhere'; readonly reason: string; readonly owner: string | null };

/** What a person may change while the program runs. */
export interface Controls {
  /**
   * `poll` polls at once, after a poll that is under way; `pause` lets that end and polls no more;
   * `resume` ends a pause, and begins again what an error had stopped. Never rejects.
   */
  order(kind: ControlAction, stream: string, accountId: string): Promise<ControlAnswer>;
}

/** Where events go. Never throws, never waits. */
export interface Telemetry {
  report(event: TelemetryEvent): void;
}

/** A poll, as its trace names it. */
export interface TracedPoll {
  readonly stream: StreamName;
  readonly accountId: string;
  /** As in the headers of its records. */
  readonly poll: string;
}

/** A part of a poll: one request, the records of a page written, or one transaction. */
export type StepKind = 'request' | 'encode' | 'transaction';

/** Facts of a step; free of secrets. */
export type StepFacts = Readonly<Record<string, string | number>>;

/** A poll that is followed. Never throws, never waits. */
export interface PollTrace {
  /** Go into the headers of the poll's records; none while nothing is traced. */
  readonly headers: Readonly<Record<string, string>>;
  /** Begins a step; what is returned ends it, with the error that it ended with. */
  begin(kind: StepKind, facts: StepFacts): (error?: unknown) => void;
  /** Ends the poll; call it once, after its steps. */
  end(error?: unknown): void;
}

/** Follows polls through their steps, for traces. */
export interface Tracer {
  poll(poll: TracedPoll): PollTrace;
}
