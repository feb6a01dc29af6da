import type { Account } from '../core/account.ts';
import type { Scope } from '../core/errors.ts';
import type { Decision, Priority, Quota, Standing } from '../core/quota.ts';
import {
  decide,
  decideUnspaced,
  newQuota,
  noteAnswer,
  noteSilence,
  noteCall,
  noteRefusal,
  noteUsage,
  roomFor,
  standingOf,
  strictest,
} from '../core/quota.ts';
import type { Clock, GraphRequest, OnUsage, Telemetry } from './ports.ts';

/** The quotas of the tokens' scopes, and the calls that are admitted or under way in each. */
export interface Scopes {
  /** The most calls that a request may count as and go at once, as far as is known; at least 1. */
  room(scopes: readonly Scope[]): number;
  /** What a call may do now that all the scopes apply to. */
  decide(call: ScopedCall): Decision;
  /** Keeps room for a call, as if it were under way, until it departs or gives it back. */
  admit(call: ScopedCall): void;
  giveBack(call: ScopedCall): void;
  /**
   * Lets an admitted call leave, which must be made at once, if it still may: much can have happened
   * since it was admitted. Undefined when it may not; it stays admitted.
   */
  depart(call: ScopedCall): Departure | undefined;
  /** @param answered - false when there was no answer, or a limit was one */
  arrive(departure: Departure, answered: boolean): void;
  readonly tell: OnUsage;
  /** Nothing in the scope is asked for `ms`. */
  refuse(scope: Scope, ms: number): void;
  /** The scope that is blocked for longest; undefined when none is. */
  blocked(scopes: readonly Scope[]): { readonly scope: Scope; readonly ms: number } | undefined;
}

/** A call and the quotas that it spends. */
export interface ScopedCall {
  readonly scopes: readonly Scope[];
  readonly priority: Priority;
  /** How many calls it counts as; 1 but for a batch. */
  readonly calls: number;
  /**
   * `spaced` spares the quota; `unspaced` goes however much is used up, but not in a blocked scope;
   * a `look` is told what it could do if nothing were under way, and makes no call.
   */
  readonly manner: 'spaced' | 'unspaced' | 'look';
}

/** A call that left, and what was known then. */
export type Departure = readonly {
  readonly scope: Scope;
  readonly stops: number;
  readonly tellings: number;
  readonly calls: number;
}[];

/**
 * The scopes that apply to a request: the app's, the user's, and those of its account.
 *
 * @param known - the accounts by id, as far as any have asked
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

/** Usage is told again when it has moved by this much, so that who watches sees it move. */
const toldStepPercent = 5;

interface Entry {
  readonly scope: Scope;
  quota: Quota;
  /** How often its usage was told. */
  tellings: number;
  admitted: number;
  inFlight: number;
  /** Null before the first time. */
  told: Pick<Standing, 'state' | 'percent'> | null;
}

interface Watching {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Knows nothing of any scope yet. */
export function createScopes(watching: Watching): Scopes {
  const { clock } = watching;
  const { entryOf, change } = createEntries(watching);
  const decideFor = (call: ScopedCall, inFlightOf: (entry: Entry) => number) =>
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
    depart(call) {
      const { scopes, priority, calls } = call;
      // Who is admitted and has not left spends nothing yet, and may have to wait once more.
      if (decideFor(call, ({ inFlight }) => inFlight).kind !== 'go') return undefined;
      giveBack(call);
      return scopes.map((scope) => {
        entryOf(scope).inFlight += calls;
        change(scope, (quota, nowMs) => noteCall(quota, priority, nowMs));
        const { quota, tellings } = entryOf(scope);
        return { scope, stops: quota.stops, tellings, calls };
      });
    },
    arrive(departure, answered) {
      for (const left of departure) {
        entryOf(left.scope).inFlight -= left.calls;
        const { tellings } = entryOf(left.scope);
        if (answered) change(left.scope, (quota) => afterAnswer(quota, left, tellings));
      }
    },
    tell({ scope, ...usage }) {
      entryOf(scope).tellings += 1;
      change(scope, (quota, nowMs) => noteUsage(quota, usage, nowMs));
    },
    refuse(scope, ms) {
      change(scope, (quota, nowMs) => noteRefusal(quota, ms, nowMs));
    },
    blocked: (scopes) => longestBlock(scopes.map(entryOf), clock.nowMs()),
  };
}

function afterAnswer(
  quota: Quota,
  { stops, calls, tellings }: Departure[number],
  tellingsNow: number,
): Quota {
  const answered = noteAnswer(quota, stops);
  return tellings === tellingsNow ? noteSilence(answered, calls) : answered;
}

function longestBlock(entries: readonly Entry[], nowMs: number): ReturnType<Scopes['blocked']> {
  return entries
    .map(({ scope, quota }) => ({ scope, ms: quota.blockedUntilMs - nowMs }))
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms)[0];
}

function smallestRoom(entries: readonly Entry[], nowMs: number): number {
  const rooms = entries.map(({ quota, admitted, inFlight }) =>
    roomFor(quota, { nowMs, inFlight: admitted + inFlight }),
  );
  return Math.min(...rooms);
}

/** The strictest of what the scopes decide. */
function decideAll(
  { scopes, priority, calls, manner }: ScopedCall,
  nowMs: number,
  stateOf: (scope: Scope) => Pick<Entry, 'quota' | 'inFlight'>,
): Decision {
  const decideOne = manner === 'unspaced' ? decideUnspaced : decide;
  return strictest(
    scopes.map((scope) => {
      const { quota, inFlight } = stateOf(scope);
      const others = manner === 'look' ? 0 : inFlight;
      return decideOne(quota, { priority, nowMs, calls, inFlight: others });
    }),
  );
}

function hasMoved(told: Pick<Standing, 'percent'>, { percent }: Standing): boolean {
  return Math.abs(percent - told.percent) >= toldStepPercent;
}

/** The entries by scope; a change of one is told to those who watch. */
function createEntries({ clock, telemetry }: Watching) {
  const entries = new Map<string, Entry>();
  const entryOf = (scope: Scope): Entry => {
    const key = `${scope.kind} ${scope.id}`;
    const entry = entries.get(key) ?? {
      scope,
      quota: newQuota(scope.kind),
      tellings: 0,
      admitted: 0,
      inFlight: 0,
      told: null,
    };
    entries.set(key, entry);
    return entry;
  };
  const change = (scope: Scope, next: (quota: Quota, nowMs: number) => Quota): void => {
    const entry = entryOf(scope);
    const nowMs = clock.nowMs();
    entry.quota = next(entry.quota, nowMs);
    const { told } = entry;
    const standing = standingOf(entry.quota, told?.state ?? 'free', nowMs);
    // Until the API has said how it stands, there is only what was counted here.
    if (told === null && entry.quota.toldMs === null && standing.state === 'free') return;
    if (told?.state === standing.state && !hasMoved(told, standing)) return;
    entry.told = standing;
    telemetry.report({ type: 'scope', scope: entry.scope, ...standing });
  };
  return { entryOf, change };
}
