import { type AccountPolling, isPolled } from './account.ts';
import { advice } from './advice.ts';
import type { ErrorCode, Scope } from './errors.ts';
import { type Limit, type ScopeStates, describeLimits, lastLimit } from './limits.ts';
import { type Pause, pauseAt } from './state.ts';
import type { StreamName } from './stream-name.ts';

/** The dependencies of the first poll, in the order in which reasons are listed. */
export const dependencyNames = ['state', 'kafka', 'registry', 'graph', 'group'] as const;

/** A dependency of polls; `state` is the restored state topic, `group` the group of instances. */
export type DependencyName = (typeof dependencyNames)[number];

/** The interval of a stream, and the shortest interval that counts while polls pause. */
export interface StreamHealth {
  readonly intervalMs: number;
  /** Absent without a pause, as of quiet hours. */
  readonly pauseMs?: number;
}

export interface AccountHealth {
  /** Its own streams and intervals; absent for those of all accounts. */
  readonly polling?: AccountPolling | undefined;
  /** Epoch milliseconds. */
  readonly addedAtMs: number;
  /** The end of each stream's last successful poll, epoch milliseconds; absent before the first. */
  readonly succeededAtMs: Readonly<Record<StreamName, number>>;
  /** The pauses of streams, also those that have ended; a paused stream is never late. */
  readonly paused?: ReadonlyMap<StreamName, Pause>;
  /** The scopes whose quota the polls of a stream wait for; absent for none. */
  readonly awaited?: ReadonlyMap<StreamName, readonly Scope[]>;
  /** The error that stops all streams of the account until a person acts; null for none. */
  readonly stopped?: { readonly code: ErrorCode } | null;
  /** The current error of each stream; absent before its first poll. */
  readonly streams?: Readonly<
    Record<
      StreamName,
      { readonly error: { readonly code: ErrorCode; readonly message: string } | null }
    >
  >;
}

/** The facts that decide readiness. */
export interface HealthSnapshot {
  /** `reason` is for a person, free of secrets, and empty when ready. */
  readonly dependencies: Readonly<
    Record<DependencyName, { readonly ready: boolean; readonly reason: string }>
  >;
  readonly streams: Readonly<Record<StreamName, StreamHealth>>;
  /** The polled accounts, by id. */
  readonly accounts: ReadonlyMap<string, AccountHealth>;
  /** The tokens by name; `rejection` is not null while the API rejects the token. */
  readonly tokens?: ReadonlyMap<
    string,
    { readonly rejection: { readonly code: ErrorCode; readonly message: string } | null }
  >;
  /** The reported scopes of the quota. */
  readonly scopes?: ScopeStates;
  /** The partitions of this instance; without any it is on standby. */
  readonly partitions: readonly number[];
}

/** The answer of `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  /** One sentence for each problem; empty when ready. */
  readonly reasons: readonly string[];
  readonly partitions: readonly number[];
}

/** The most intervals of a (stream, account) without a successful poll. */
export const toleratedIntervals = 3;
/** The most account ids, or tokens, that are named; the rest is counted. */
const namedAccounts = 3;

/**
 * Decides readiness: every dependency is ready, no token is rejected, no account is stopped, the
 * registry has the schemas of the states, and no enabled stream of an account is without a
 * successful poll for more than three of its intervals.
 */
export function readiness(snapshot: HealthSnapshot, nowMs: number): Readiness {
  const reasons = [
    ...missingDependencies(snapshot),
    ...rejectedTokens(snapshot),
    ...stoppedAccounts(snapshot),
    ...mismatchedStates(snapshot),
    ...lateStreams(snapshot, nowMs),
  ];
  return { ready: reasons.length === 0, reasons, partitions: snapshot.partitions };
}

function missingDependencies({ dependencies }: HealthSnapshot): string[] {
  return dependencyNames
    .filter((name) => !dependencies[name].ready)
    .map((name) => `${name}: ${dependencies[name].reason}`);
}

function rejectedTokens({ tokens = new Map() }: HealthSnapshot): string[] {
  const rejected = [...tokens].flatMap(([name, { rejection }]) =>
    rejection === null ? [] : [`token ${name}: ${rejection.code}: ${rejection.message}`],
  );
  const more = rejected.length - namedAccounts;
  return more > 0
    ? [...rejected.slice(0, namedAccounts), `tokens: ${more} more rejected`]
    : rejected;
}

