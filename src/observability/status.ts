import { isPolled } from '../engine/account.ts';
import { advice } from '../engine/advice.ts';
import { largest } from '../engine/extremes.ts';
import { type Limit, lastLimit, scopeStateAt } from '../engine/limits.ts';
import {
  accountIntervalMs,
  awaitedSinceMs,
  dependencyNames,
  pauseOf,
  readiness,
  toleratedIntervals,
} from '../engine/readiness.ts';
import type { StreamName } from '../engine/stream-name.ts';
import { daysLeft } from '../engine/token-life.ts';
import {
  type AccountStatus,
  type SavedPause,
  type ServiceHealth,
  type StreamError,
  emptyTally,
  isStop,
} from './health.ts';
import {
  type CallLimit,
  describeAccountCalls,
  describeStreamCalls,
  type MeasuredCalls,
} from './measured-calls.ts';
import type { StatusQuery } from './status-query.ts';
import { endOfUse } from './token-health.ts';
import { describeProblems } from './problems.ts';

/** The program's own facts in `/status`. */
export interface StatusFacts {
  readonly version: string;
  readonly instance: string;
  readonly startedMs: number;
  readonly nowMs: number;
  /** True when a control token is configured. */
  readonly controlEnabled: boolean;
  readonly calls: MeasuredCalls;
  readonly callLimit: CallLimit;
}

/** Scopes shown at most; with hundreds of accounts, the most used ones. */
const shownScopes = 25;

/**
 * Creates the answer of `/status`, bounded in size; pure. Adding a field is compatible; any other
 * change raises `formatVersion`.
 */
export function describeStatus(health: ServiceHealth, query: StatusQuery, facts: StatusFacts) {
  const { version, instance, startedMs, nowMs, controlEnabled } = facts;
  const entries = accountEntries(health, nowMs);
  const chosen = entries.filter((entry) => isChosen(entry, query)).sort(byUrgency);
  const quota = quotaEntries(health, nowMs);
  return {
    formatVersion: 1 as const,
    program: { version, instance },
    startedAt: iso(startedMs),
    now: iso(nowMs),
    controlEnabled,
    ...readiness(health, nowMs),
    /** The number of partitions of the state topic; 0 before this instance has joined. */
    partitionCount: health.partitionCount,
    dependencies: dependencyNames.map((name) => ({ name, ...health.dependencies[name] })),
    tokens: tokenEntries(health, nowMs),
    /** Null before the start has reported it. */
    apiVersion: versionEntry(health, nowMs),
    /** The receiver of Instagram's webhooks; null while it does not listen. */
    webhooks: webhookEntry(health),
    quota: { total: quota.length, items: quota.slice(0, shownScopes) },
    streams: streamSummaries(health, entries, facts),
    /** The accounts whose calls exceed Meta's limit; those that exceed it most come first. */
    overLimit: overLimit(entries, facts),
    /** The errors, and limits that polls wait for; those that need a person come first. */
    trouble: describeProblems(entries),
    accounts: {
      total: entries.length,
      /** The number of accounts that match the query. */
      matching: chosen.length,
      offset: query.offset,
      items: chosen.slice(query.offset, query.offset + query.limit).map((entry) => ({
        ...entry,
        /** The calls of the last 24 hours; null for an account that is not polled yet. */
        calls: callsOf(entry, facts),
        /** The usage of its quota, in percent as the API has reported it last; null for none. */
        usagePercent: usageOf(entry, health),
      })),
    },
  };
}

/** The answer of `/status`. */
export type Status = ReturnType<typeof describeStatus>;

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}

function accountEntries({ accounts, streams, scopes }: ServiceHealth, nowMs: number) {
  const enabled = Object.entries(streams);
  return [...accounts].map(([id, account]) => ({
    id,
    username: account.username,
    error: describeError(account.stopped),
    streams: enabled
      .filter(([name]) => isPolled(account, name))
      .map(([name, health]) => {
        const intervalMs = accountIntervalMs(account, name, health);
        const limit = lastLimit(account.awaited.get(name), scopes, nowMs);
        return streamStatus(account, { name, intervalMs, limit }, nowMs);
      }),
  }));
}

export type AccountEntry = ReturnType<typeof accountEntries>[number];

/** Accounts over their limit that are shown. */
const shownOver = 10;

function overLimit(entries: readonly AccountEntry[], facts: StatusFacts) {
  const over = entries.flatMap(({ id, username, streams }) => {
    const calls = callsOf({ id, streams }, facts);
    if (calls?.fits !== false) return [];
    const { perDay, limit, fittingInterval } = calls;
    return [{ id, username, perDay, limit, fittingInterval }];
  });
  const excessOf = ({ perDay, limit }: (typeof over)[number]) => (perDay ?? 0) / (limit ?? 1);
  const items = over.sort((a, b) => excessOf(b) - excessOf(a)).slice(0, shownOver);
  return { total: over.length, items };
}

