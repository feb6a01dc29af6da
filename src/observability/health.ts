import type { AccountHealth, HealthSnapshot } from '../engine/readiness.ts';
import type { ErrorCode } from '../engine/errors.ts';
import type { Refusal } from '../engine/state.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { ProbedForm, StateSize, TelemetryEvent } from '../engine/ports.ts';
import { type EventOf, isOneOf } from './event-kinds.ts';

/** The last reported status of a quota scope. */
export type ScopeHealth = Omit<EventOf<'scope'>, 'type'>;

/** The current error of one stream of one account, since its last success. */
export interface StreamError extends Pick<
  EventOf<'poll-failed'>,
  'code' | 'disposition' | 'message'
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

/** The sums and times of one stream of one account since the program started. */
export interface StreamTally {
  readonly polls: number;
  readonly records: number;
  readonly deadLetters: number;
  readonly requests: number;
  /** The time of the next poll, epoch milliseconds; null when unknown. */
  readonly nextPollMs: number | null;
  readonly trouble: StreamError | null;
  /** The time of the last write of the state, epoch milliseconds; null without a state. */
  readonly stateMs: number | null;
  /** The rejections in the state. */
  readonly refusals: readonly Refusal[];
  /** The size of the last written state; null without a state. */
  readonly stateSize: StateSize | null;
}

/** The status of a token. */
export interface TokenHealth {
  /** Epoch milliseconds; null for never, undefined when unknown. */
  readonly expiresAtMs: number | null | undefined;
  /** The advice about the token's expiry; empty for none. */
  readonly action: string;
  /** The API's rejection of the token; null while the API accepts it. */
  readonly refusal: TokenRejection | null;
}

/**
 * The end of a token's validity, epoch milliseconds: its expiry, or its rejection when that came
 * earlier.
 */
export function endOfUse({ expiresAtMs = null, refusal }: TokenHealth): number | null {
  if (refusal === null) return expiresAtMs;
  return Math.min(expiresAtMs ?? Infinity, refusal.sinceMs);
}

/** The API's rejection of a token, with its start in epoch milliseconds. */
export interface TokenRejection {
  readonly code: ErrorCode;
  readonly message: string;
  readonly sinceMs: number;
}

/** The configured version of the Graph API and its end. */
export type ApiVersionHealth = Omit<EventOf<'api-version'>, 'type'>;

/** The status of one account. */
export interface AccountStatus extends AccountHealth {
  readonly username: string | null;
  readonly paused: ReadonlySet<StreamName>;
  readonly streams: Readonly<Partial<Record<StreamName, StreamTally>>>;
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
  readonly apiVersion: ApiVersionHealth | null;
  /** The results of the last probe of each form of request; empty before the first probe. */
  readonly forms: readonly ProbedForm[];
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
  };
}

/** Events that are only counted. */
const countedOnly = [
  'committed',
  'progress',
  'request',
  'batch-refused',
  'quota-wait',
  'transaction',
  'encoded',
  'fenced',
  'token-renewal',
  'list-doubted',
  'throttled',
] as const satisfies readonly TelemetryEvent['type'][];

/** Events of one stream of one account. */
const accountEvents = [
  'poll-finished',
  'poll-failed',
  'poll-awaited',
  'state',
  'state-size',
  'paused',
] as const satisfies readonly TelemetryEvent['type'][];

/**
 * Returns the health after an event. Do not use the input any more: the result shares its maps of
 * accounts and scopes.
 *
 * @param nowMs - the time of the event, epoch milliseconds
 */
