import { jitteredMs } from './backoff.ts';
import { spreadOf } from './fingerprint.ts';

/** What decides when the next poll is. */
export interface Draw {
  readonly nowMs: number;
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
  /** In [0, 1). */
  readonly drawn: number;
}

/** The interval from now, moved at random so that polls do not all fall on one moment. */
export function nextAlone(intervalMs: number, { nowMs, jitter, drawn }: Draw): number {
  return nowMs + jitteredMs(intervalMs, jitter, drawn);
}

/**
 * The next moment at which all accounts poll, so that one request serves them: on a grid of
 * intervals, each point moved by a jitter of its own; at least half an interval from now.
 */
export function nextTogether(intervalMs: number, { nowMs, jitter }: Draw): number {
  const tick = Math.floor(nowMs / intervalMs) + 1;
  const next = momentOf(tick, intervalMs, jitter);
  return next - nowMs < intervalMs / 2 ? momentOf(tick + 1, intervalMs, jitter) : next;
}

const steps = 1000;

function momentOf(tick: number, intervalMs: number, jitter: number): number {
  const drawn = spreadOf(String(tick), steps) / steps;
  return tick * intervalMs + jitteredMs(intervalMs, jitter, drawn) - intervalMs;
}
