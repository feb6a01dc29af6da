/** The delays between tries: `baseMs` doubles with each try, up to `maxMs`. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Exponential back-off with jitter after `attempt` failed tries, from 1: half to the whole of `base
 * · 2^(attempt-1)`, at most `max`.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}

/** The interval with jitter, a fraction of 0 to 0.5: polls that started together drift apart. */
export function jitteredMs(intervalMs: number, jitter: number, random: number): number {
  return Math.round(intervalMs * (1 - jitter + 2 * jitter * random));
}
