import type { Account } from '../core/account.ts';
import type { ConnectorError, ErrorCode, Disposition, Scope } from '../core/errors.ts';
import type { Node, Value } from '../core/json.ts';
import type { Priority, Standing } from '../core/quota.ts';
import type { DependencyName } from '../core/readiness.ts';
import type { Refusal, StreamState } from '../core/state.ts';
import type { StreamName, TopicRole } from '../core/stream-name.ts';

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
   * @throws what concerns all of them: RetryError (network, a server that answers none), WaitError,
   * StopAccountError, StopProcessError; the signal's reason
   */
  getEach(requests: readonly GraphRequest[], signal: AbortSignal): AsyncIterable<Outcome>;
}

/** The Graph API over HTTP, one request a call. */
export interface GraphTransport extends Pick<Graph, 'get'> {
  /** The most requests that `getBatch` takes; 1 where the host has no batch, or has refused one. */
  readonly batchSize: number;
  /** The API version that the last answer names, as `v26.0`; null before the first. */
  readonly answeredBy: string | null;
  /**
   * Sends requests of one account in one HTTP request; Meta counts each of them as a call.
   *
   * @returns the results of the requests that were sent, in order. None when the host refuses
   * batches, and `batchSize` is 1 from then on
   * @throws as `get`, for the batch as a whole
   */
  getBatch(
    requests: readonly GraphRequest[],
    signal: AbortSignal,
  ): Promise<readonly BatchOutcome[]>;
}

/** The API's reaction to one form of request. */
export interface ProbedForm {
  /** The stream that uses it; null where all do. */
  readonly stream: StreamName | null;
  /** `/{media}/insights`, or `batch`. */
  readonly endpoint: string;
  /** `partial`: some of the requests were rejected; `unknown`: nothing to try it on, or no answer. */
  readonly outcome: 'ok' | 'partial' | 'rejected' | 'unknown';
  /** Of the first rejection. */
  readonly code: ErrorCode | null;
  readonly message: string;
}

/** The result of an item of a batch: an outcome, or no usable answer. */
export type BatchOutcome =
  Outcome | { readonly request: GraphRequest; readonly isUnanswered: true };

/** The accounts there are, and what is wrong with the list. */
export interface AccountListing {
  readonly accounts: readonly Account[];
  /** For a person: tokens whose accounts cannot be had, accounts that are asked for and not reached. */
  readonly problems: readonly string[];
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
  /** @throws StopStreamError `state.unreadable`, saying how to repair it */
  decode(key: string, bytes: Buffer): Promise<StreamState>;
}

/** A state key's content after a restore: the state, or why it cannot be read. */
export type Restored =
  | { readonly kind: 'state'; readonly state: StreamState }
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
   * batch was published; `path` is the record's key), StopStreamError `kafka.fenced`,
   * StopProcessError `kafka.unauthorized`
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
export type OnShare = (owned: readonly number[]) => void;

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
  join(onShare: OnShare, signal: AbortSignal): Promise<void>;
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
export type OrderKind = 'poll' | 'pause' | 'resume';

/** What became of an order; `reason` is for a person. */
export type OrderAnswer =
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
  order(kind: OrderKind, stream: string, accountId: string): Promise<OrderAnswer>;
}

/** How a poll ended. */
export type PollResult = 'ok' | 'retry' | 'wait' | 'failed' | 'stopped';

