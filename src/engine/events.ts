import type { Account } from './account.ts';
import type { Disposition, ErrorCode, Scope } from './errors.ts';
import type { Priority, ScopeStatus } from './rate-limit/quota.ts';
import type { DependencyName } from './readiness.ts';
import type { Refusal } from './state.ts';
import type { StreamName } from './stream-name.ts';
import type { Skipped } from './source.ts';

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

/** The size of a state in its topic. */
export interface StateSize {
  /** Of the record's value. */
  readonly bytes: number;
  /** The most bytes that the topic takes. */
  readonly limitBytes: number;
}

/** The result of a poll. */
export type PollResult = 'ok' | 'retry' | 'wait' | 'failed' | 'stopped';

/** The events of a running program; logs, metrics, health and the status page are made of them. */
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
      /** The media, albums' children, metrics and fields among them: ten at most. */
      readonly leftOut: readonly Skipped[];
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
      /** HTTP requests of the poll so far; absent where it has not begun. */
      readonly requests?: number;
      /** When it is tried again; null when it is not. */
      readonly retryInMs: number | null;
      /** When its next turn is, epoch milliseconds; null when there is none. */
      readonly nextPollMs: number | null;
    }
  | {
      /** A stream goes on from its state, and is not due yet by the last poll in it. */
      readonly type: 'poll-awaited';
      readonly stream: StreamName;
      readonly accountId: string;
      /** The beginning of that poll, and the next one, epoch milliseconds. */
      readonly polledMs: number;
      readonly nextPollMs: number;
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
      /** A batch is rejected as a whole: its objects are requested by single requests. */
      readonly type: 'batch-refused';
      /** True when the API says that it has no batches; reported once a process. */
      readonly isAbsent: boolean;
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
  | ({
      /** The size of a state that was restored or committed. */
      readonly type: 'state-size';
      readonly stream: StreamName;
      readonly accountId: string;
    } & StateSize)
  | {
      readonly type: 'transaction';
      readonly partition: number;
      readonly records: number;
      readonly outcome: 'committed' | 'redone' | 'failed' | 'fenced';
      readonly durationMs: number;
    }
  | {
      /** Brokers have a client wait for a quota. */
      readonly type: 'throttled';
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
      readonly state: ScopeStatus['state'];
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
      /** The API has begun to refuse a token, whatever it is used for, or has taken it again. */
      readonly type: 'token-refused';
      /** As in `token`. */
      readonly name: string;
      /** Null when it is taken again, or another one is in its place. */
      readonly refusal: { readonly code: ErrorCode; readonly message: string } | null;
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
