import { priorities } from './quota.ts';
import type { Clock } from '../ports.ts';
import type { ScopedCall, Scopes } from './scopes.ts';

// States of a queued request:
// - waiting: its scopes have no room, or a request before it is first.
// - admitted: room is reserved for it in its scopes; it must be dispatched there, or `leave`.
// - left: it was aborted or left the queue before it was admitted.
// A `look` reserves no room: it is done once it is admitted.

/** A request that waits for its quota. */
export interface QueuedRequest extends ScopedCall {
  /** The flow of fair queueing: the account's id; empty for a request of no single account. */
  readonly flow: string;
}

/** The ticket of a queued request. */
export interface Ticket {
  /** True when it was admitted without a wait. */
  readonly immediate: boolean;
  /** Resolves when admitted; rejects with the signal's reason when aborted before. */
  readonly admitted: Promise<void>;
  /** Leaves the queue; false when it was admitted already. */
  leave(): boolean;
}

/** The queue of requests that wait for their quota. */
export interface RequestQueue {
  /**
   * Admits a request at once or queues it. An `unpaced` request is admitted even when its scope is
   * blocked; the caller then rejects it. An admitted call must be dispatched in the scopes, or
   * `leave`.
   */
  enter(queued: QueuedRequest, signal: AbortSignal): Ticket;
  /** Gives back the room of an admitted request that makes no call. */
  leave(queued: QueuedRequest): void;
  /** Admits the requests that have room now; to be called when a quota has changed. */
  review(): void;
}

interface QueueEntry {
  readonly queued: QueuedRequest;
  readonly order: number;
  readonly admit: () => void;
}

/**
 * Creates a queue that admits by priority, then the flow that was admitted longest ago, then in
 * order of arrival. A request that waits for one scope delays none of another scope.
 */
export function createRequestQueue(scopes: Scopes, clock: Clock): RequestQueue {
  const waiting = new Set<QueueEntry>();
  const flows = createFlows();
  const timer = createTimer(clock, () => {
    review();
  });
  let entered = 0;

  const admit = ({ queued, admit: resolve }: QueueEntry): void => {
    if (queued.mode !== 'look') {
      scopes.admit(queued);
      flows.serve(queued);
    }
    resolve();
  };
  const review = (): void => {
    let soonestMs = Infinity;
    for (const entry of [...waiting].sort(flows.compare)) {
      const decision = scopes.decide(entry.queued);
      const isWaiting = decision.kind === 'wait' && entry.queued.mode !== 'unpaced';
      if (isWaiting) soonestMs = Math.min(soonestMs, decision.ms);
      if (isWaiting || decision.kind === 'queue') continue;
      waiting.delete(entry);
      admit(entry);
    }
    timer.set(soonestMs);
  };
  const wait = (entry: QueueEntry): (() => void) => {
    waiting.add(entry);
    review();
    return () => {
      waiting.delete(entry);
      review();
    };
  };

  return {
    review,
    enter(queued, signal) {
      entered += 1;
      return enterQueue({ queued, order: entered }, { wait, signal });
    },
    leave(queued) {
      scopes.giveBack(queued);
      review();
    },
  };
}

/** @param wait - puts an entry into the queue and returns a function that removes it */
function enterQueue(
  request: Pick<QueueEntry, 'queued' | 'order'>,
  { wait, signal }: { wait: (entry: QueueEntry) => () => void; signal: AbortSignal },
): Ticket {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  if (signal.aborted) {
    reject(signal.reason);
    return { immediate: false, admitted: promise, leave: () => true };
  }
  let isAdmitted = false;
  const abort = (): void => {
    withdraw();
    reject(signal.reason);
  };
  const admit = (): void => {
    isAdmitted = true;
    signal.removeEventListener('abort', abort);
    resolve(undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  const withdraw = wait({ ...request, admit });
  return {
    immediate: isAdmitted,
    admitted: promise,
    leave() {
      if (isAdmitted) return false;
      signal.removeEventListener('abort', abort);
      withdraw();
      return true;
    },
  };
}

/** Creates the order of the queue: priority, then the flow served longest ago, then arrival. */
function createFlows() {
  const served = new Map<string, number>();
  let admissions = 0;
  const servedOf = ({ queued }: QueueEntry): number => served.get(queued.flow) ?? 0;
  const rankOf = ({ queued }: QueueEntry): number => priorities.indexOf(queued.priority);
  return {
    serve({ flow }: QueuedRequest): void {
      admissions += 1;
      served.set(flow, admissions);
    },
    compare: (a: QueueEntry, b: QueueEntry): number =>
      rankOf(a) - rankOf(b) || servedOf(a) - servedOf(b) || a.order - b.order,
  };
}

/** Creates a timer that calls once, at the time that was set last; Infinity for never. */
function createTimer(clock: Clock, onTime: () => void): { set(ms: number): void } {
  let dueMs = Infinity;
  let sleep = new AbortController();
  return {
    set(ms) {
      const nextMs = clock.nowMs() + ms;
      if (nextMs === dueMs) return;
      sleep.abort();
      dueMs = nextMs;
      if (ms === Infinity) return;
      sleep = new AbortController();
      const { signal } = sleep;
      clock.sleep(ms, signal).then(
        () => {
          if (signal.aborted) return;
          dueMs = Infinity;
          onTime();
        },
        // A later `set` has aborted this sleep.
        () => undefined,
      );
    },
  };
}
