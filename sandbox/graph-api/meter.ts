import { type GraphError, graphError } from './errors.ts';
import type { Limit, LimitSettings } from './limits.ts';
import { type Tally, createTally } from './tally.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

/** The scopes that a call counts against. */
export interface CallScopes {
  /** The account that owns the requested object. */
  readonly account: string | undefined;
  /** The Facebook user whose token the call carries. */
  readonly userId: string | undefined;
  /** The host that answers: each has usage headers of its own. */
  readonly dialect: 'facebook' | 'instagram';
}

/** The result of counting a request. */
export interface CallCount {
  /** The error that replaces the answer; undefined within the limits. */
  readonly rejection: GraphError | undefined;
  /** The usage headers of its answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts requests against the limits of a world. */
export interface Meter {
  count(callScopes: CallScopes, limits: LimitSettings, nowMs: number): CallCount;
  /** Removes all calls and blocks. */
  clear(): void;
}

type Kind = 'account' | 'app' | 'user';

interface MeteredScope {
  readonly kind: Kind;
  readonly id: string;
  readonly limit: Limit | undefined;
  readonly tally: Tally;
}

/** Creates a meter without calls. */
export function createMeter(): Meter {
  const tallies = new Map<string, Tally>();
  const tallyOf = (key: string, windowMs: number): Tally => {
    const known = tallies.get(key);
    const tally = known?.windowMs === windowMs ? known : createTally(windowMs, known);
    tallies.set(key, tally);
    return tally;
  };
  return {
    count: (callScopes, limits, nowMs) => {
      const scopes = scopesOf(callScopes, limits).map((scope): MeteredScope => {
        const windowMs = scope.limit?.windowMs ?? (scope.kind === 'account' ? DAY_MS : HOUR_MS);
        return { ...scope, tally: tallyOf(`${scope.kind}/${scope.id}`, windowMs) };
      });
      const refusing = scopes.filter((scope) => isFull(scope, nowMs));
      const extendMs = (limits.extendMinutes ?? 1) * MINUTE_MS;
      for (const scope of refusing) block(scope, extendMs, nowMs);
      if (refusing.length === 0) {
        for (const { tally } of scopes) tally.add(nowMs);
      }
      const [first] = refusing;
      return {
        rejection: first && graphError(`${first.kind}-limit`),
        headers: first?.kind === 'app' ? {} : usageHeaders(scopes, callScopes.dialect, nowMs),
      };
    },
    clear: () => {
      tallies.clear();
    },
  };
}

function scopesOf(
  { account, userId }: CallScopes,
  limits: LimitSettings,
): Omit<MeteredScope, 'tally'>[] {
  const scopes: Omit<MeteredScope, 'tally'>[] = [];
  if (account !== undefined) {
    const limit = limits.accounts?.[account] ?? limits.account;
    scopes.push({ kind: 'account', id: account, limit });
    if (limits.countAll !== true) return scopes;
  }
  scopes.push({ kind: 'app', id: '', limit: limits.app });
  if (userId !== undefined) scopes.push({ kind: 'user', id: userId, limit: limits.user });
  return scopes;
}

function isFull({ limit, tally }: MeteredScope, nowMs: number): boolean {
  return limit !== undefined && (tally.blockedUntilMs > nowMs || tally.sum(nowMs) >= limit.calls);
}

/** Blocks until the window has room, at least a minute; a call during the block extends it. */
function block({ limit, tally }: MeteredScope, extendMs: number, nowMs: number): void {
  tally.blockedUntilMs =
    tally.blockedUntilMs > nowMs
      ? tally.blockedUntilMs + extendMs
      : Math.max(nowMs + MINUTE_MS, tally.roomAt(limit?.calls ?? 0, nowMs));
}

/** Scale of the usage without a limit: this many calls are one percent. */
const CALLS_A_PERCENT = 120;

function percentOf({ limit, tally }: MeteredScope, nowMs: number): number {
  const sum = tally.sum(nowMs);
  if (limit === undefined) {
    return Math.min(1, Math.floor(sum / CALLS_A_PERCENT));
  }
  const percent = Math.floor((sum * 100) / limit.calls);
  return tally.blockedUntilMs > nowMs ? Math.max(100, percent) : percent;
}

/**
 * Returns the minutes until the next call is answered; a scope at its limit reports them in
 * advance.
 */
function minutesToWait(scope: MeteredScope, nowMs: number): number {
  const { limit, tally } = scope;
  if (limit === undefined || !isFull(scope, nowMs)) {
    return 0;
  }
  const untilMs = Math.max(tally.blockedUntilMs, tally.roomAt(limit.calls, nowMs));
  return Math.max(1, Math.ceil((untilMs - nowMs) / MINUTE_MS));
}

/**
 * Returns one of the two usage headers, never both; graph.instagram.com sends `X-App-Usage` alone.
 */
function usageHeaders(
  scopes: readonly MeteredScope[],
  dialect: CallScopes['dialect'],
  nowMs: number,
): Record<string, string> {
  const account = scopes.find(({ kind }) => kind === 'account');
  if (account !== undefined && dialect === 'facebook') {
    const usage = { [account.id]: [accountUsage(account, nowMs)] };
    return { 'X-Business-Use-Case-Usage': JSON.stringify(usage) };
  }
  const percent = Math.max(0, ...scopes.map((scope) => percentOf(scope, nowMs)));
  const cpuPercent = Math.floor(percent * 0.4);
  const usage =
    dialect === 'instagram'
      ? { call_volume: percent, cpu_time: cpuPercent }
      : {
          call_count: percent,
          total_cputime: cpuPercent,
          total_time: Math.floor(percent * 0.7),
        };
  return { 'X-App-Usage': JSON.stringify(usage) };
}

function accountUsage(scope: MeteredScope, nowMs: number): Record<string, string | number> {
  const percent = percentOf(scope, nowMs);
  return {
    type: 'instagram',
    call_count: percent,
    total_cputime: Math.floor(percent * 0.4),
    total_time: Math.floor(percent * 0.7),
    estimated_time_to_regain_access: minutesToWait(scope, nowMs),
  };
}
