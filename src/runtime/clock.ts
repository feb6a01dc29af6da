import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/** Timers hold at most 2^31 - 1 ms; longer sleeps are made of several. */
const longestTimerMs = 2_147_483_647;

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0; left -= longestTimerMs) {
      await delay(Math.min(left, longestTimerMs), undefined, { signal });
    }
    signal.throwIfAborted();
  },
};
