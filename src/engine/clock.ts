import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/** Timers hold at most 2^31 - 1 ms; longer sleeps are made of several. */
const longestTimerMs = 2_147_483_647;

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      for (let left = ms; left > 0; left -= longestTimerMs) {
        await delay(Math.min(left, longestTimerMs), undefined, { signal });
      }
    } finally {
      // An aborted timer rejects with an error of its own, not with the reason.
      signal.throwIfAborted();
    }
  },
};
