/** For how long the brokers have throttled a client by a quota. */
export interface Throttle {
  /**
   * Notes an answer's `throttle_time_ms`: the next request waits for that long.
   *
   * @returns by how much longer the client waits because of it
   */
  note(ms: number): number;
  /** In all, the rest of the current wait included, in milliseconds. */
  totalMs(): number;
  /** The rest of the current wait. */
  leftMs(): number;
}

/** Has not been throttled. Waits that overlap, of several brokers, count once. */
export function createThrottle(nowMs: () => number): Throttle {
  let totalMs = 0;
  let untilMs = 0;
  return {
    note(ms) {
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
