import { priorities } from './quota.ts';
import type { Clock } from '../ports.ts';
import type { ScopedCall, Scopes } from './scopes.ts';

/** Somebody who wants to make a call. */
export interface QueuedRequest extends ScopedCall {
  /** Who shares equally: the account's id; empty for what is no single account's. */
  readonly share: string;
}

/** A place in the queue. */
export interface Place {
  /** Whether there was no wait. */
  readonly immediate: boolean;
  /** Resolves when admitted; rejects with the signal's reason when aborted before. */
  readonly admitted: Promise<void>;
  /** Leaves the queue; false when it was admitted already. */
  leave(): boolean;
}

/** The queue of those who wait for a quota. */
export interface RequestQueue {
  /**
   * Admits at once or queues; who is `unpaced` is admitted as well when blocked, and to be told so.
   * Who is admitted for a call must depart in the scopes, or `leave`.
   */
  enter(queued: QueuedRequest, signal: AbortSignal): Place;
  /** For who is admitted and makes no call. */
  leave(queued: QueuedRequest): void;
  /** Looks whether somebody may go; to be called when a quota has changed. */
  review(): void;
}

interface Waiting {
  readonly queued: QueuedRequest;
  readonly order: number;
  readonly admit: () => void;
}

/**
 * Admits what is urgent first, then the share that was admitted longest ago, then who came first.
 * Who waits for one scope holds nobody of another back.
 */
export function createRequestQueue(scopes: Scopes, clock: Clock): RequestQueue {
  const waiting = new Set<Waiting>();
  const shares = createShares();
  const alarm = createAlarm(clock, () => {
    review();
  });
  let entered = 0;

  const admit = ({ queued, admit: tell }: Waiting): void => {
    if (queued.mode !== 'look') {
      scopes.admit(queued);
      shares.serve(queued);
    }
    tell();
  };
  const review = (): void => {
    let soonestMs = Infinity;
    for (const one of [...waiting].sort(shares.compare)) {
      const decision = scopes.decide(one.queued);
      const isWaiting = decision.kind === 'wait' && one.queued.mode !== 'unpaced';
      if (isWaiting) soonestMs = Math.min(soonestMs, decision.ms);
      if (isWaiting || decision.kind === 'queue') continue;
      waiting.delete(one);
      admit(one);
    }
    alarm.set(soonestMs);
  };
  const wait = (one: Waiting): (() => void) => {
    waiting.add(one);
    review();
    return () => {
      waiting.delete(one);
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

/** @param wait - puts somebody into the queue and gives what takes them out of it */
function enterQueue(
  who: Pick<Waiting, 'queued' | 'order'>,
  { wait, signal }: { wait: (one: Waiting) => () => void; signal: AbortSignal },
): Place {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  if (signal.aborted) {
    reject(signal.reason);
    return { immediate: false, admitted: promise, leave: () => true };
  }
  let isIn = false;
  const abort = (): void => {
    giveUp();
    reject(signal.reason);
  };
  const admit = (): void => {
    isIn = true;
    signal.removeEventListener('abort', abort);
    resolve(undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  const giveUp = wait({ ...who, admit });
  return {
    immediate: isIn,
    admitted: promise,
    leave() {
      if (isIn) return false;
      signal.removeEventListener('abort', abort);
      giveUp();
      return true;
    },
  };
}

/** Who goes first. */
function createShares() {
  const served = new Map<string, number>();
  let admissions = 0;
  const servedOf = ({ queued }: Waiting): number => served.get(queued.share) ?? 0;
  const rankOf = ({ queued }: Waiting): number => priorities.indexOf(queued.priority);
  return {
    serve({ share }: QueuedRequest): void {
      admissions += 1;
      served.set(share, admissions);
    },
    compare: (a: Waiting, b: Waiting): number =>
      rankOf(a) - rankOf(b) || servedOf(a) - servedOf(b) || a.order - b.order,
  };
}

/** Calls once, at the time that was set last; Infinity for never. */
function createAlarm(clock: Clock, ring: () => void): { set(ms: number): void } {
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
          ring();
        },
        // Another time was set.
        () => undefined,
      );
    },
  };
}
