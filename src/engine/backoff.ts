/** How long to wait between tries. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Exponential back-off with full jitter: between half of and the whole of `base · 2^(attempt-1)`,
 * at most `max`.
 *
 * @param attempt - how many tries have failed, from 1
 * @param random - in [0, 1)
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}

/**
 * When to poll next: the interval, give or take `jitter` of it, so that polls that started together
 * drift apart.
 *
 * @param jitter - share of the interval, 0 to 0.5
 */
export function jitteredMs(intervalMs: number, jitter: number, random: number): number {
  return Math.round(intervalMs * (1 - jitter + 2 * jitter * random));
}
