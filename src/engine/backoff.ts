/** The bounds of the delays between tries: `baseMs` doubles with each try, up to `maxMs`. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Returns an exponential back-off with jitter: between half of and the whole of
 * `base · 2^(attempt-1)`, at most `max`.
 *
 * @param attempt - the number of failed tries, from 1
 * @param random - in [0, 1)
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}

/**
 * Returns the interval with random jitter, so that polls that started together drift apart.
 *
 * @param jitter - fraction of the interval, 0 to 0.5
 */
export function jitteredMs(intervalMs: number, jitter: number, random: number): number {
  return Math.round(intervalMs * (1 - jitter + 2 * jitter * random));
}
