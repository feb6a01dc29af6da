import type { Clock } from './ports.ts';

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
