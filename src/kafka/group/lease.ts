/** How long this instance may take what the group gave it for its own, unless it is heard again. */
export interface Lease extends Disposable {
  /** The coordinator has answered a request that was sent so long ago. */
  renew(sentAgoMs: number): void;
  /**
   * Asked, not timed: right also in the first moment after the process was stopped for a while. Who
   * finds it at its end before the timer does has `onExpiry` called.
   */
  isLive(): boolean;
  end(): void;
}

/**
 * A lease that ends before the broker can give the partitions to another instance: the session is
 * counted here from when a heartbeat was sent, there from when it arrived. By a clock that does not
 * jump with the host's.
 */
export function createLease(durationMs: number, onExpiry: () => void): Lease {
  let untilMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(expire, Math.max(0, untilMs - performance.now()) + 1);
  };
  const expire = (): void => {
    if (performance.now() < untilMs) {
      watch();
      return;
    }
    stop();
    onExpiry();
  };
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const end = (): void => {
    stop();
    untilMs = -Infinity;
  };
  return {
    renew(sentAgoMs) {
      untilMs = Math.max(untilMs, performance.now() - sentAgoMs + durationMs);
      watch();
    },
    isLive() {
      if (performance.now() < untilMs) return true;
      // Whoever is told no now must not be told yes again, by an answer that comes before the timer,
      // without having been told of the end.
      if (timer !== undefined) expire();
      return false;
    },
    end,
    [Symbol.dispose]: end,
  };
}
