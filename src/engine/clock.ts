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
