import { advice } from '../engine/advice.ts';
import type { ErrorCode, Scope } from '../engine/errors.ts';
import { largest } from '../engine/extremes.ts';
import {
  type DependencyName,
  type Readiness,
  dependencyNames,
  readiness,
} from '../engine/readiness.ts';
import { type StreamName, streamNames } from '../engine/stream-name.ts';
import { daysLeft } from '../engine/token-life.ts';
import { type ServiceHealth, type ScopeHealth, endOfUse } from './health.ts';
import {
  type ErrorEntry,
  type PollingState,
  type StreamStatus,
  describeStreamError,
  needsPerson,
  streamStatus,
  urgencyOf,
} from './stream-status.ts';

/** The selection of accounts; there may be hundreds. */
export interface StatusQuery {
  /** Accounts to skip. */
  readonly offset: number;
  /** Accounts to show at most. */
  readonly limit: number;
  /** Part of an account's id or name, case-insensitive; empty selects all. */
  readonly search: string;
  /** Selects only accounts with stopped, failed, late or retrying streams. */
  readonly trouble: boolean;
}

/** The program's own facts in `/status`. */
export interface StatusFacts {
  readonly version: string;
  readonly instance: string;
  readonly startedMs: number;
  readonly nowMs: number;
}

/** One account and its streams. */
export interface AccountEntry {
  readonly id: string;
  readonly username: string | null;
  /** The error that stops all streams of the account. */
  readonly error: ErrorEntry | null;
  readonly streams: readonly StreamStatus[];
}

/** One scope of the quota. */
export interface QuotaEntry {
  readonly scope: Scope['kind'];
  /** The account's or page's id; null for `app` and `user`, which exist once. */
  readonly id: string | null;
  readonly percent: number;
  readonly state: ScopeHealth['state'];
  /** The time at which a stopped scope is free again; null when it is not stopped. */
  readonly until: string | null;
}

/** One stream over all accounts. */
export interface StreamSummary {
  readonly name: StreamName;
  readonly intervalSeconds: number;
  /** The number of accounts by the state of the stream. */
  readonly states: Readonly<Partial<Record<PollingState, number>>>;
  readonly records: number;
  readonly requests: number;
  readonly deadLetters: number;
  /** The last success of the account that waits longest; null while an account has none. */
  readonly oldestSuccess: string | null;
}

/** An error of one or more accounts, with advice. */
export interface TroubleEntry {
  readonly code: ErrorCode;
  readonly action: string;
  /** The number of streams with the error, over all accounts. */
  readonly streams: number;
  readonly accounts: number;
  /** The message of one of these errors. */
  readonly example: string;
}

/**
 * The answer of `/status`. Adding a field is compatible; any other change raises `formatVersion`.
 */
export interface Status {
  readonly formatVersion: 1;
  readonly program: { readonly version: string; readonly instance: string };
  readonly startedAt: string;
  readonly now: string;
  readonly ready: boolean;
  readonly reasons: Readiness['reasons'];
  /**
   * The partitions of the state topic that this instance owns, and `partitionCount`; 0 before it
   * has joined.
   */
  readonly partitions: Readiness['partitions'];
  readonly partitionCount: number;
  readonly dependencies: readonly {
    readonly name: DependencyName;
    readonly ready: boolean;
    readonly reason: string;
  }[];
  readonly tokens: readonly {
    readonly name: string;
    /** Null when the token never expires; for a rejected token, the start of the rejection. */
    readonly expiresAt: string | null;
    readonly daysLeft: number | null;
    /** The advice; null for none. */
    readonly action: string | null;
    /** The API's rejection of the token; null for none. */
    readonly refusal: { readonly code: ErrorCode; readonly message: string } | null;
  }[];
  /** The configured version of the Graph API; null before the start has reported it. */
  readonly apiVersion: {
    readonly version: string;
    /** Null when no end is known. */
    readonly endsAt: string | null;
    readonly daysLeft: number | null;
    /** The problem and the advice; null for none. */
    readonly warning: string | null;
  } | null;
  /** The scopes with the highest usage. */
  readonly quota: { readonly total: number; readonly items: readonly QuotaEntry[] };
  readonly streams: readonly StreamSummary[];
  /** The errors; those that need a person come first. */
  readonly trouble: readonly TroubleEntry[];
  readonly accounts: {
    readonly total: number;
    /** The number of accounts that match the query. */
    readonly matching: number;
    readonly offset: number;
    readonly items: readonly AccountEntry[];
  };
}

/** Scopes shown at most; with hundreds of accounts, the most used ones. */
const shownScopes = 25;

