import type { GraphError } from './errors.ts';
import { graphError } from './errors.ts';
import type { Limit, LimitSettings } from './limits.ts';
import type { Tally } from './tally.ts';
import { createTally } from './tally.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

/** What a request counts for. */
export interface Belonging {
  /** The accounts that it asks about, and how many objects of each. */
  readonly accounts: ReadonlyMap<string, number>;
  /** Whose token it carries, where that is a Facebook user. */
  readonly userId: string | undefined;
}

/** How a request is counted. */
export interface Counted {
  /** Why it is not answered. */
  readonly refusal: GraphError | undefined;
  /** The usage that its answer tells. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts requests against the limits of a world. */
export interface Meter {
  count(belonging: Belonging, limits: LimitSettings, nowMs: number): Counted;
  /** Forgets every call and every block. */
  clear(): void;
}

type Kind = 'account' | 'app' | 'user';

interface Scope {
  readonly kind: Kind;
  readonly id: string;
  readonly cost: number;
  readonly limit: Limit | undefined;
  readonly tally: Tally;
}

/** Creates a meter that has counted nothing. */
export function createMeter(): Meter {
  const tallies = new Map<string, Tally>();
  const tallyOf = (key: string, windowMs: number): Tally => {
    const known = tallies.get(key);
    const tally = known?.windowMs === windowMs ? known : createTally(windowMs, known);
    tallies.set(key, tally);
    return tally;
  };
  return {
    count: (belonging, limits, nowMs) => {
      const scopes = scopesOf(belonging, limits).map((scope): Scope => {
        const windowMs = scope.limit?.windowMs ?? (scope.kind === 'account' ? DAY_MS : HOUR_MS);
        return { ...scope, tally: tallyOf(`${scope.kind}/${scope.id}`, windowMs) };
      });
      const refusing = scopes.filter((scope) => isFull(scope, nowMs));
      const extendMs = (limits.extendMinutes ?? 1) * MINUTE_MS;
      for (const scope of refusing) block(scope, extendMs, nowMs);
      if (refusing.length === 0) {
        for (const { tally, cost } of scopes) tally.add(nowMs, cost);
      }
      const [first] = refusing;
      return {
        refusal: first && graphError(`${first.kind}-limit`),
        headers: usageHeaders(scopes, first?.kind, nowMs),
      };
    },
    clear: () => {
      tallies.clear();
    },
  };
}

function scopesOf({ accounts, userId }: Belonging, limits: LimitSettings): Omit<Scope, 'tally'>[] {
  const ofAccounts = [...accounts].map(([id, ids]) => ({
    kind: 'account' as const,
    id,
    cost: limits.countIds === true ? ids : 1,
    limit: limits.accounts?.[id] ?? limits.account,
  }));
  if (ofAccounts.length > 0 && limits.countAll !== true) {
    return ofAccounts;
  }
  const app = { kind: 'app' as const, id: '', cost: 1, limit: limits.app };
  const user = { kind: 'user' as const, id: userId ?? '', cost: 1, limit: limits.user };
  return [...ofAccounts, app, ...(userId === undefined ? [] : [user])];
}

function isFull({ limit, tally }: Scope, nowMs: number): boolean {
  return limit !== undefined && (tally.blockedUntilMs > nowMs || tally.sum(nowMs) >= limit.calls);
}

/** Until the window has room, at least a minute; a call during the block makes it longer. */
function block({ limit, tally }: Scope, extendMs: number, nowMs: number): void {
  tally.blockedUntilMs =
    tally.blockedUntilMs > nowMs
      ? tally.blockedUntilMs + extendMs
      : Math.max(nowMs + MINUTE_MS, tally.roomAt(limit?.calls ?? 0, nowMs));
}

/** Calls without a limit look like this many of a hundred percent. */
const CALLS_A_PERCENT = 120;

function percentOf({ limit, tally }: Scope, nowMs: number): number {
  const sum = tally.sum(nowMs);
  if (limit === undefined) {
    return Math.min(1, Math.floor(sum / CALLS_A_PERCENT));
  }
  const percent = Math.floor((sum * 100) / limit.calls);
  return tally.blockedUntilMs > nowMs ? Math.max(100, percent) : percent;
}

/** Minutes until a call is answered again; what has used up its calls is told so beforehand. */
function minutesToWait(scope: Scope, nowMs: number): number {
  const { limit, tally } = scope;
  if (limit === undefined || !isFull(scope, nowMs)) {
    return 0;
  }
  const untilMs = Math.max(tally.blockedUntilMs, tally.roomAt(limit.calls, nowMs));
  return Math.max(1, Math.ceil((untilMs - nowMs) / MINUTE_MS));
}

/** One of the two headers, never both; the app's own refusal comes without. */
function usageHeaders(
  scopes: readonly Scope[],
  refusedBy: Kind | undefined,
  nowMs: number,
): Record<string, string> {
  const accounts = scopes.filter(({ kind }) => kind === 'account');
  if (refusedBy === 'app') {
    return {};
  }
  if (accounts.length > 0) {
    const usage = accounts.map((scope) => [scope.id, [accountUsage(scope, nowMs)]] as const);
    return { 'X-Business-Use-Case-Usage': JSON.stringify(Object.fromEntries(usage)) };
  }
  const percents = scopes.map((scope) => percentOf(scope, nowMs));
  const percent = Math.max(0, ...percents);
  return {
    'X-App-Usage': JSON.stringify({
      call_count: percent,
      total_time: Math.floor(percent * 0.7),
      total_cputime: Math.floor(percent * 0.4),
    }),
  };
}

function accountUsage(scope: Scope, nowMs: number): Record<string, string | number> {
  const percent = percentOf(scope, nowMs);
  return {
    type: 'instagram',
    call_count: percent,
    total_cputime: Math.floor(percent * 0.4),
    total_time: Math.floor(percent * 0.7),
    estimated_time_to_regain_access: minutesToWait(scope, nowMs),
  };
}