function stoppedAccounts({ accounts }: HealthSnapshot): string[] {
  const stoppedIds = [...accounts].flatMap(([id, { stopped }]) =>
    stopped ? [{ id, code: stopped.code }] : [],
  );
  return [...Map.groupBy(stoppedIds, ({ code }) => code)].map(([code, group]) => {
    const ids = describeAccounts(group.map(({ id }) => id));
    return `stopped by ${code} until a person acts: ${ids}. ${advice[code]}`;
  });
}

/** A registry of other schema ids concerns all states, so its first streams are reported at once. */
function mismatchedStates({ accounts }: HealthSnapshot): string[] {
  const found = [...accounts].flatMap(([id, { streams = {} }]) =>
    Object.values(streams).flatMap(({ error }) =>
      error?.code === 'registry.mismatch' ? [{ id, ...error }] : [],
    ),
  );
  const [first] = found;
  if (first === undefined) return [];
  const streams = `${found.length} ${found.length === 1 ? 'stream' : 'streams'}`;
  const ids = describeAccounts([...new Set(found.map(({ id }) => id))]);
  return [`stopped by ${first.code} until a person acts: ${streams} of ${ids}. ${first.message}`];
}

function lateStreams(snapshot: HealthSnapshot, nowMs: number): string[] {
  return Object.entries(snapshot.streams).flatMap(([stream, health]) => {
    const late = [...snapshot.accounts].flatMap(([id, account]) => {
      const toleratedMs = toleratedIntervals * accountIntervalMs(account, stream, health);
      const isPaused = pauseOf(account.paused, stream, nowMs) !== null;
      const isAwaited = isPolled(account, stream) && !isPaused;
      const isLate = isAwaited && nowMs - awaitedSinceMs(account, stream) > toleratedMs;
      const limit = lastLimit(account.awaited?.get(stream), snapshot.scopes ?? new Map(), nowMs);
      return isLate ? [{ id, toleratedMs, limit }] : [];
    });
    const groups = Map.groupBy(
      late,
      ({ toleratedMs, limit }) => `${toleratedMs} ${limit === null}`,
    );
    return [...groups.values()].map((group) => describeLate(stream, group));
  });
}

/** Describes late accounts of equal tolerance, all or none of which wait for a limit. */
function describeLate(
  stream: StreamName,
  late: readonly {
    readonly id: string;
    readonly toleratedMs: number;
    readonly limit: Limit | null;
  }[],
): string {
  const tolerated = `${(late[0]?.toleratedMs ?? 0) / 1000} s (${toleratedIntervals} intervals)`;
  const ids = describeAccounts(late.map(({ id }) => id));
  const limits = late.flatMap(({ limit }) => limit ?? []);
  const text = `${stream}: no successful poll for more than ${tolerated} of ${ids}`;
  if (limits.length === 0) return text;
  const { names, until } = describeLimits(limits);
  return `${text}; waits for ${names} until ${until}`;
}

/** Returns the interval of a stream of an account: its own, or that of the stream. */
export function accountIntervalMs(
  { polling }: Pick<AccountHealth, 'polling'>,
  stream: StreamName,
  { intervalMs, pauseMs = 0 }: StreamHealth,
): number {
  return Math.max(polling?.intervalsMs[stream] ?? intervalMs, pauseMs);
}

/** Returns the pause of a stream that is in effect; null for none. */
export function pauseOf<T extends Pause>(
  paused: ReadonlyMap<StreamName, T> | undefined,
  stream: StreamName,
  nowMs: number,
): T | null {
  return pauseAt(paused?.get(stream) ?? null, nowMs);
}

/** The time since which a success is awaited: that of the last one, or the end of a later pause. */
export function awaitedSinceMs(
  { succeededAtMs, addedAtMs, paused }: AccountHealth,
  stream: StreamName,
): number {
  const lastMs = succeededAtMs[stream] ?? addedAtMs;
  return Math.max(lastMs, paused?.get(stream)?.untilMs ?? lastMs);
}

function describeAccounts(ids: readonly string[]): string {
  const named = ids.slice(0, namedAccounts).join(', ');
  const more = ids.length > namedAccounts ? ` and ${ids.length - namedAccounts} more` : '';
  return `${ids.length === 1 ? 'account' : 'accounts'} ${named}${more}`;
}
