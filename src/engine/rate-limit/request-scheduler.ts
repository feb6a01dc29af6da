import { type Scope, isClassifiedError, WaitError } from '../errors.ts';
import { smallest } from '../extremes.ts';
import type { Clock, Telemetry, UsageReport } from '../ports.ts';
import {
  type Decision,
  type Priority,
  type Quota,
  type ScopeStatus,
  decide,
  decideUnpaced,
  newQuota,
  noteAnswer,
  noteCall,
  noteRejection,
  noteSilence,
  noteUsage,
  priorities,
  roomFor,
  statusOf,
  strictest,
} from './quota.ts';
import { Semaphore } from './semaphore.ts';

// States of a call:
// - waiting: its scopes have no room, or another call goes first.
// - admitted: room is reserved for it in its scopes; it must be sent, or given back.
// - in flight: a request permit was free, the quota was checked again, and it was sent.
// - finished: answered or failed; it no longer counts as in flight.
// A `look` reserves no room: it is done once it is admitted.
// The states of a scope's quota are in quota.ts.

/** A call and the quotas that it spends. */
export interface Call {
  readonly scopes: readonly Scope[];
  readonly priority: Priority;
  /** The number of calls that Meta counts it as: 1, or the items of a batch. */
  readonly calls: number;
  /** The flow of fair queueing: the account's id; empty for a call of no single account. */
  readonly flow: string;
  /**
   * `paced` as the quota runs short; `unpaced`: sent at any usage, except in a blocked scope;
   * `look`: makes no call, and is decided as if none were in flight.
   */
  readonly mode: 'paced' | 'unpaced' | 'look';
}

/** Usage is reported to telemetry again when it has changed by this many percentage points. */
const reportedStepPercent = 5;

interface ScopeEntry {
  readonly scope: Scope;
  quota: Quota;
  reports: number;
  admitted: number;
  inFlight: number;
  /** As last reported to telemetry; null before the first report. */
  reported: Pick<ScopeStatus, 'state' | 'percent'> | null;
}

interface QueueEntry {
  readonly call: Call;
  readonly order: number;
  readonly admit: () => void;
}

/** The scopes of a call in flight, with their counters when it was sent. */
type Dispatch = readonly {
  readonly entry: ScopeEntry;
  readonly stops: number;
  readonly reports: number;
}[];

export interface SchedulerTools {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** The most requests in flight at once, at least 1. */
  readonly maxConcurrentRequests: number;
}

/**
 * The scheduler of all requests: admits calls by priority, then the flow that was admitted longest
 * ago, then arrival. A call that waits for one scope delays none of another scope.
 */
export class RequestScheduler {
  readonly #tools: SchedulerTools;
  readonly #permits: Semaphore;
  readonly #entries = new Map<string, ScopeEntry>();
  readonly #waiting = new Set<QueueEntry>();
  /** The number of the last admission of each flow. */
  readonly #served = new Map<string, number>();
  #admissions = 0;
  #arrivals = 0;
  /** The time of the next review, epoch milliseconds, and the sleep until then. */
  #reviewMs = Infinity;
  #sleep = new AbortController();

  constructor(tools: SchedulerTools) {
    this.#tools = tools;
    this.#permits = new Semaphore(tools.maxConcurrentRequests);
  }

