import type { Account } from './account.ts';
import type { CallResults } from './call-results.ts';
import type { SuspectedTruncation } from './change-set.ts';
import type { Disposition, ErrorCode, Scope, Skipped } from './errors.ts';
import type { Priority, ScopeStatus } from './rate-limit/quota.ts';
import type { DependencyName } from './readiness.ts';
import type { Pause, StreamState } from './state.ts';
import type { StreamName } from './stream-name.ts';

/** The API's reaction to one form of request. */
export interface ProbedForm {
  /** The stream that uses it; null where all do. */
  readonly stream: StreamName | null;
  /** `/{media}/insights`, or `batch`. */
  readonly endpoint: string;
  /** `partial`: some requests were rejected; `unknown`: nothing to try it on, or no answer. */
  readonly outcome: 'ok' | 'partial' | 'rejected' | 'unknown';
  /** The error code of the first rejection; null for none. */
  readonly code: ErrorCode | null;
  readonly message: string;
}

export interface StateSize {
  /** The size of the record's value. */
  readonly bytes: number;
  /** The most bytes that the topic accepts. */
  readonly limitBytes: number;
}

export type PollResult = 'ok' | 'retry' | 'wait' | 'failed' | 'stopped';

/** `webhook`: the poll publishes only what webhooks have reported. */
export type PollTrigger = 'schedule' | 'webhook';

/** The counts of a poll so far. */
export interface Tally {
  records: number;
  deadLetters: number;
  /** HTTP requests to the Graph API, failed tries included. */
  requests: number;
  /** Calls as Meta counts them: each item of a batch is one. */
  calls: number;
  /** Media that were requested one by one, and the nodes of the answers about them. */
  requestedMedia: number;
  answeredNodes: number;
  readonly skipped: Partial<Record<ErrorCode, number>>;
  /** The first skipped media, children, metrics and fields by name: a few of each reason. */
  readonly leftOut: Skipped[];
}

/** Changes of a webhook without an effect. */
export interface IgnoredChanges {
  /** The field's name as Meta sent it, shortened; empty without one. */
  readonly field: string;
  readonly reason:
    | 'unknown-field'
    /** The stream of the field is not enabled, or not for the account. */
    | 'stream-disabled'
    /** The account is not polled. */
    | 'unknown-account'
    | 'malformed'
    /** The app's subscription sends only the names of changed fields. */
    | 'no-values'
    /** The request is about another product, such as pages. */
    | 'unknown-object';
  readonly count: number;
}

/** The answer to a request of the webhook receiver. */
export const webhookOutcomes = [
  /** 200: its changes are committed, or have no effect. */
  'accepted',
  /** The handshake with the right token, 200. */
  'verified',
  /** The handshake with another token, 403. */
  'not-verified',
  /** 401: the signature is missing or is not that of the app's secret. */
  'bad-signature',
  /** 400: no webhook. */
  'malformed',
  /** 413. */
  'too-large',
  /** 429: more requests than the limit. */
  'rate-limited',
  /** 503: nothing is committed; Meta sends it again. */
  'unavailable',
  /** The request did not arrive in time, or its connection broke. */
  'incomplete',
  /** 404 and 405: another path or method. */
  'not-found',
] as const;

/** The stream and the account that an event concerns. */
interface OfPoll {
  readonly stream: StreamName;
  readonly accountId: string;
}

