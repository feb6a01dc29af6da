/** The calls of one scope in a rolling window. */
export interface Tally {
  readonly windowMs: number;
  /** No call is answered before; 0 where there was no block. */
  blockedUntilMs: number;
  add(nowMs: number, cost: number): void;
  /** What was called in the window that ends now. */
  sum(nowMs: number): number;
  /** When fewer than `calls` will be in the window; now where that is so already. */
  roomAt(calls: number, nowMs: number): number;
  /** Every call that may still count, oldest first. */
  readonly calls: readonly Call[];
}

interface Call {
  readonly atMs: number;
  readonly cost: number;
}

/** Creates a tally, of nothing or of what another with another window has counted. */
export function createTally(windowMs: number, before?: Tally): Tally {
  let calls: Call[] = [...(before?.calls ?? [])];
  /** Calls before this have left the window. */
  let first = 0;
  let total = calls.reduce((sum, { cost }) => sum + cost, 0);
  const forget = (nowMs: number): void => {
    for (;;) {
      const call = calls[first];
      if (call === undefined || call.atMs > nowMs - windowMs) break;
      total -= call.cost;
      first += 1;
    }
    if (first > 1024) {
      calls = calls.slice(first);
      first = 0;
    }
  };
  return {
    windowMs,
    blockedUntilMs: before?.blockedUntilMs ?? 0,
    get calls() {
      return calls.slice(first);
    },
    add: (nowMs, cost) => {
      calls.push({ atMs: nowMs, cost });
      total += cost;
    },
    sum: (nowMs) => {
      forget(nowMs);
      return total;
    },
    roomAt: (most, nowMs) => {
      forget(nowMs);
      let left = total;
      for (let index = first; left >= most; index += 1) {
        const call = calls[index];
        if (call === undefined) return nowMs;
        left -= call.cost;
        if (left < most) return call.atMs + windowMs;
      }
      return nowMs;
    },
  };
}
