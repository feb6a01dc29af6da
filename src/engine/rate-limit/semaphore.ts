// States of a piece of work:
// - waiting: no permit is free; it is queued at the back.
// - holding: it runs with a permit.
// - yielding: it runs without a permit while it waits in `yieldWhile`.
// - reacquiring: its wait is over; it is queued at the front for a permit.
// - ended: its permit is released, also one that it reacquires after its end.

/** A semaphore: a bounded number of permits, granted in the order of requests. */
export interface Semaphore {
  /** Runs `work` with a permit; rejects with the signal's reason when aborted before it has one. */
  take<T>(work: (permit: Permit) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** The permit of running work. */
export interface Permit {
  /**
   * Releases the permit while `wait` is pending, then acquires one again before the work continues,
   * ahead of work that has not begun.
   *
   * @throws the error of `wait`, and the signal's reason when aborted before a permit is acquired
   * again
   * @remarks Safe when several parts of the same work wait at once.
   */
  yieldWhile<T>(wait: Promise<T>, signal: AbortSignal): Promise<T>;
}

/** Creates a semaphore of `concurrency` permits. */
export function createSemaphore(concurrency: number): Semaphore {
  const permits = createPermits(concurrency);
  return {
    async take(work, signal) {
      await permits.acquire('back', signal);
      const held = createHeldPermit(permits);
      try {
        return await work(held);
      } finally {
        held.end();
      }
    },
  };
}

interface Permits {
  acquire(end: 'front' | 'back', signal: AbortSignal): Promise<void>;
  release(): void;
}

function createPermits(concurrency: number): Permits {
  const waiting: (() => void)[] = [];
  let free = concurrency;
  return {
    release() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
    async acquire(end, signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          waiting.splice(waiting.indexOf(go), 1);
          reject(signal.reason as Error);
        };
        const go = () => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
        signal.addEventListener('abort', abort, { once: true });
        if (end === 'front') waiting.unshift(go);
        else waiting.push(go);
      });
    },
  };
}

function createHeldPermit(permits: Permits): Permit & { end(): void } {
  let holding = true;
  let ended = false;
  let reacquiring: Promise<void> | undefined;
  const release = () => {
    if (holding) permits.release();
    holding = false;
  };
  const reacquire = async (signal: AbortSignal) => {
    try {
      await permits.acquire('front', signal);
      holding = true;
      // The work ended for another reason while this part of it waited.
      if (ended) release();
    } finally {
      reacquiring = undefined;
    }
  };
  return {
    async yieldWhile(wait, signal) {
      release();
      const result = await wait;
      if (!holding) await (reacquiring ??= reacquire(signal));
      return result;
    },
    end() {
      ended = true;
      release();
    },
  };
}
