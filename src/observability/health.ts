import type { AccountHealth, HealthSnapshot } from '../engine/readiness.ts';
import type { ErrorCode, Scope } from '../engine/errors.ts';
import { scopeKey } from '../engine/limits.ts';
import type { Pause, Rejection } from '../engine/state.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { ProbedForm, StateSize, TelemetryEvent } from '../engine/ports.ts';
import { type EventHandlers, type EventOf, handle } from './event-handlers.ts';
import { type TokenHealth, withRejection, withToken } from './token-health.ts';
import { type WebhookHealth, afterRequest, listening } from './webhook-health.ts';

/** The last reported status of a quota scope. */
export type ScopeHealth = Omit<EventOf<'scope'>, 'type'>;

/** The current error of one stream of one account, since its last success. */
export interface StreamError extends Pick<
  EventOf<'poll-failed'>,
  'code' | 'disposition' | 'message' | 'trigger'
> {
  /** The times of the first and the latest failure, epoch milliseconds. */
  readonly sinceMs: number;
  readonly atMs: number;
  /** Failed attempts since the last success. */
  readonly tries: number;
  /**
   * The time of the retry, epoch milliseconds; null when the next attempt is the next regular poll.
   */
  readonly retryAtMs: number | null;
}

/** The sums and times of one stream of one account since this instance has polled the account. */
export interface StreamTally {
  readonly polls: number;
  readonly records: number;
  /** The end of the last poll that published a record, epoch milliseconds; null for none. */
  readonly recordMs: number | null;
  readonly deadLetters: number;
  /** The end of the last poll with a dead letter, new or known, epoch milliseconds; null for none. */
  readonly deadLetterMs: number | null;
  readonly requests: number;
  /** The time of the next poll, epoch milliseconds; null when unknown. */
  readonly nextPollMs: number | null;
  readonly error: StreamError | null;
  /** The time of the last write of the state, epoch milliseconds; null without a state. */
  readonly stateMs: number | null;
  /** The rejections in the state. */
  readonly rejections: readonly Rejection[];
  /** The size of the last written state; null without a state. */
  readonly stateSize: StateSize | null;
}

/** A pause of a stream, as far as it is known to be in the state topic. */
export interface SavedPause extends Pause {
  readonly saved: boolean;
}

export interface AccountStatus extends AccountHealth {
  readonly username: string | null;
  /** The name of the token that reaches it, as in `tokens`. */
  readonly token: string;
  readonly paused: ReadonlyMap<StreamName, SavedPause>;
  readonly awaited: NonNullable<AccountHealth['awaited']>;
  readonly streams: Readonly<Record<StreamName, StreamTally>>;
  /** The error that stops all streams of the account; null for none. */
  readonly stopped: StreamError | null;
}

/**
 * The input of readiness, metrics and the status page. The maps of accounts and scopes are mutable:
 * a copy for each event would take a millisecond with 10,000 accounts.
 */
export interface ServiceHealth extends HealthSnapshot {
  readonly accounts: ReadonlyMap<string, AccountStatus>;
  /** The number of partitions of the state topic; 0 before the instance has joined the group. */
  readonly partitionCount: number;
  /** The reported quota scopes, by `<kind> <id>`. */
  readonly scopes: ReadonlyMap<string, ScopeHealth>;
  /** The tokens' expiry and advice, by token name. */
  readonly tokens: ReadonlyMap<string, TokenHealth>;
  /** Null before the start has reported the version. */
  readonly apiVersion: Omit<EventOf<'api-version'>, 'type'> | null;
  /** The results of the last probe of each form of request; empty before the first probe. */
  readonly forms: readonly ProbedForm[];
  /** The time of that probe, epoch milliseconds; 0 before the first. */
  readonly probedAtMs: number;
  /** The last time the accounts of every token were listed, epoch milliseconds; 0 for never. */
  readonly listedAtMs: number;
  /** The receiver of Instagram's webhooks; null while it does not listen. */
  readonly webhooks: WebhookHealth | null;
}

/** Health before the first event: no dependency is ready, no account is known. */
export function initialHealth(streams: ServiceHealth['streams']): ServiceHealth {
  return {
    dependencies: {
      state: { ready: false, reason: 'not restored yet' },
      kafka: { ready: false, reason: 'not connected yet' },
      registry: { ready: false, reason: 'not connected yet' },
      graph: { ready: false, reason: 'not connected yet' },
      group: { ready: false, reason: 'not joined yet' },
    },
    streams,
    accounts: new Map(),
    partitions: [],
    partitionCount: 0,
    scopes: new Map(),
    tokens: new Map(),
    apiVersion: null,
    forms: [],
    probedAtMs: 0,
    listedAtMs: 0,
    webhooks: null,
  };
}

