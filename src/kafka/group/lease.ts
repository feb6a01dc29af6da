/** The time for which this instance owns its assigned partitions, renewed by confirmed heartbeats. */
export interface Lease extends Disposable {
  /** Extends the lease: the coordinator has answered a request sent `sentAgoMs` ago. */
  renew(sentAgoMs: number): void;
  /**
   * True while the lease lasts. Compares clocks instead of relying on the timer, which fires late in a
   * process that was suspended. Calls `onExpiry` when the lease has ended and the timer has not fired.
   */
  isLive(): boolean;
  end(): void;
}

/**
 * Creates a lease that ends before the broker can assign the partitions to another instance. The
 * session counts here from the sending of a heartbeat, and at the broker from its arrival. The clock is
 * monotonic.
 */
export function createLease(durationMs: number, onExpiry: () => void): Lease {
  let untilMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const stopTimer = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const startTimer = (): void => {
    stopTimer();
    timer = setTimeout(expire, Math.max(0, untilMs - performance.now()) + 1);
  };
  const expire = (): void => {
    if (performance.now() < untilMs) {
      startTimer();
      return;
    }
    stopTimer();
    onExpiry();
  };
  const end = (): void => {
    stopTimer();
    untilMs = -Infinity;
  };
  return {
    renew(sentAgoMs) {
      untilMs = Math.max(untilMs, performance.now() - sentAgoMs + durationMs);
      startTimer();
    },
    isLive() {
      if (performance.now() < untilMs) return true;
      // After a false result, a late renewal must not return true again before `onExpiry` was called.
      if (timer !== undefined) expire();
      return false;
    },
    end,
    [Symbol.dispose]: end,
  };
}