function usageOf({ id }: AccountEntry, { scopes }: ServiceHealth): number | null {
  const scope = scopes.get(`account ${id}`);
  return scope === undefined ? null : Math.round(scope.percent);
}

function callsOf({ id, streams }: Pick<AccountEntry, 'id' | 'streams'>, facts: StatusFacts) {
  const intervals = Object.fromEntries(
    streams.map(({ stream, intervalSeconds }) => [stream, intervalSeconds]),
  );
  return describeAccountCalls(facts.calls, { id, intervals }, facts);
}

function isChosen({ id, username, streams }: AccountEntry, query: StatusQuery): boolean {
  const search = query.search.toLowerCase();
  const found = id.includes(search) || (username ?? '').toLowerCase().includes(search);
  return found && (!query.trouble || streams.some(({ state }) => urgencyOf(state) > 0));
}

function byUrgency(a: AccountEntry, b: AccountEntry): number {
  const urgency = ({ streams }: AccountEntry) =>
    largest(
      streams.map(({ state }) => urgencyOf(state)),
      0,
    );
  return urgency(b) - urgency(a) || (a.id < b.id ? -1 : 1);
}

function tokenEntries({ tokens }: ServiceHealth, nowMs: number) {
  return [...tokens].map(([name, token]) => {
    const { action, rejection } = token;
    const endMs = endOfUse(token);
    const todo = rejection === null ? action : advice[rejection.code];
    return {
      name,
      /** Null when the token never expires; for a rejected token, the start of the rejection. */
      expiresAt: isoOrNull(endMs),
      daysLeft: endMs === null ? null : daysLeft(endMs, nowMs),
      action: todo === '' ? null : todo,
      /** The API's rejection of the token; null for none. */
      refusal: rejection && { code: rejection.code, message: rejection.message },
    };
  });
}

function versionEntry({ apiVersion }: ServiceHealth, nowMs: number) {
  if (apiVersion === null) return null;
  const { version, endsAtMs, warning } = apiVersion;
  return {
    version,
    /** Null when no end is known. */
    endsAt: isoOrNull(endsAtMs),
    daysLeft: endsAtMs === null ? null : daysLeft(endsAtMs, nowMs),
    /** The problem and the advice; null for none. */
    warning: warning === '' ? null : warning,
  };
}

function webhookEntry({ webhooks }: ServiceHealth) {
  if (webhooks === null) return null;
  const { url, acceptedAtMs, refused } = webhooks;
  return {
    url,
    lastAccepted: isoOrNull(acceptedAtMs),
    /** The last refused request; null for none. */
    lastRefused: refused && {
      at: iso(refused.atMs),
      outcome: refused.outcome,
      reason: refused.reason,
    },
  };
}

/** The quota's scopes, those that are limited and most used first. */
function quotaEntries({ scopes }: ServiceHealth, nowMs: number) {
  const entries = [...scopes.values()].map((one) => {
    const { scope, percent } = one;
    const { state, untilMs } = scopeStateAt(one, nowMs);
    return {
      scope: scope.kind,
      /** The account's or page's id, or the token's name; null for the only token. */
      id: scope.id || null,
      percent: Math.round(percent),
      state,
      /** The time at which a stopped scope is free again; null when it is not stopped. */
      until: isoOrNull(untilMs),
    };
  });
  const limited = ({ state }: (typeof entries)[number]) =>
    ['free', 'slowed', 'stopped'].indexOf(state);
  return entries.sort((a, b) => limited(b) - limited(a) || b.percent - a.percent);
}

function streamSummaries(
  { streams }: ServiceHealth,
  entries: readonly AccountEntry[],
  { calls, nowMs }: StatusFacts,
) {
  return Object.entries(streams).map(([name, { intervalMs }]) => {
    const all = entries.flatMap((entry) => entry.streams.filter(({ stream }) => stream === name));
    const states: Partial<Record<PollingState, number>> = {};
    for (const { state } of all) states[state] = (states[state] ?? 0) + 1;
    const sum = (pick: (one: StreamStatus) => number) => all.reduce((so, one) => so + pick(one), 0);
    return {
      name,
      intervalSeconds: intervalMs / 1000,
      /** The number of accounts by the state of the stream. */
      states,
      records: sum(({ records }) => records),
      requests: sum(({ requests }) => requests),
      deadLetters: sum(({ deadLetters }) => deadLetters),
      /** The calls of the last 24 hours of all accounts, and those that found nothing new. */
      calls: describeStreamCalls(calls, name, nowMs),
      /** The last success of the account that waits longest; null while an account has none. */
      oldestSuccess: oldestOf(all.map(({ lastSuccess }) => lastSuccess)),
    };
  });
}

