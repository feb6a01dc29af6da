import type { Clock } from './ports.ts';

/**
 * The clock, but never back: when the host's clock is set back, this one stands until it goes on, and
 * then goes on from where it stood. For what waits, which must not wait for the host to catch up.
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
