import { setTimeout as sleep } from 'node:timers/promises';

/** The error of a call that exceeded its deadline; the call itself may still be running. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Settles as `task` does, or rejects with a {@link DeadlineError} after `deadlineMs`. The task
 * itself cannot be cancelled: the caller that gets the error must make it harmless.
 */
export function withDeadline<T>(
  task: Promise<T>,
  deadlineMs: number,
  operation: string,
): Promise<T> {
  return unlessExpired(task, async (signal) => {
    await sleep(deadlineMs, undefined, { signal });
    throw new DeadlineError(`${operation} took longer than ${deadlineMs} ms`);
  });
}

async function unlessExpired<T>(
  task: Promise<T>,
  expire: (signal: AbortSignal) => Promise<never>,
): Promise<T> {
  const timer = new AbortController();
  const expiry = expire(timer.signal);
  // Aborting the timer after the race must not cause an unhandled rejection.
  expiry.catch(() => undefined);
  try {
    return await Promise.race([task, expiry]);
  } finally {
    timer.abort();
  }
}

/**
 * Creates a throttle, the time for which brokers have throttled a client by a quota; overlapping
 * waits of several brokers count once.
 */
export function createThrottle(nowMs: () => number) {
  let totalMs = 0;
  let untilMs = 0;
  return {
    /** Records an answer's `throttle_time_ms`; returns the time by which the wait grows. */
    record(ms: number): number {
      const fromMs = Math.max(nowMs(), untilMs);
      const addedMs = Math.max(0, nowMs() + ms - fromMs);
      untilMs = fromMs + addedMs;
      totalMs += addedMs;
      return addedMs;
    },
    /** Returns the total, including the rest of the current wait, in milliseconds. */
    totalMs: () => totalMs,
    /** Returns the remaining time of the current wait, in milliseconds. */
    leftMs: () => Math.max(0, untilMs - nowMs()),
  };
}

/** The error of a call that throttling delays beyond its limit. */
export class ThrottledError extends Error {
  override readonly name = 'ThrottledError';
  /** Remaining time of the current wait, in milliseconds. */
  readonly leftMs: number;
  constructor(message: string, leftMs: number) {
    super(message);
    this.leftMs = leftMs;
  }
}

interface ThrottledDeadline {
  /** Deadline without the throttled time. */
  readonly deadlineMs: number;
  /** Deadline including the throttled time. */
  readonly throttledDeadlineMs: number;
  readonly throttle: ReturnType<typeof createThrottle>;
}

/** Like {@link withDeadline}; when throttling delays the task, rejects with a {@link ThrottledError}. */
export function withThrottledDeadline<T>(
  task: Promise<T>,
  { deadlineMs, throttledDeadlineMs, throttle }: ThrottledDeadline,
  operation: string,
): Promise<T> {
  const startMs = performance.now();
  const beforeMs = throttle.totalMs();
  return unlessExpired(task, async (signal) => {
    for (;;) {
      const throttledMs = throttle.totalMs() - beforeMs;
      const allowedMs = deadlineMs + throttledMs;
      const spentMs = performance.now() - startMs;
      const leftMs = throttledDeadlineMs - spentMs;
      const isHopeless = throttledMs > 0 && throttle.leftMs() >= leftMs;
      const isExpired = spentMs >= Math.min(throttledDeadlineMs, allowedMs);
      if (isHopeless || (isExpired && allowedMs > throttledDeadlineMs)) {
        const delay = `the brokers delay it by ${Math.round(throttledMs)} ms`;
        const message = `${operation} needs longer than ${throttledDeadlineMs} ms: ${delay}`;
        throw new ThrottledError(message, throttle.leftMs());
      }
      if (isExpired) {
        throw new DeadlineError(`${operation} took longer than ${Math.round(allowedMs)} ms`);
      }
      const waitMs = Math.min(throttledDeadlineMs, allowedMs) - spentMs;
      await sleep(Math.ceil(waitMs), undefined, { signal });
    }
  });
}

/** Settles as `task` does, or rejects with a {@link DeadlineError} `limitMs()` after the abort. */
export async function onceStopped<T>(
  task: Promise<T>,
  stop: AbortSignal,
  limitMs: () => number,
): Promise<T> {
  try {
    return await unlessAborted(task, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
    return withDeadline(task, limitMs(), 'what was in hand at the stop');
  }
}

/** Settles as `task` does, or rejects with the signal's reason as soon as it is aborted. */
export async function unlessAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  // A later failure of the task must not count as unhandled.
  task.catch(() => undefined);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  };
  aborted.catch(() => undefined);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([task, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Waits until the time has passed or the signal is aborted; never rejects. */
export async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
}
