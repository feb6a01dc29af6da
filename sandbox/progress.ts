/** The steps of a start, for a person: each line has the seconds since the beginning. */
export interface Progress extends Disposable {
  /** Begins a step. */
  readonly log: (step: string) => void;
  /** Postpones the next line about a running step, because other output shows that it goes on. */
  readonly postpone: () => void;
}

const SILENCE_MS = 5000;

/**
 * Prints each step, and every five seconds without output a line about the one that runs. Whole
 * lines only, which a CI log keeps readable. Disposal ends it.
 */
export function createProgress(print: (line: string) => void): Progress {
  const beganMs = performance.now();
  let running = { step: '', beganMs };
  const say = (text: string): void => {
    print(`${((performance.now() - beganMs) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  };
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - running.beganMs) / 1000);
    if (running.step !== '') say(`… for ${seconds} s: ${running.step}`);
  }, SILENCE_MS);
  timer.unref();
  return {
    log: (step) => {
      running = { step, beganMs: performance.now() };
      say(step);
      timer.refresh();
    },
    postpone: () => {
      timer.refresh();
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
}