interface EventFacts {
  'poll-finished': OfPoll &
    Readonly<Tally> & {
      readonly unknownFields: readonly string[];
      readonly durationMs: number;
      readonly nextPollMs: number | null;
      readonly trigger: PollTrigger;
    };
  /** The records that a try of a poll committed, successful or not. */
  committed: Pick<OfPoll, 'stream'> & Readonly<Pick<Tally, 'records' | 'deadLetters'>>;
  'poll-failed': OfPoll & {
    readonly code: ErrorCode;
    readonly disposition: Disposition | 'unexpected';
    readonly message: string;
    /** HTTP requests of the poll so far; absent for a poll that has not begun. */
    readonly requests?: number;
    /** Milliseconds until the poll is retried; null when it is not. */
    readonly retryInMs: number | null;
    /** The due time of the next poll, epoch milliseconds; null when there is none. */
    readonly nextPollMs: number | null;
    readonly trigger: PollTrigger;
  };
  /** A stream continues from its state, whose last poll is less than an interval ago. */
  'poll-awaited': OfPoll & {
    /** The start of that poll, and the due time of the next one, epoch milliseconds. */
    readonly polledMs: number;
    readonly nextPollMs: number;
  };
  /** The calls for a page of a poll, or those that led to none. */
  calls: OfPoll & {
    readonly calls: number;
    /** Empty for calls of a try that failed after them. */
    readonly results: CallResults;
    /** The impressions of the account in a day, where a record of the page counts them. */
    readonly impressions: number | null;
  };
  /** A list looks truncated: nothing is deleted until a second scan lacks the same entries. */
  'truncation-suspected': OfPoll & SuspectedTruncation;
  /** A step of a poll has ended: a window, or a page. */
  progress: OfPoll & {
    readonly step: number;
    /** The number of steps; null where the API does not report it. */
    readonly of: number | null;
    /** The end of the last requested window, epoch milliseconds; null without windows. */
    readonly coveredUntilMs: number | null;
    /** Records that the poll has committed so far. */
    readonly records: number;
  };
  request: {
    readonly endpoint: string;
    /** Calls as Meta counts them: each item of a batch is one. */
    readonly calls: number;
    /** `ok` or the error's code. */
    readonly outcome: 'ok' | ErrorCode;
    readonly durationMs: number;
  };
  /** The contract probe has tried the forms of request that the enabled streams use. */
  'contract-probed': {
    readonly accountId: string;
    readonly forms: readonly ProbedForm[];
    /** The configured API version. */
    readonly version: string;
    /** The version that answered; null without an answer. */
    readonly answeredBy: string | null;
  };
  /** A batch is rejected as a whole: its objects are requested by single requests. */
  'batch-rejected': {
    /** True when the API reports that it has no batches; reported once a process. */
    readonly isAbsent: boolean;
    readonly message: string;
  };
  /** The records of a page were encoded by their schemas. */
  encoded: { readonly stream: StreamName; readonly records: number; readonly durationMs: number };
  /** The state of a (stream, account) that was restored or committed. */
  state: OfPoll & Pick<StreamState, 'writtenAtMs' | 'rejections'>;
  'state-size': OfPoll & StateSize;
  transaction: {
    readonly partition: number;
    readonly records: number;
    readonly outcome: 'committed' | 'redone' | 'failed' | 'fenced';
    readonly durationMs: number;
  };
  /** A broker delays a client for a quota. */
  throttled: { readonly durationMs: number };
  accounts: { readonly added: readonly Account[]; readonly removed: readonly Account[] };
  /** A person has paused or resumed a stream of an account, or a restored state has a pause. */
  paused: OfPoll & {
    /** Null after a resume. */
    readonly pause: Pause | null;
    /** True when the state topic has it. */
    readonly saved: boolean;
  };
  /** The state topic has the pause, or the resume, that `paused` has reported. */
  'pause-saved': OfPoll;
  /** Writing a pause, or a resume, into the state topic has failed. */
  'pause-unsaved': OfPoll & {
    /** The error, for a person. */
    readonly message: string;
    /** Milliseconds until it is written again. */
    readonly retryInMs: number;
  };
  interval: { readonly stream: StreamName; readonly intervalMs: number };
  /** The state of a quota's scope; reported when it changes, or its usage by some percent. */
  scope: { readonly scope: Scope } & ScopeStatus;
  /** A request was admitted after a wait for its quota. */
  'quota-wait': { readonly priority: Priority; readonly durationMs: number };
  /** The polls of a stream begin to wait for the quota of scopes; empty: they no longer wait. */
  'quota-awaited': OfPoll & { readonly scopes: readonly Scope[] };
  /** The validity of a token; reported at the start and whenever it changes. */
  token: {
    /** The token's name, such as the business it belongs to; `default` for one. */
    readonly name: string;
    /** Epoch milliseconds; null when it never expires. */
    readonly expiresAtMs: number | null;
    /** The names of all tokens in use; tokens that are not listed were removed. */
    readonly inUse?: readonly string[];
    /** The reached step of the expiry warning, in days: 14, 7, 1 or 0; null for none. */
    readonly warnAtDays?: number | null;
    /** The advice for a person, in sentences; empty for none. */
    readonly action?: string;
  };
  /** The API has begun to reject a token for every request, or accepts it again. */
  'token-rejected': {
    /** The token's name, as in `token`. */
    readonly name: string;
    /** The rejection; null when the token is accepted again, or was replaced. */
    readonly rejection: { readonly code: ErrorCode; readonly message: string } | null;
  };
  /** The end of the configured version of the Graph API; reported at the start and daily. */
  'api-version': {
    readonly version: string;
    /** Epoch milliseconds; null when no end is known. */
    readonly endsAtMs: number | null;
    /** The problem with it and the advice, in sentences; empty for none. */
    readonly warning: string;
  };
  /** An attempt to replace a token that expires soon. */
  'token-renewal': {
    readonly name: string;
    readonly outcome: 'renewed' | 'failed';
    /** The reason of the failure, for a person; empty after a success. */
    readonly message: string;
  };
  /** The assignment of this instance; reported at each rebalance and at every other change. */
  assignment: {
    readonly owned: readonly number[];
    readonly gained: readonly number[];
    readonly lost: readonly number[];
    readonly partitions: number;
    /** `confirmed`: given up too early, while the group still assigned it to this instance. */
    readonly cause: 'rebalance' | 'missed-heartbeats' | 'fenced' | 'confirmed' | 'left';
  };
  /** Another producer has acquired a partition that the group assigned to this instance. */
  fenced: {
    readonly partition: number;
    readonly reason: string;
    /** Milliseconds until this instance acquires it again, unless a rebalance comes first. */
    readonly pauseMs: number;
  };
  /** The receiver of Instagram's webhooks listens. */
  'webhook-listening': {
    /** Its own URL; the public one is that of the proxy before it. */
    readonly url: string;
  };
  /** The receiver of Instagram's webhooks has answered a request. */
  'webhook-request': {
    readonly outcome: (typeof webhookOutcomes)[number];
    /** The reason of a refusal, for a person; empty for none. */
    readonly reason: string;
    /** The committed changes by field. */
    readonly accepted: Readonly<Record<string, number>>;
    readonly ignored: readonly IgnoredChanges[];
    readonly durationMs: number;
  };
  /** Notifications were written to their topic or sent to the webhook, or could not be. */
  notifications: {
    readonly target: 'topic' | 'webhook';
    /** `failed`: the instance tries again; `dropped`: they were a day old. */
    readonly outcome: 'delivered' | 'failed' | 'dropped';
    /** The condition's key and status of each; empty when only the target works again or fails. */
    readonly notifications: readonly string[];
    /** The reason of a failure, for a person; empty for none. */
    readonly reason: string;
  };
  dependency: {
    readonly name: DependencyName;
    readonly ready: boolean;
    /** The reason for a person; empty when ready. */
    readonly reason: string;
    /** True while the dependency is being prepared, as at every start, without an error. */
    readonly isStarting?: boolean;
  };
}

/** The events of a running program; logs, metrics, health and the status page are made of them. */
export type TelemetryEvent = {
  [Type in keyof EventFacts]: { readonly type: Type } & EventFacts[Type];
}[keyof EventFacts];
