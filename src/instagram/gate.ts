/** Lets a bounded number in at a time, first come, first served. */
export interface Gate {
  /**
   * Waits for a free place.
   *
   * @returns what gives the place back; to be called exactly once
   * @throws the signal's reason when it is aborted while waiting; the place in the queue is given up
   */
  enter(signal: AbortSignal): Promise<() => void>;
}

/** @param places - how many may be inside at once, at least 1 */
export function createGate(places: number): Gate {
  const waiting: (() => void)[] = [];
  let free = places;

  function leave(): void {
    const next = waiting.shift();
    // A place goes straight to the next in line, so that a newcomer cannot slip in between.
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return leave;
      }
      await new Promise<void>((resolve, reject) => {
        const turn = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(turn), 1);
          reject(signal.reason as Error);
        };
        waiting.push(turn);
        signal.addEventListener('abort', giveUp, { once: true });
      });
      return leave;
    },
  };
}
