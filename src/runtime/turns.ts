/** A bounded number of things at a time, first come, first served. */
export interface Turns {
  /** Runs `work` when its turn has come; rejects with the signal's reason when aborted before. */
  take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** At most `concurrency` at a time. */
export function createTurns(concurrency: number): Turns {
  const waiting: (() => void)[] = [];
  let free = concurrency;
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const acquire = async (signal: AbortSignal): Promise<void> => {
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
      waiting.push(go);
    });
  };
  return {
    async take(work, signal) {
      await acquire(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