/**
 * Returns the health after an event. Do not use the input any more: the result shares its maps of
 * accounts and scopes.
 * @param nowMs - the time of the event, epoch milliseconds
 */
export function reduceHealth(
  health: ServiceHealth,
  event: TelemetryEvent,
  nowMs: number,
): ServiceHealth {
  return handle(reducers, event, health, nowMs) ?? health;
}

/** The health after an event. Events without a reducer are only counted or logged. */
const reducers: Partial<EventHandlers<[ServiceHealth, number], ServiceHealth>> = {
  dependency: ({ name, ready, reason }, health, nowMs) => ({
    ...health,
    dependencies: { ...health.dependencies, [name]: { ready, reason } },
    ...(name === 'graph' && ready && { listedAtMs: nowMs }),
  }),
  assignment: ({ owned, partitions }, health) => ({
    ...health,
    partitions: owned,
    partitionCount: partitions,
  }),
  interval: ({ stream, intervalMs }, health) => ({
    ...health,
    streams: { ...health.streams, [stream]: { intervalMs } },
  }),
  scope: ({ scope, percent, state, untilMs }, health) => {
    mutable(health.scopes).set(scopeKey(scope), { scope, percent, state, untilMs });
    return health;
  },
  'quota-awaited': ({ accountId, stream, scopes }, health) =>
    changeAccount(health, accountId, ({ awaited }) => {
      const others = [...awaited].filter(([name]) => name !== stream);
      return { awaited: new Map(scopes.length === 0 ? others : [...others, [stream, scopes]]) };
    }),
  token: (event, health) => ({ ...health, tokens: withToken(health.tokens, event) }),
  'token-rejected': (event, health, nowMs) => ({
    ...health,
    tokens: withRejection(health.tokens, event, nowMs),
  }),
  'api-version': ({ version, endsAtMs, warning }, health) => ({
    ...health,
    apiVersion: { version, endsAtMs, warning },
  }),
  'contract-probed': ({ forms }, health, nowMs) => ({ ...health, forms, probedAtMs: nowMs }),
  'webhook-listening': (event, health) => ({ ...health, webhooks: listening(event) }),
  'webhook-request': (event, health, nowMs) => ({
    ...health,
    webhooks: health.webhooks && afterRequest(health.webhooks, event, nowMs),
  }),
  accounts: updateAccounts,
  paused: ({ accountId, stream, pause, saved }, health) =>
    changeAccount(health, accountId, ({ paused }) => {
      const others = [...paused].filter(([name]) => name !== stream);
      const own = pause === null ? [] : [[stream, { ...pause, saved }] as const];
      return { paused: new Map([...others, ...own]) };
    }),
  'pause-saved': ({ accountId, stream }, health) =>
    changeAccount(health, accountId, ({ paused }) => {
      const pause = paused.get(stream);
      return pause === undefined
        ? {}
        : { paused: new Map(paused).set(stream, { ...pause, saved: true }) };
    }),
  'poll-finished': withSuccess,
  'poll-failed': withFailure,
  'poll-awaited': (event, health) => {
    const { stream, polledMs, nextPollMs } = event;
    return changeStream(health, event, (_tally, { succeededAtMs }) => [
      { nextPollMs },
      { succeededAtMs: { [stream]: polledMs, ...succeededAtMs } },
    ]);
  },
  state: (event, health) =>
    changeStream(health, event, () => [
      { stateMs: event.writtenAtMs, rejections: event.rejections },
    ]),
  'state-size': (event, health) => {
    const { bytes, limitBytes } = event;
    return changeStream(health, event, () => [{ stateSize: { bytes, limitBytes } }]);
  },
};

const newAccount = {
  succeededAtMs: {},
  streams: {},
  stopped: null,
  paused: new Map<StreamName, SavedPause>(),
  awaited: new Map<StreamName, readonly Scope[]>(),
};

function updateAccounts(
  { added, removed }: EventOf<'accounts'>,
  health: ServiceHealth,
  nowMs: number,
): ServiceHealth {
  const accounts = mutable(health.accounts);
  for (const { id, pageId } of removed) {
    accounts.delete(id);
    mutable(health.scopes).delete(scopeKey({ kind: 'account', id }));
    if (pageId !== null) mutable(health.scopes).delete(scopeKey({ kind: 'page', id: pageId }));
  }
  for (const { id, username, token = 'default', polling } of added) {
    const known = accounts.get(id);
    const account = known && withoutStops(known);
    accounts.set(id, {
      ...(account ?? { ...newAccount, addedAtMs: nowMs, username, token }),
      polling,
    });
  }
  return health;
}