  /** The most calls that a request sent now may count as, by the usage known; at least 1. */
  room(scopes: readonly Scope[]): number {
    const nowMs = this.#tools.clock.nowMs();
    const entries = scopes.map((scope) => this.#entryOf(scope));
    return smallest(
      entries.map(({ quota, admitted, inFlight }) => roomFor(quota, nowMs, admitted + inFlight)),
    );
  }

  /** The scope whose block lasts longest, and its rest in milliseconds; undefined for no block. */
  blocked(scopes: readonly Scope[]): { readonly scope: Scope; readonly ms: number } | undefined {
    const nowMs = this.#tools.clock.nowMs();
    return scopes
      .map((scope) => ({ scope, ms: this.#entryOf(scope).quota.blockedUntilMs - nowMs }))
      .filter(({ ms }) => ms > 0)
      .sort((a, b) => b.ms - a.ms)[0];
  }

  /** Blocks a scope for at least `ms` milliseconds; to be followed by a review. */
  block(scope: Scope, ms: number): void {
    this.#change(this.#entryOf(scope), (quota, nowMs) => noteRejection(quota, ms, nowMs));
  }

  recordUsage({ scope, ...usage }: UsageReport): void {
    const entry = this.#entryOf(scope);
    entry.reports += 1;
    this.#change(entry, (quota, nowMs) => noteUsage(quota, usage, nowMs));
    this.review();
  }

  /**
   * Admits a call at once or queues it; the caller rejects an `unpaced` call in a blocked scope.
   * @returns undefined when it is admitted at once; else a promise that resolves when it is, and
   * rejects with the signal's reason
   */
  enter(call: Call, signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const abort = (): void => {
      this.#waiting.delete(entry);
      this.review();
      reject(signal.reason);
    };
    const admit = (): void => {
      signal.removeEventListener('abort', abort);
      resolve(undefined);
    };
    const entry: QueueEntry = { call, order: (this.#arrivals += 1), admit };
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.add(entry);
    this.review();
    return this.#waiting.has(entry) ? promise : undefined;
  }

  /** Gives back the room of an admitted call that is not sent. */
  giveBack({ scopes, calls }: Call): void {
    for (const scope of scopes) this.#entryOf(scope).admitted -= calls;
    this.review();
  }

  /**
   * Sends an admitted call as soon as a request permit is free; a limit that it meets blocks its
   * scope. Undefined when the quota no longer allows the call by then: nothing was sent.
   */
  async send<T>(
    call: Call,
    request: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ readonly answer: T } | undefined> {
    let dispatch: Dispatch | undefined;
    try {
      return await this.#permits.take(async () => {
        // Calls that are admitted but not sent spend nothing yet: only those in flight count.
        if (this.#decide(call, ({ inFlight }) => inFlight).kind !== 'go') return undefined;
        dispatch = this.#dispatch(call);
        return { answer: await this.#exchange(call, dispatch, request) };
      }, signal);
    } finally {
      if (dispatch === undefined) this.giveBack(call);
      else this.review();
    }
  }

  /** Admits the calls that have room now; to be called when a quota has changed. */
  review(): void {
    let soonestMs = Infinity;
    for (const entry of [...this.#waiting].sort((a, b) => this.#compare(a, b))) {
      const { call, admit } = entry;
      const decision = this.#decide(call, ({ admitted, inFlight }) => admitted + inFlight);
      const isWaiting = decision.kind === 'wait' && call.mode !== 'unpaced';
      if (isWaiting) soonestMs = Math.min(soonestMs, decision.ms);
      if (isWaiting || decision.kind === 'queue') continue;
      this.#waiting.delete(entry);
      if (call.mode !== 'look') {
        for (const scope of call.scopes) this.#entryOf(scope).admitted += call.calls;
        this.#served.set(call.flow, (this.#admissions += 1));
      }
      admit();
    }
    this.#reviewAfter(soonestMs);
  }

  #compare(a: QueueEntry, b: QueueEntry): number {
    const rankOf = ({ call }: QueueEntry): number => priorities.indexOf(call.priority);
    const servedOf = ({ call }: QueueEntry): number => this.#served.get(call.flow) ?? 0;
    return rankOf(a) - rankOf(b) || servedOf(a) - servedOf(b) || a.order - b.order;
  }

  #reviewAfter(ms: number): void {
    const { clock } = this.#tools;
    const nextMs = clock.nowMs() + ms;
    if (nextMs === this.#reviewMs) return;
    this.#sleep.abort();
    this.#reviewMs = nextMs;
    if (ms === Infinity) return;
    this.#sleep = new AbortController();
    const { signal } = this.#sleep;
    clock.sleep(ms, signal).then(
      () => {
        if (signal.aborted) return;
        this.#reviewMs = Infinity;
        this.review();
      },
      // A later review has aborted this sleep.
      () => undefined,
    );
  }

  /** Returns the strictest decision of the call's scopes. */
  #decide(
    { scopes, priority, calls, mode }: Call,
    inFlightOf: (entry: ScopeEntry) => number,
  ): Decision {
    const nowMs = this.#tools.clock.nowMs();
    const decideOne = mode === 'unpaced' ? decideUnpaced : decide;
    return strictest(
      scopes.map((scope) => {
        const entry = this.#entryOf(scope);
        const inFlight = mode === 'look' ? 0 : inFlightOf(entry);
        return decideOne(entry.quota, { priority, nowMs, calls, inFlight });
      }),
    );
  }

  /** Counts an admitted call as in flight; it is sent at once. */
  #dispatch({ scopes, priority, calls }: Call): Dispatch {
    return scopes.map((scope) => {
      const entry = this.#entryOf(scope);
      entry.admitted -= calls;
      entry.inFlight += calls;
      this.#change(entry, (quota, nowMs) => noteCall(quota, priority, nowMs));
      return { entry, stops: entry.quota.stops, reports: entry.reports };
    });
  }

  /** Sends a call that is counted as in flight, and records how it ended. */
  async #exchange<T>({ calls }: Call, dispatch: Dispatch, request: () => Promise<T>): Promise<T> {
    let isAnswered = false;
    try {
      const answer = await request();
      isAnswered = true;
      return answer;
    } catch (error) {
      if (error instanceof WaitError) this.block(error.scope, error.retryAfterMs);
      isAnswered = provesAnswer(error);
      throw error;
    } finally {
      for (const { entry, stops, reports } of dispatch) {
        entry.inFlight -= calls;
        if (!isAnswered) continue;
        this.#change(entry, (quota) => {
          const answered = noteAnswer(quota, stops);
          return reports === entry.reports ? noteSilence(answered, calls) : answered;
        });
      }
    }
  }

  #entryOf(scope: Scope): ScopeEntry {
    const key = `${scope.kind} ${scope.id}`;
    const entry = this.#entries.get(key) ?? {
      scope,
      quota: newQuota(scope.kind),
      reports: 0,
      admitted: 0,
      inFlight: 0,
      reported: null,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Changes a scope's quota, and reports its status to telemetry when that has moved. */
  #change(entry: ScopeEntry, next: (quota: Quota, nowMs: number) => Quota): void {
    const nowMs = this.#tools.clock.nowMs();
    entry.quota = next(entry.quota, nowMs);
    const { reported } = entry;
    const status = statusOf(entry.quota, reported?.state ?? 'free', nowMs);
    // Before the API reports usage, a free scope is only an estimate: not reported.
    if (reported === null && entry.quota.reportedMs === null && status.state === 'free') return;
    const isMoved =
      reported?.state !== status.state ||
      Math.abs(status.percent - reported.percent) >= reportedStepPercent;
    if (!isMoved) return;
    entry.reported = status;
    this.#tools.telemetry.report({ type: 'scope', scope: entry.scope, ...status });
  }
}

/** True for an error that proves that the API processed the call: no limit, no transient failure. */
function provesAnswer(error: unknown): boolean {
  return isClassifiedError(error) && error.disposition !== 'wait' && error.disposition !== 'retry';
}
