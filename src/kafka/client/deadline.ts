import { setTimeout as sleep } from 'node:timers/promises';
import type { Throttle } from './throttle.ts';

/** Kafka did not answer in the time that was given; the call itself may still be going on. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Settles as `work` does, or rejects with a {@link DeadlineError} after `deadlineMs`. The work itself
 * cannot be cancelled: whoever gets the error must make it harmless.
 */
export function withDeadline<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  return unlessExpired(work, async (signal) => {
    await sleep(deadlineMs, undefined, { signal });
    throw new DeadlineError(`${what} took longer than ${deadlineMs} ms`);
  });
}

async function unlessExpired<T>(
  work: Promise<T>,
  expire: (signal: AbortSignal) => Promise<never>,
): Promise<T> {
  const timer = new AbortController();
  const expiry = expire(timer.signal);
  // The race is over when the timer is aborted; nobody is left to hear of it.
  expiry.catch(() => undefined);
  try {
    return await Promise.race([work, expiry]);
  } finally {
    timer.abort();
  }
}

/** A deadline that came although throttled time does not count: {@link withThrottledDeadline}. */
export class ThrottledError extends Error {
  override readonly name = 'ThrottledError';
  /** The rest of the current wait, in milliseconds. */
  readonly leftMs: number;
  constructor(message: string, leftMs: number) {
    super(message);
    this.leftMs = leftMs;
  }
}

/** A deadline against which the time does not count for which brokers throttle the client. */
export interface ThrottledDeadline {
  readonly deadlineMs: number;
  /** The end in any case. */
  readonly limitMs: number;
  readonly throttle: Throttle;
}

/**
 * As {@link withDeadline}, but the throttled time comes on top, up to `limitMs` in all; rejects with a
 * {@link ThrottledError} where that does not suffice.
 */
export function withThrottledDeadline<T>(
  work: Promise<T>,
  { deadlineMs, limitMs, throttle }: ThrottledDeadline,
  what: string,
): Promise<T> {
  const startMs = performance.now();
  const beforeMs = throttle.totalMs();
  return unlessExpired(work, async (signal) => {
    for (;;) {
      const leftMs = startMs + limitMs - performance.now();
      const throttledMs = throttle.totalMs() - beforeMs;
      const waitMs = Math.min(leftMs, startMs + deadlineMs + throttledMs - performance.now());
      const isHopeless = throttledMs > 0 && throttle.leftMs() >= leftMs;
      if (isHopeless || (waitMs <= 0 && deadlineMs + throttledMs > limitMs)) {
        const spent = `of which ${Math.round(throttledMs)} ms of throttling`;
        const message = `${what} needs longer than ${limitMs} ms, ${spent}`;
        throw new ThrottledError(message, throttle.leftMs());
      }
      if (waitMs <= 0) {
        const spentMs = Math.round(deadlineMs + throttledMs);
        throw new DeadlineError(`${what} took longer than ${spentMs} ms`);
      }
      await sleep(Math.ceil(waitMs), undefined, { signal });
    }
  });
}

/**
 * Settles as `work` does, or rejects with a {@link DeadlineError} when it is still going on `limitMs()`
 * after the signal was aborted.
 */
export async function onceStopped<T>(
  work: Promise<T>,
  stop: AbortSignal,
  limitMs: () => number,
): Promise<T> {
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  const abort = (): void => {
    resolve(undefined);
  };
  if (stop.aborted) abort();
  stop.addEventListener('abort', abort, { once: true });
  const bounded = stopped.then(() => withDeadline(work, limitMs(), 'what was in hand at the stop'));
  bounded.catch(() => undefined);
  try {
    return await Promise.race([work, bounded]);
  } finally {
    stop.removeEventListener('abort', abort);
  }
}

/** Waits for `work` at most `limitMs` and swallows how it ends: for clean-up that may fail. */
export async function settleWithin(work: Promise<unknown>, limitMs: number): Promise<void> {
  await succeedsWithin(work, limitMs);
}

/** Whether `work` succeeds, and does so within `limitMs`; for clean-up that is then done otherwise. */
export async function succeedsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  return withDeadline(work, limitMs, 'clean-up').then(
    () => true,
    () => false,
  );
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it is aborted. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // It may fail when nobody waits for it any more.
  work.catch(() => undefined);
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    promise.catch(() => undefined);
  }
}