export function reduceHealth(
  health: ServiceHealth,
  event: TelemetryEvent,
  nowMs: number,
): ServiceHealth {
  if (isOneOf(event, countedOnly)) return health;
  if (isOneOf(event, accountEvents)) {
    return changeAccount(health, event.accountId, (account) =>
      updateAccount(account, event, nowMs),
    );
  }
  if (isOneOf(event, ['api-version', 'contract-probed', 'token-refused'])) {
    return { ...health, ...updateApi(health, event, nowMs) };
  }
  switch (event.type) {
    case 'dependency': {
      const { name, ready, reason } = event;
      return { ...health, dependencies: { ...health.dependencies, [name]: { ready, reason } } };
    }
    case 'accounts':
      return updateAccounts(health, event, nowMs);
    case 'share':
      return { ...health, partitions: event.owned, partitionCount: event.partitions };
    case 'interval': {
      const { stream, intervalMs } = event;
      return { ...health, streams: { ...health.streams, [stream]: { intervalMs } } };
    }
    case 'scope': {
      const { scope, percent, state, untilMs } = event;
      mutable(health.scopes).set(keyOf(scope), { scope, percent, state, untilMs });
      return health;
    }
    case 'token':
      return { ...health, tokens: withToken(health.tokens, event) };
  }
}

function updateApi(
  { tokens }: ServiceHealth,
  event: EventOf<'api-version'> | EventOf<'contract-probed'> | EventOf<'token-refused'>,
  nowMs: number,
): Partial<ServiceHealth> {
  if (event.type === 'token-refused') return { tokens: withRejection(tokens, event, nowMs) };
  if (event.type === 'contract-probed') return { forms: event.forms };
  const { version, endsAtMs, warning } = event;
  return { apiVersion: { version, endsAtMs, warning } };
}

function withToken(
  tokens: ServiceHealth['tokens'],
  { name, expiresAtMs, action = '', inUse }: EventOf<'token'>,
): ServiceHealth['tokens'] {
  const kept = [...tokens].filter(([token]) => inUse?.includes(token) ?? true);
  const refusal = tokens.get(name)?.refusal ?? null;
  return new Map(kept).set(name, { expiresAtMs, action, refusal });
}

/** Records a token's rejection; removes a token that was known only by a rejection that ended. */
function withRejection(
  tokens: ServiceHealth['tokens'],
  { name, refusal }: EventOf<'token-refused'>,
  nowMs: number,
): ServiceHealth['tokens'] {
  const before = tokens.get(name) ?? { expiresAtMs: undefined, action: '', refusal: null };
  const after = new Map(tokens);
  if (refusal === null && before.expiresAtMs === undefined) {
    after.delete(name);
    return after;
  }
  const sinceMs = before.refusal?.sinceMs ?? nowMs;
  return after.set(name, { ...before, refusal: refusal && { ...refusal, sinceMs } });
}

function updateAccount(
  account: AccountStatus,
  event: EventOf<(typeof accountEvents)[number]>,
  nowMs: number,
): AccountStatus {
  switch (event.type) {
    case 'poll-finished':
      return withSuccess(account, event, nowMs);
    case 'poll-failed':
      return withFailure(account, event, nowMs);
    case 'poll-awaited':
      return withNextPoll(account, event);
    case 'state':
      return withState(account, event);
    case 'state-size':
      return withStateSize(account, event);
    case 'paused':
      return withPause(account, event);
  }
}

function keyOf({ kind, id }: ScopeHealth['scope']): string {
  return `${kind} ${id}`.trimEnd();
}

const newAccount = { succeededAtMs: {}, streams: {}, stopped: null, paused: new Set<StreamName>() };

function updateAccounts(
  health: ServiceHealth,
  { added, removed }: EventOf<'accounts'>,
  nowMs: number,
): ServiceHealth {
  const accounts = mutable(health.accounts);
  const scopes = mutable(health.scopes);
  for (const { id } of removed) {
    accounts.delete(id);
    scopes.delete(keyOf({ kind: 'account', id }));
  }
  for (const { id, username } of added) {
    const known = accounts.get(id);
    const account = known && withoutStops(known);
    accounts.set(id, account ?? { ...newAccount, addedAtMs: nowMs, username });
  }
  return health;
}