/** Removes stop errors from an account that is polled again. */
function withoutStops(account: AccountStatus): AccountStatus {
  const streams = Object.entries(account.streams).map(([name, tally]) => [
    name,
    isStop(tally.error) ? { ...tally, error: null } : tally,
  ]);
  return {
    ...account,
    stopped: null,
    streams: Object.fromEntries(streams) as typeof account.streams,
  };
}

/** True for an error that stops a stream or its account until a person acts. */
export function isStop(error: StreamError | null | undefined): boolean {
  return error?.disposition.startsWith('stop-') === true;
}

/**
 * Changes a known account. A poll may end after its account was removed; the account stays removed.
 */
function changeAccount(
  health: ServiceHealth,
  id: string,
  change: (account: AccountStatus) => Partial<AccountStatus>,
): ServiceHealth {
  const account = health.accounts.get(id);
  if (account === undefined) return health;
  mutable(health.accounts).set(id, { ...account, ...change(account) });
  return health;
}

/** Changes one stream of a known account, and what else of the account changes with it. */
function changeStream(
  health: ServiceHealth,
  { stream, accountId }: { readonly stream: StreamName; readonly accountId: string },
  change: (
    tally: StreamTally,
    account: AccountStatus,
  ) => readonly [Partial<StreamTally>, Partial<AccountStatus>?],
): ServiceHealth {
  return changeAccount(health, accountId, (account) => {
    const before = account.streams[stream] ?? emptyTally;
    const [tally, rest] = change(before, account);
    return { ...rest, streams: { ...account.streams, [stream]: { ...before, ...tally } } };
  });
}

/** Casts a map of the health to its mutable form; only the reducers write to it. */
function mutable<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
  return map as Map<Key, Value>;
}

/** The tally of a stream before the end of its first poll. */
export const emptyTally: StreamTally = {
  polls: 0,
  records: 0,
  recordMs: null,
  deadLetters: 0,
  deadLetterMs: null,
  requests: 0,
  nextPollMs: null,
  error: null,
  stateMs: null,
  rejections: [],
  stateSize: null,
};

/** The codes with which a poll counts a dead letter that an earlier poll has written. */
const deadLetterCodes: readonly ErrorCode[] = [
  'mapping.invalid',
  'encoding.invalid',
  'graph.bad-body',
  'kafka.record-too-large',
];

/** A poll that was running when the account was stopped does not resume the account. */
function withSuccess(
  event: EventOf<'poll-finished'>,
  health: ServiceHealth,
  nowMs: number,
): ServiceHealth {
  const { stream, records, deadLetters, requests, skipped, nextPollMs, trigger } = event;
  const isOfSchedule = trigger === 'schedule';
  const isClean = deadLetters === 0 && deadLetterCodes.every((code) => skipped[code] === undefined);
  return changeStream(health, event, (before, { succeededAtMs }) => [
    {
      polls: before.polls + 1,
      records: before.records + records,
      ...(records > 0 && { recordMs: nowMs }),
      deadLetters: before.deadLetters + deadLetters,
      ...(!isClean && { deadLetterMs: nowMs }),
      requests: before.requests + requests,
      nextPollMs,
      // A poll of webhook changes proves nothing about the requests of the schedule.
      error: isOfSchedule || before.error?.trigger === 'webhook' ? null : before.error,
    },
    isOfSchedule ? { succeededAtMs: { ...succeededAtMs, [stream]: nowMs } } : {},
  ]);
}

function withFailure(
  event: EventOf<'poll-failed'>,
  health: ServiceHealth,
  nowMs: number,
): ServiceHealth {
  const { code, disposition, message, retryInMs, nextPollMs, trigger } = event;
  return changeStream(health, event, ({ error: before, deadLetterMs }) => {
    const error: StreamError = {
      code,
      disposition,
      message,
      trigger: before?.trigger === 'schedule' ? 'schedule' : trigger,
      sinceMs: before?.sinceMs ?? nowMs,
      atMs: nowMs,
      tries: (before?.tries ?? 0) + 1,
      retryAtMs: retryInMs === null ? null : nowMs + retryInMs,
    };
    const letter = { deadLetterMs: disposition === 'dead-letter' ? nowMs : deadLetterMs };
    return [
      { nextPollMs, error, ...letter },
      disposition === 'stop-account' ? { stopped: error } : {},
    ];
  });
}
