// States of a piece of work:
// - waiting: no permit is free; it is queued at the back.
// - holding: it runs with a permit.
// - yielding: it runs without a permit while it waits in `yieldWhile`.
// - reacquiring: its wait is over; it is queued at the front for a permit.
// - ended: its permit is released, also one that it reacquires after its end.

/** The permit of running work. */
export interface Permit {
  /**
   * Releases the permit while `wait` is pending, then acquires one again, ahead of work that has
   * not begun. Safe when several parts of the same work wait at once.
   * @throws the error of `wait`, and the signal's reason when aborted before a permit is reacquired
   */
  yieldWhile<T>(wait: Promise<T>, signal: AbortSignal): Promise<T>;
}

/** A semaphore: a bounded number of permits, granted in the order of requests. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(concurrency: number) {
    this.#free = concurrency;
  }

  /** Runs `work` with a permit; rejects with the signal's reason when aborted before it has one. */
  async take<T>(work: (permit: Permit) => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#acquire('back', signal);
    let isHolding = true;
    let isEnded = false;
    let reacquiring: Promise<void> | undefined;
    const release = (): void => {
      if (isHolding) this.#release();
      isHolding = false;
    };
    const reacquire = async (waitSignal: AbortSignal): Promise<void> => {
      try {
        await this.#acquire('front', waitSignal);
        isHolding = true;
        // The work ended for another reason while this part of it waited.
        if (isEnded) release();
      } finally {
        reacquiring = undefined;
      }
    };
    const permit: Permit = {
      async yieldWhile(wait, waitSignal) {
        release();
        const result = await wait;
        if (!isHolding) await (reacquiring ??= reacquire(waitSignal));
        return result;
      },
    };
    try {
      return await work(permit);
    } finally {
      isEnded = true;
      release();
    }
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  async #acquire(end: 'front' | 'back', signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      const go = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      signal.addEventListener('abort', abort, { once: true });
      if (end === 'front') this.#waiting.unshift(go);
      else this.#waiting.push(go);
    });
  }
}