/** Returns the oldest time; ISO times sort as text. */
function oldestOf(times: readonly (string | null)[]): string | null {
  return times.includes(null) ? null : (times.toSorted()[0] ?? null);
}

/**
 * The states of one stream of one account, by urgency: `stopped` until a person acts, `failed`
 * until its next poll, `late` by more than two intervals without an error, `retrying` soon,
 * `waiting` for a limit, `paused` by a person, `starting` before its first success, `ok`.
 */
const streamStates = [
  'stopped',
  'failed',
  'late',
  'retrying',
  'waiting',
  'paused',
  'starting',
  'ok',
] as const;
type PollingState = (typeof streamStates)[number];

/** The urgency of a state; 0 needs no attention. */
function urgencyOf(state: PollingState): number {
  const quiet = streamStates.indexOf('waiting');
  return Math.max(0, quiet - streamStates.indexOf(state));
}

interface StreamFacts {
  readonly name: StreamName;
  readonly intervalMs: number;
  /** The limit that a poll waits for; null for none. */
  readonly limit: Limit | null;
}

/** The status of one stream of one account; sums start with the program. */
function streamStatus(
  account: AccountStatus,
  { name, intervalMs, limit }: StreamFacts,
  nowMs: number,
) {
  const { nextPollMs, error, polls, records, recordMs, requests, deadLetters } =
    account.streams[name] ?? emptyTally;
  const succeededMs = account.succeededAtMs[name];
  const ageMs = nowMs - (succeededMs ?? account.addedAtMs);
  const pause = pauseOf(account.paused, name, nowMs);
  const state = stateOf({
    isPaused: pause !== null,
    isLimited: limit !== null,
    error: account.stopped ?? error,
    awaitedIntervals: (nowMs - awaitedSinceMs(account, name)) / intervalMs,
    hasSucceeded: succeededMs !== undefined,
  });
  return {
    stream: name,
    state,
    lastSuccess: isoOrNull(succeededMs ?? null),
    /** The pause by a person; null for none. */
    pause: describePause(pause),
    intervalSeconds: intervalMs / 1000,
    ...describeNext(state, limit, error?.retryAtMs ?? nextPollMs),
    /** The age of the last success minus the interval; 0 when it is negative. */
    lagSeconds: Math.max(0, Math.round((ageMs - intervalMs) / 1000)),
    polls,
    records,
    /** The end of the last poll that published a record; null for none since the start. */
    lastRecord: isoOrNull(recordMs),
    requests,
    deadLetters,
    /** Null also when an error of the account stops all of its streams. */
    error: account.stopped === null ? describeError(error) : null,
  };
}

function describeNext(state: PollingState, limit: Limit | null, nextMs: number | null) {
  const isIdle = state === 'stopped' || state === 'paused';
  const waitsFor = isIdle ? null : limit;
  return {
    /** The limit that the poll waits for; null for none. */
    waitsFor,
    nextPoll: waitsFor?.until ?? isoOrNull(isIdle ? null : nextMs),
  };
}

function describePause(pause: SavedPause | null) {
  if (pause === null) return null;
  const { sinceMs, untilMs, saved } = pause;
  return {
    since: iso(sinceMs),
    /** Null for a pause that lasts until it is resumed. */
    until: isoOrNull(untilMs),
    /** False until the state topic has it. */
    saved,
  };
}

/** One stream of one account in `/status`. */
export type StreamStatus = ReturnType<typeof streamStatus>;

interface PollingFacts {
  readonly isPaused: boolean;
  /** True while a poll waits for the end of a limit. */
  readonly isLimited: boolean;
  readonly error: StreamError | null;
  /** Intervals since the last success, or since the end of a later pause. */
  readonly awaitedIntervals: number;
  readonly hasSucceeded: boolean;
}

function stateOf(facts: PollingFacts): PollingState {
  const { isPaused, isLimited, error, awaitedIntervals, hasSucceeded } = facts;
  if (isStop(error)) return 'stopped';
  if (isPaused) return 'paused';
  if (error?.disposition === 'wait') return 'waiting';
  if (error !== null) return error.retryAtMs === null ? 'failed' : 'retrying';
  if (isLimited) return 'waiting';
  if (awaitedIntervals > toleratedIntervals) return 'late';
  return hasSucceeded ? 'ok' : 'starting';
}

/** An error, its first and its latest time, the failed attempts between, and the advice. */
function describeError(error: StreamError | null) {
  if (error === null) return null;
  const { code, message, sinceMs, atMs, tries } = error;
  return { code, message, action: advice[code], since: iso(sinceMs), at: iso(atMs), tries };
}
