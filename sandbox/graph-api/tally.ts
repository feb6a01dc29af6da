/** The calls of one scope in a rolling window. */
export interface Tally {
  readonly windowMs: number;
  /** End of the block; 0 where there was none. */
  blockedUntilMs: number;
  add(nowMs: number): void;
  /** Returns the number of calls in the window that ends now. */
  sum(nowMs: number): number;
  /** Returns the time when fewer than `calls` are in the window; now where that is so already. */
  roomAt(calls: number, nowMs: number): number;
  /** The times of the calls that may still count, oldest first. */
  readonly calls: readonly number[];
}

/** Creates a tally, empty or with the calls of a tally with another window. */
export function createTally(windowMs: number, before?: Tally): Tally {
  let calls: number[] = [...(before?.calls ?? [])];
  /** Index of the first call in the window; earlier calls have left it. */
  let first = 0;
  const forget = (nowMs: number): void => {
    while ((calls[first] ?? Number.POSITIVE_INFINITY) <= nowMs - windowMs) first += 1;
    if (first > 1024) {
      calls = calls.slice(first);
      first = 0;
    }
  };
  const sum = (nowMs: number): number => {
    forget(nowMs);
    return calls.length - first;
  };
  return {
    windowMs,
    blockedUntilMs: before?.blockedUntilMs ?? 0,
    get calls() {
      return calls.slice(first);
    },
    add: (nowMs) => {
      calls.push(nowMs);
    },
    sum,
    roomAt: (most, nowMs) => {
      const excess = sum(nowMs) - most;
      const leaving = calls[first + excess];
      return excess < 0 || leaving === undefined ? nowMs : leaving + windowMs;
    },
  };
}
