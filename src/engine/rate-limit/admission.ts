import { priorities } from './quota.ts';
import type { Clock } from '../ports.ts';
import type { ScopedCall, Scopes } from './scopes.ts';

/** Somebody who wants to make a call. */
export interface Applicant extends ScopedCall {
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
export interface Admission {
  /**
   * Admits at once or queues; who is `unspaced` is admitted as well when blocked, and to be told so.
   * Who is admitted for a call must depart in the scopes, or `leave`.
   */
  enter(applicant: Applicant, signal: AbortSignal): Place;
  /** For who is admitted and makes no call. */
  leave(applicant: Applicant): void;
  /** Looks whether somebody may go; to be called when a quota has changed. */
  review(): void;
}

interface Waiting {
  readonly applicant: Applicant;
  readonly order: number;
  readonly admit: () => void;
}

/**
 * Admits what is urgent first, then the share that was admitted longest ago, then who came first.
 * Who waits for one scope holds nobody of another back.
 */
export function createAdmission(scopes: Scopes, clock: Clock): Admission {
  const waiting = new Set<Waiting>();
  const shares = createShares();
  const alarm = createAlarm(clock, () => {
    review();
  });
  let entered = 0;

  const admit = ({ applicant, admit: tell }: Waiting): void => {
    if (applicant.manner !== 'look') {
      scopes.admit(applicant);
      shares.serve(applicant);
    }
    tell();
  };
  const review = (): void => {
    let soonestMs = Infinity;
    for (const one of [...waiting].sort(shares.compare)) {
      const decision = scopes.decide(one.applicant);
      const isWaiting = decision.kind === 'wait' && one.applicant.manner !== 'unspaced';
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
    enter(applicant, signal) {
      entered += 1;
      return enterQueue({ applicant, order: entered }, { wait, signal });
    },
    leave(applicant) {
      scopes.giveBack(applicant);
      review();
    },
  };
}

/** @param wait - puts somebody into the queue and gives what takes them out of it */
function enterQueue(
  who: Pick<Waiting, 'applicant' | 'order'>,
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
  const servedOf = ({ applicant }: Waiting): number => served.get(applicant.share) ?? 0;
  const rankOf = ({ applicant }: Waiting): number => priorities.indexOf(applicant.priority);
  return {
    serve({ share }: Applicant): void {
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