/** Creates the answer of `/status`, bounded in size; pure. */
export function describeStatus(
  health: ServiceHealth,
  query: StatusQuery,
  facts: StatusFacts,
): Status {
  const { version, instance, startedMs, nowMs } = facts;
  const entries = accountEntries(health, nowMs);
  const chosen = entries.filter((entry) => isChosen(entry, query)).sort(byUrgency);
  return {
    formatVersion: 1,
    program: { version, instance },
    startedAt: iso(startedMs),
    now: iso(nowMs),
    ...readiness(health, nowMs),
    partitionCount: health.partitionCount,
    dependencies: dependencyNames.map((name) => ({ name, ...health.dependencies[name] })),
    tokens: tokenEntries(health, nowMs),
    apiVersion: versionEntry(health, nowMs),
    quota: quotaEntries(health, nowMs),
    streams: streamSummaries(health, entries),
    trouble: troubleEntries(entries),
    accounts: {
      total: entries.length,
      matching: chosen.length,
      offset: query.offset,
      items: chosen.slice(query.offset, query.offset + query.limit),
    },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function accountEntries({ accounts, streams }: ServiceHealth, nowMs: number): AccountEntry[] {
  const enabled = streamNames.flatMap((name) => {
    const stream = streams[name];
    return stream === undefined ? [] : [{ name, intervalMs: stream.intervalMs }];
  });
  return [...accounts].map(([id, account]) => ({
    id,
    username: account.username,
    error: describeStreamError(account.stopped),
    streams: enabled.map((stream) => streamStatus(account, stream, nowMs)),
  }));
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

function tokenEntries({ tokens }: ServiceHealth, nowMs: number): Status['tokens'] {
  return [...tokens].map(([name, token]) => {
    const { action, refusal } = token;
    const endMs = endOfUse(token);
    const todo = refusal === null ? action : advice[refusal.code];
    return {
      name,
      expiresAt: endMs === null ? null : iso(endMs),
      daysLeft: endMs === null ? null : daysLeft(endMs, nowMs),
      action: todo === '' ? null : todo,
      refusal: refusal && { code: refusal.code, message: refusal.message },
    };
  });
}

function versionEntry({ apiVersion }: ServiceHealth, nowMs: number): Status['apiVersion'] {
  if (apiVersion === null) return null;
  const { version, endsAtMs, warning } = apiVersion;
  return {
    version,
    endsAt: endsAtMs === null ? null : iso(endsAtMs),
    daysLeft: endsAtMs === null ? null : daysLeft(endsAtMs, nowMs),
    warning: warning === '' ? null : warning,
  };
}

function quotaEntries({ scopes }: ServiceHealth, nowMs: number): Status['quota'] {
  const items = [...scopes.values()].map((one): QuotaEntry => {
    const { scope, percent } = one;
    const { state, untilMs } = scopeStateAt(one, nowMs);
    const until = untilMs === null ? null : iso(untilMs);
    return { scope: scope.kind, id: scope.id || null, percent: Math.round(percent), state, until };
  });
  const limited = ({ state }: QuotaEntry) => ['free', 'slowed', 'stopped'].indexOf(state);
  items.sort((a, b) => limited(b) - limited(a) || b.percent - a.percent);
  return { total: items.length, items: items.slice(0, shownScopes) };
}

/**
 * The state of a scope at a time: after its end, a stop becomes slow even without a further
 * request.
 */
function scopeStateAt({ state, untilMs }: ScopeHealth, nowMs: number) {
  const over = state === 'stopped' && untilMs !== null && untilMs <= nowMs;
  return over ? ({ state: 'slowed', untilMs: null } as const) : { state, untilMs };
}

function streamSummaries(
  { streams }: ServiceHealth,
  entries: readonly AccountEntry[],
): StreamSummary[] {
  return streamNames.flatMap((name) => {
    const intervalMs = streams[name]?.intervalMs;
    if (intervalMs === undefined) return [];
    const all = entries.flatMap((entry) => entry.streams.filter((one) => one.stream === name));
    const states: Partial<Record<PollingState, number>> = {};
    for (const { state } of all) states[state] = (states[state] ?? 0) + 1;
    const sum = (pick: (one: StreamStatus) => number) => all.reduce((so, one) => so + pick(one), 0);
    return [
      {
        name,
        intervalSeconds: intervalMs / 1000,
        states,
        records: sum(({ records }) => records),
        requests: sum(({ requests }) => requests),
        deadLetters: sum(({ deadLetters }) => deadLetters),
        oldestSuccess: oldestOf(all.map(({ lastSuccess }) => lastSuccess)),
      },
    ];
  });
}

/** Returns the oldest time; ISO times sort as text. */
function oldestOf(times: readonly (string | null)[]): string | null {
  return times.includes(null) ? null : (times.toSorted()[0] ?? null);
}

function troubleEntries(entries: readonly AccountEntry[]): TroubleEntry[] {
  const byCode = new Map<ErrorCode, Met>();
  for (const { id, error: shared, streams } of entries) {
    for (const stream of streams) {
      const error = shared ?? stream.error;
      if (error === null) continue;
      const first: Met = { ids: new Set(), streams: 0, stopped: 0, example: error.message };
      const met = byCode.get(error.code) ?? first;
      met.ids.add(id);
      met.streams += 1;
      met.stopped += needsPerson(stream);
      byCode.set(error.code, met);
    }
  }
  return [...byCode]
    .sort(([, a], [, b]) => b.stopped - a.stopped || b.streams - a.streams)
    .map(([code, { ids, streams, example }]) => {
      return { code, action: advice[code], streams, accounts: ids.size, example };
    });
}

interface Met {
  readonly ids: Set<string>;
  streams: number;
  stopped: number;
  readonly example: string;
}
