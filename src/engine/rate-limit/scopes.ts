import type { Account } from '../account.ts';
import type { Scope } from '../errors.ts';
import { smallest } from '../extremes.ts';
import {
  type Decision,
  type Priority,
  type Quota,
  type ScopeStatus,
  decide,
  decideUnpaced,
  newQuota,
  noteAnswer,
  noteSilence,
  noteCall,
  noteRejection,
  noteUsage,
  roomFor,
  statusOf,
  strictest,
} from './quota.ts';
import type { Clock, GraphRequest, OnUsage, Telemetry } from '../ports.ts';

// States of a call in its scopes:
// - admitted: `admit` reserved room for it; it spends nothing yet.
// - in flight: `dispatched` counted it; the caller sends it at once.
// - given back: `giveBack` freed the room of an admitted call that is not sent.
// - finished: answered or failed; it no longer counts as in flight.
// The states of a scope's quota are in quota.ts.

/** The quotas of the tokens' scopes, and the calls that are admitted or in flight in each. */
export interface Scopes {
  /** The most calls that a request sent now may count as, by the usage known; at least 1. */
  room(scopes: readonly Scope[]): number;
  /** Decides about a call by all its scopes: send it, wait, or queue it. */
  decide(call: ScopedCall): Decision;
  /** Reserves room for a call, as if it were in flight, until `dispatched` or `giveBack`. */
  admit(call: ScopedCall): void;
  giveBack(call: ScopedCall): void;
  /**
   * Checks the quota again just before an admitted call is sent, and counts the call as in flight;
   * the caller sends it at once. Undefined when it may not be sent now; it stays admitted.
   */
  dispatched(call: ScopedCall): Dispatch | undefined;
  /** @param answered - false when there was no answer, or the answer was that a limit is reached */
  finished(dispatch: Dispatch, answered: boolean): void;
  readonly recordUsage: OnUsage;
  /** Blocks a scope after the API rejected a call for a limit, for at least `ms` milliseconds. */
  block(scope: Scope, ms: number): void;
  /** The scope whose block lasts longest, and its rest in milliseconds; undefined for no block. */
  blocked(scopes: readonly Scope[]): { readonly scope: Scope; readonly ms: number } | undefined;
}

/** A call and the quotas that it spends. */
export interface ScopedCall {
  readonly scopes: readonly Scope[];
  readonly priority: Priority;
  /** The number of calls that Meta counts it as: 1, or the items of a batch. */
  readonly calls: number;
  /**
   * `paced`: paced as the quota runs short. `unpaced`: sent at any usage, except in a blocked
   * scope. `look`: makes no call, and is decided as if none were in flight.
   */
  readonly mode: 'paced' | 'unpaced' | 'look';
}

/** A call that was sent: its scopes, with their counters at that moment. */
export type Dispatch = readonly {
  readonly scope: Scope;
  readonly stops: number;
  readonly reports: number;
  readonly calls: number;
}[];

/**
 * The scopes that apply to a request: the app, the user, its account and that account's page.
 *
 * @param known - the accounts that have made requests, by id
 */
export function scopesOf(
  { accountId, token }: Pick<GraphRequest, 'accountId' | 'token'>,
  known: ReadonlyMap<string, Account>,
): readonly Scope[] {
  const account = known.get(accountId ?? '');
  const id = token ?? account?.token ?? '';
  const pageId = account?.pageId ?? null;
  return [
    { kind: 'app', id },
    { kind: 'user', id },
    ...(accountId === null ? [] : [{ kind: 'account', id: accountId } as const]),
    ...(pageId === null ? [] : [{ kind: 'page', id: pageId } as const]),
  ];
}

/** Usage is reported to telemetry again when it has changed by this many percentage points. */
const reportedStepPercent = 5;

interface ScopeEntry {
  readonly scope: Scope;
  quota: Quota;
  /** The number of usage reports so far. */
  reports: number;
  admitted: number;
  inFlight: number;
  /** As last reported to telemetry; null before the first report. */
  reported: Pick<ScopeStatus, 'state' | 'percent'> | null;
}

