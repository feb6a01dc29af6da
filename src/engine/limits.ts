import type { Scope } from './errors.ts';

/** A scope's quota as last reported. */
interface ScopeState {
  readonly state: 'free' | 'slowed' | 'stopped';
  /** The end of a stop, epoch milliseconds; null unless stopped. */
  readonly untilMs: number | null;
}

/** The scopes by `scopeKey`. */
export type ScopeStates = ReadonlyMap<string, ScopeState>;

/** A stopped scope, and the time at which its polls resume. */
export interface Limit {
  readonly scope: Scope['kind'];
  /** The account's or page's id, or the token's name; null for the only token. */
  readonly id: string | null;
  /** ISO 8601. */
  readonly until: string;
}

export function scopeKey({ kind, id }: Scope): string {
  return `${kind} ${id}`.trimEnd();
}

/**
 * The state of a scope at a time. A stopped scope is slowed after the end of its stop, even without
 * a further request.
 */
export function scopeStateAt({ state, untilMs }: ScopeState, nowMs: number): ScopeState {
  const isOver = state === 'stopped' && untilMs !== null && untilMs <= nowMs;
  return isOver ? { state: 'slowed', untilMs: null } : { state, untilMs };
}

/** Returns the limit among scopes that ends last; null when none of them is stopped. */
export function lastLimit(
  scopes: readonly Scope[] | undefined,
  states: ScopeStates,
  nowMs: number,
): Limit | null {
  const limits = (scopes ?? []).flatMap((scope): readonly Limit[] => {
    const known = states.get(scopeKey(scope));
    const untilMs = known === undefined ? null : scopeStateAt(known, nowMs).untilMs;
    if (untilMs === null) return [];
    return [{ scope: scope.kind, id: scope.id || null, until: new Date(untilMs).toISOString() }];
  });
  return limits.sort(latestFirst)[0] ?? null;
}

/** ISO times sort as text. */
function latestFirst(a: Limit, b: Limit): number {
  return a.until < b.until ? 1 : -1;
}

/** The most limits that are named; the rest is counted. */
const namedLimits = 3;

interface LimitTexts {
  readonly names: string;
  readonly areSeveral: boolean;
  readonly until: string;
}

/**
 * Names limits, such as `the limit of the app`, and returns the time at which the last one ends.
 * @param limits - at least one; a limit may be listed several times
 */
export function describeLimits(limits: readonly Limit[]): LimitTexts {
  const distinct = new Map(limits.map((one) => [nameOf(one), one]));
  const latest = [...distinct.values()].sort(latestFirst);
  const named = latest.slice(0, namedLimits).map(nameOf).join(', ');
  const more = latest.length - namedLimits;
  const rest = more > 0 ? ` and ${more} more` : '';
  const noun = latest.length === 1 ? 'the limit' : 'the limits';
  const until = latest[0]?.until ?? '';
  return { names: `${noun} of ${named}${rest}`, areSeveral: latest.length > 1, until };
}

function nameOf({ scope, id }: Limit): string {
  if (scope === 'account' || scope === 'page') return `${scope} ${id ?? ''}`;
  return id === null ? `the ${scope}` : `the ${scope} of token ${id}`;
}
