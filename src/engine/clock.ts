import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/** The longest timer, 2^31 - 1 ms; a longer sleep uses several. */
const longestTimerMs = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      for (let left = ms; left > 0; left -= longestTimerMs) {
        await delay(Math.min(left, longestTimerMs), undefined, { signal });
      }
    } finally {
      // An aborted timer rejects with its own error instead of the signal's reason.
      signal.throwIfAborted();
    }
  },
};

/**
 * Creates a monotonic clock: when the host's clock is set back, this one continues from its last
 * time. For waits, which must not last until the host's clock has caught up.
 */
export function createSteadyClock(clock: Clock): Clock {
  let lastMs = -Infinity;
  let aheadMs = 0;
  return {
    nowMs() {
      const hostMs = clock.nowMs();
      aheadMs = Math.max(aheadMs, lastMs - hostMs);
      lastMs = hostMs + aheadMs;
      return lastMs;
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}

/** Waits for a time; false when aborted meanwhile, the only reason for which a sleep rejects. */
export function slept(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => !signal.aborted,
    () => false,
  );
}

/** Returns false when `work` takes longer than `ms`; rejects as `work` does, and when aborted. */
export async function endsWithin(
  work: Promise<unknown>,
  ms: number,
  clock: Clock,
  ...signals: readonly AbortSignal[]
): Promise<boolean> {
  const timer = new AbortController();
  try {
    const late = clock.sleep(ms, AbortSignal.any([timer.signal, ...signals])).then(() => false);
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
