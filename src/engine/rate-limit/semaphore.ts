/** A bounded number of things at a time, first come, first served. */
export interface Semaphore {
  /** Runs `work` when its turn has come; rejects with the signal's reason when aborted before. */
  take<T>(work: (permit: Permit) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** The turn of work that is under way. */
export interface Permit {
  /**
   * Gives the turn to others while it waits for `wait`, and takes one again before it goes on, ahead
   * of who has not begun.
   *
   * @throws what `wait` throws, and the signal's reason when aborted before a turn is had again
   * @remarks Safe when several pieces of the same work wait at once.
   */
  yieldWhile<T>(wait: Promise<T>, signal: AbortSignal): Promise<T>;
}

/** At most `concurrency` at a time. */
export function createSemaphore(concurrency: number): Semaphore {
  const places = createPlaces(concurrency);
  return {
    async take(work, signal) {
      await places.enter('back', signal);
      const held = createHeldPermit(places);
      try {
        return await work(held);
      } finally {
        held.end();
      }
    },
  };
}

interface Places {
  enter(end: 'front' | 'back', signal: AbortSignal): Promise<void>;
  leave(): void;
}

function createPlaces(concurrency: number): Places {
  const waiting: (() => void)[] = [];
  let free = concurrency;
  return {
    leave() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
    async enter(end, signal) {
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

function createHeldPermit(places: Places): Permit & { end(): void } {
  let holding = true;
  let ended = false;
  let returning: Promise<void> | undefined;
  const giveBack = () => {
    if (holding) places.leave();
    holding = false;
  };
  const takeAgain = async (signal: AbortSignal) => {
    try {
      await places.enter('front', signal);
      holding = true;
      // The work ended for another reason while this piece of it waited.
      if (ended) giveBack();
    } finally {
      returning = undefined;
    }
  };
  return {
    async yieldWhile(wait, signal) {
      giveBack();
      const result = await wait;
      if (!holding) await (returning ??= takeAgain(signal));
      return result;
    },
    end() {
      ended = true;
      giveBack();
    },
  };
}