/** Removes stop errors from an account that is polled again. */
function withoutStops(account: AccountStatus): AccountStatus {
  const streams = Object.entries(account.streams).map(([name, tally]) => [
    name,
    tally.trouble?.disposition.startsWith('stop-') === true ? { ...tally, trouble: null } : tally,
  ]);
  return {
    ...account,
    stopped: null,
    streams: Object.fromEntries(streams) as typeof account.streams,
  };
}

/**
 * Changes a known account. A poll may end after its account was removed; the account stays removed.
 */
function changeAccount(
  health: ServiceHealth,
  id: string,
  change: (account: AccountStatus) => AccountStatus,
): ServiceHealth {
  const account = health.accounts.get(id);
  if (account !== undefined) mutable(health.accounts).set(id, change(account));
  return health;
}

/** Casts a map of the health to its mutable form; only the reducer writes to it. */
function mutable<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
  return map as Map<Key, Value>;
}

/** The tally of a stream before the end of its first poll. */
export const emptyTally: StreamTally = {
  polls: 0,
  records: 0,
  deadLetters: 0,
  requests: 0,
  nextPollMs: null,
  trouble: null,
  stateMs: null,
  refusals: [],
  stateSize: null,
};

function withPause(account: AccountStatus, event: EventOf<'paused'>): AccountStatus {
  const others = [...account.paused].filter((stream) => stream !== event.stream);
  return { ...account, paused: new Set(event.isPaused ? [...others, event.stream] : others) };
}

function withNextPoll(
  account: AccountStatus,
  { stream, polledMs, nextPollMs }: EventOf<'poll-awaited'>,
): AccountStatus {
  const before = account.streams[stream] ?? emptyTally;
  return {
    ...account,
    succeededAtMs: { [stream]: polledMs, ...account.succeededAtMs },
    streams: { ...account.streams, [stream]: { ...before, nextPollMs } },
  };
}

function withState(
  account: AccountStatus,
  { stream, writtenAtMs, refusals }: EventOf<'state'>,
): AccountStatus {
  const before = account.streams[stream] ?? emptyTally;
  return {
    ...account,
    streams: { ...account.streams, [stream]: { ...before, stateMs: writtenAtMs, refusals } },
  };
}

function withStateSize(
  account: AccountStatus,
  { stream, bytes, limitBytes }: EventOf<'state-size'>,
): AccountStatus {
  const before = account.streams[stream] ?? emptyTally;
  const stateSize = { bytes, limitBytes };
  return { ...account, streams: { ...account.streams, [stream]: { ...before, stateSize } } };
}

function withSuccess(
  account: AccountStatus,
  event: EventOf<'poll-finished'>,
  nowMs: number,
): AccountStatus {
  const { stream } = event;
  const before = account.streams[stream] ?? emptyTally;
  // A poll that was running when the account was stopped does not resume the account.
  return {
    ...account,
    succeededAtMs: { ...account.succeededAtMs, [stream]: nowMs },
    streams: {
      ...account.streams,
      [stream]: {
        ...before,
        polls: before.polls + 1,
        records: before.records + event.records,
        deadLetters: before.deadLetters + event.deadLetters,
        requests: before.requests + event.requests,
        nextPollMs: event.nextPollMs,
        trouble: null,
      },
    },
  };
}

function withFailure(
  account: AccountStatus,
  event: EventOf<'poll-failed'>,
  nowMs: number,
): AccountStatus {
  const { stream, code, disposition, message, retryInMs, nextPollMs } = event;
  const before = account.streams[stream] ?? emptyTally;
  const trouble: StreamError = {
    code,
    disposition,
    message,
    sinceMs: before.trouble?.sinceMs ?? nowMs,
    atMs: nowMs,
    tries: (before.trouble?.tries ?? 0) + 1,
    retryAtMs: retryInMs === null ? null : nowMs + retryInMs,
  };
  return {
    ...account,
    stopped: disposition === 'stop-account' ? trouble : account.stopped,
    streams: { ...account.streams, [stream]: { ...before, nextPollMs, trouble } },
  };
}
