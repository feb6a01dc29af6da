/** The time for which brokers have throttled a client by a quota. */
export interface Throttle {
  /**
   * Records an answer's `throttle_time_ms`, for which the next request waits.
   *
   * @returns the time by which the wait grows
   */
  record(ms: number): number;
  /** Returns the total, including the rest of the current wait, in milliseconds. */
  totalMs(): number;
  /** Returns the remaining time of the current wait, in milliseconds. */
  leftMs(): number;
}

/** Creates a throttle without a wait; overlapping waits of several brokers count once. */
export function createThrottle(nowMs: () => number): Throttle {
  let totalMs = 0;
  let untilMs = 0;
  return {
    record(ms) {
      const fromMs = Math.max(nowMs(), untilMs);
      const addedMs = Math.max(0, nowMs() + ms - fromMs);
      untilMs = fromMs + addedMs;
      totalMs += addedMs;
      return addedMs;
    },
    totalMs: () => totalMs,
    leftMs: () => Math.max(0, untilMs - nowMs()),
  };
}
