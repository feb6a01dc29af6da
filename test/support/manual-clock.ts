import type { Clock } from '../../src/engine/ports.ts';

/** A clock that moves only when a test moves it. */
export interface ManualClock extends Clock {
  /** What every sleep so far was asked for, in milliseconds. */
  readonly slept: readonly number[];
  /** Lets everything that waits for nothing but itself come to rest, then moves on to `ms` later. */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** Runs all that can run before time goes on: promises in a chain of any length. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Makes a clock that stands at `startMs`; sleepers wake in the order in which they are due. */
export function createManualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  const slept: number[] = [];
  const sleepers = new Set<Sleeper>();
  const nextDue = (untilMs: number) =>
    [...sleepers].filter((one) => one.untilMs <= untilMs).sort((a, b) => a.untilMs - b.untilMs)[0];
  return {
    slept,
    nowMs: () => nowMs,
    sleep(ms, signal) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      slept.push(ms);
      return new Promise((resolve, reject) => {
        const sleeper = { untilMs: nowMs + ms, wake: resolve };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      });
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let due = nextDue(untilMs); due !== undefined; due = nextDue(untilMs)) {
        nowMs = Math.max(nowMs, due.untilMs);
        sleepers.delete(due);
        due.wake();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}