interface ScopesTools {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Creates the scopes, without any usage yet. */
export function createScopes(tools: ScopesTools): Scopes {
  const { clock } = tools;
  const { entryOf, change } = createEntries(tools);
  const decideFor = (call: ScopedCall, inFlightOf: (entry: ScopeEntry) => number) =>
    decideAll(call, clock.nowMs(), (scope) => {
      const entry = entryOf(scope);
      return { quota: entry.quota, inFlight: inFlightOf(entry) };
    });
  const giveBack = ({ scopes, calls }: ScopedCall): void => {
    for (const scope of scopes) entryOf(scope).admitted -= calls;
  };
  return {
    room: (scopes) => smallestRoom(scopes.map(entryOf), clock.nowMs()),
    decide: (call) => decideFor(call, ({ admitted, inFlight }) => admitted + inFlight),
    admit({ scopes, calls }) {
      for (const scope of scopes) entryOf(scope).admitted += calls;
    },
    giveBack,
    dispatched(call) {
      const { scopes, priority, calls } = call;
      // Calls that are admitted but not sent spend nothing yet: only those in flight count.
      if (decideFor(call, ({ inFlight }) => inFlight).kind !== 'go') return undefined;
      giveBack(call);
      return scopes.map((scope) => {
        entryOf(scope).inFlight += calls;
        change(scope, (quota, nowMs) => noteCall(quota, priority, nowMs));
        const { quota, reports } = entryOf(scope);
        return { scope, stops: quota.stops, reports, calls };
      });
    },
    finished(dispatch, answered) {
      for (const sent of dispatch) {
        entryOf(sent.scope).inFlight -= sent.calls;
        const { reports } = entryOf(sent.scope);
        if (answered) change(sent.scope, (quota) => afterAnswer(quota, sent, reports));
      }
    },
    recordUsage({ scope, ...usage }) {
      entryOf(scope).reports += 1;
      change(scope, (quota, nowMs) => noteUsage(quota, usage, nowMs));
    },
    block(scope, ms) {
      change(scope, (quota, nowMs) => noteRejection(quota, ms, nowMs));
    },
    blocked: (scopes) => longestBlock(scopes.map(entryOf), clock.nowMs()),
  };
}

function afterAnswer(
  quota: Quota,
  { stops, calls, reports }: Dispatch[number],
  reportsNow: number,
): Quota {
  const answered = noteAnswer(quota, stops);
  return reports === reportsNow ? noteSilence(answered, calls) : answered;
}

function longestBlock(
  entries: readonly ScopeEntry[],
  nowMs: number,
): ReturnType<Scopes['blocked']> {
  return entries
    .map(({ scope, quota }) => ({ scope, ms: quota.blockedUntilMs - nowMs }))
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms)[0];
}

function smallestRoom(entries: readonly ScopeEntry[], nowMs: number): number {
  const rooms = entries.map(({ quota, admitted, inFlight }) =>
    roomFor(quota, { nowMs, inFlight: admitted + inFlight }),
  );
  return smallest(rooms);
}

/** Returns the strictest decision of the scopes. */
function decideAll(
  { scopes, priority, calls, mode }: ScopedCall,
  nowMs: number,
  stateOf: (scope: Scope) => Pick<ScopeEntry, 'quota' | 'inFlight'>,
): Decision {
  const decideOne = mode === 'unpaced' ? decideUnpaced : decide;
  return strictest(
    scopes.map((scope) => {
      const { quota, inFlight } = stateOf(scope);
      const otherCalls = mode === 'look' ? 0 : inFlight;
      return decideOne(quota, { priority, nowMs, calls, inFlight: otherCalls });
    }),
  );
}

function hasMoved(reported: Pick<ScopeStatus, 'percent'>, { percent }: ScopeStatus): boolean {
  return Math.abs(percent - reported.percent) >= reportedStepPercent;
}

/** Creates the entries by scope; their changes are reported to telemetry. */
function createEntries({ clock, telemetry }: ScopesTools) {
  const entries = new Map<string, ScopeEntry>();
  const entryOf = (scope: Scope): ScopeEntry => {
    const key = `${scope.kind} ${scope.id}`;
    const entry = entries.get(key) ?? {
      scope,
      quota: newQuota(scope.kind),
      reports: 0,
      admitted: 0,
      inFlight: 0,
      reported: null,
    };
    entries.set(key, entry);
    return entry;
  };
  const change = (scope: Scope, next: (quota: Quota, nowMs: number) => Quota): void => {
    const entry = entryOf(scope);
    const nowMs = clock.nowMs();
    entry.quota = next(entry.quota, nowMs);
    const { reported } = entry;
    const status = statusOf(entry.quota, reported?.state ?? 'free', nowMs);
    // Before the API reports usage, a free scope is only an estimate: not reported.
    if (reported === null && entry.quota.reportedMs === null && status.state === 'free') return;
    if (reported?.state === status.state && !hasMoved(reported, status)) return;
    entry.reported = status;
    telemetry.report({ type: 'scope', scope: entry.scope, ...status });
  };
  return { entryOf, change };
}