/** Everything that happens and that somebody may want to see; logs, metrics and health feed on it. */
export type TelemetryEvent =
  | {
      readonly type: 'poll-finished';
      readonly stream: StreamName;
      readonly accountId: string;
      readonly records: number;
      readonly deadLetters: number;
      /** HTTP requests to the Graph API, failed tries included. */
      readonly requests: number;
      /** Calls as Meta counts them: each item of a batch is one. */
      readonly calls: number;
      readonly skipped: Readonly<Partial<Record<ErrorCode, number>>>;
      readonly unknownFields: readonly string[];
      readonly durationMs: number;
      readonly nextPollMs: number | null;
    }
  | {
      /** What a try of a poll has committed, whether it came to its end or not. */
      readonly type: 'committed';
      readonly stream: StreamName;
      readonly records: number;
      readonly deadLetters: number;
    }
  | {
      readonly type: 'poll-failed';
      readonly stream: StreamName;
      readonly accountId: string;
      readonly code: ErrorCode;
      readonly disposition: Disposition | 'unexpected';
      readonly message: string;
      /** When it is tried again; null when it is not. */
      readonly retryInMs: number | null;
      /** When its next turn is, epoch milliseconds; null when there is none. */
      readonly nextPollMs: number | null;
    }
  | {
      /** A whole list lacks most of what is known: nothing is deleted until another one lacks it too. */
      readonly type: 'list-doubted';
      readonly stream: StreamName;
      readonly accountId: string;
      /** Entries that were known, and how many of them the list lacks. */
      readonly known: number;
      readonly missing: number;
    }
  | {
      /** A step of a poll has come to its end: a window, or a page. */
      readonly type: 'progress';
      readonly stream: StreamName;
      readonly accountId: string;
      readonly step: number;
      /** How many steps there are; null where the API has not said. */
      readonly of: number | null;
      /** Up to where windows have asked, epoch milliseconds; null where there are none. */
      readonly coveredUntilMs: number | null;
      /** Records that the poll has committed so far. */
      readonly records: number;
    }
  | {
      readonly type: 'request';
      readonly endpoint: string;
      /** Calls as Meta counts them: each item of a batch is one. */
      readonly calls: number;
      /** `ok` or the error's code. */
      readonly outcome: 'ok' | ErrorCode;
      readonly durationMs: number;
    }
  | {
      /** The forms of request that the enabled streams use were tried. */
      readonly type: 'contract-probed';
      readonly accountId: string;
      readonly forms: readonly ProbedForm[];
      /** As configured. */
      readonly version: string;
      /** The version that answered; null when nothing did. */
      readonly answeredBy: string | null;
    }
  | {
      /** The host refuses batches: single requests from now on. Reported once. */
      readonly type: 'batch-refused';
      readonly message: string;
    }
  | {
      /** Records of a page that were written as their schemas have it. */
      readonly type: 'encoded';
      readonly stream: StreamName;
      readonly records: number;
      readonly durationMs: number;
    }
  | {
      /** The state of a (stream, account) that was restored or committed. */
      readonly type: 'state';
      readonly stream: StreamName;
      readonly accountId: string;
      /** Epoch milliseconds. */
      readonly writtenAtMs: number;
      /** What it says of what the API refuses. */
      readonly refusals: readonly Refusal[];
    }
  | {
      readonly type: 'transaction';
      readonly partition: number;
      readonly records: number;
      readonly outcome: 'committed' | 'redone' | 'failed' | 'fenced';
      readonly durationMs: number;
    }
  | {
      readonly type: 'accounts';
      readonly added: readonly Account[];
      readonly removed: readonly Account[];
    }
  | {
      /** A person has paused a stream of an account, or lets it go on. */
      readonly type: 'paused';
      readonly stream: StreamName;
      readonly accountId: string;
      readonly isPaused: boolean;
    }
  | {
      /** How often a stream is polled has changed. */
      readonly type: 'interval';
      readonly stream: StreamName;
      readonly intervalMs: number;
    }
  | {
      /** How a scope of the quota stands; told when its state changes or its usage by some percent. */
      readonly type: 'scope';
      readonly scope: Scope;
      readonly percent: number;
      readonly state: Standing['state'];
      /** When a stopped scope is free again, epoch milliseconds; null when it is not stopped. */
      readonly untilMs: number | null;
    }
  | {
      /** A request that had to wait for a quota, told when it goes. */
      readonly type: 'quota-wait';
      readonly priority: Priority;
      readonly durationMs: number;
    }
  | {
      /** A token's life, told at the start and whenever it changes. */
      readonly type: 'token';
      /** Tells it from others without showing it: the business it is of, say; `default` for the only one. */
      readonly name: string;
      /** Epoch milliseconds; null when it never expires. */
      readonly expiresAtMs: number | null;
      /** The names of all tokens in use; others are not any more. */
      readonly inUse?: readonly string[];
      /** So many days or fewer are left, which a person should know: 14, 7, 1 or 0; null for more. */
      readonly warnAtDays?: number | null;
      /** What a person must do, in sentences; empty for nothing. */
      readonly action?: string;
    }
  | {
      /** The end of the configured version of the Graph API; reported at the start and daily. */
      readonly type: 'api-version';
      readonly version: string;
      /** Epoch milliseconds; null when no end is known. */
      readonly endsAtMs: number | null;
      /** The problem with it and the advice, in sentences; empty for none. */
      readonly warning: string;
    }
  | {
      /** A try to put a longer token in the place of one that ends soon. */
      readonly type: 'token-renewal';
      readonly name: string;
      readonly outcome: 'renewed' | 'failed';
      /** Why it failed, for a person; empty when it did not. */
      readonly message: string;
    }
  | {
      /** What this instance owns; told at each rebalance, and when it changes for another reason. */
      readonly type: 'share';
      readonly owned: readonly number[];
      readonly gained: readonly number[];
      readonly lost: readonly number[];
      /** How many partitions there are in all. */
      readonly partitions: number;
      /** `confirmed`: given up too early, and still its own by the group's word. */
      readonly cause: 'rebalance' | 'not-heard' | 'fenced' | 'confirmed' | 'left';
    }
  | {
      /** Another producer has taken a partition over that the group had given to this instance. */
      readonly type: 'fenced';
      readonly partition: number;
      readonly reason: string;
      /** How long it is left alone, if the group does not decide otherwise before. */
      readonly pauseMs: number;
    }
  | {
      readonly type: 'dependency';
      readonly name: DependencyName;
      readonly ready: boolean;
      /** Why not, for a person; empty when ready. */
      readonly reason: string;
      /** Not ready because it is being made so, as at every start, and not for any trouble. */
      readonly isStarting?: boolean;
    };

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
