import type { Context } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Window } from './user-insights.ts';
import { userMetric } from './user-metrics.ts';

const DAY_MS = 86_400_000;
const LONGEST_WINDOW_MS = 30 * DAY_MS;
const MEMORY_MS = 2 * 365 * DAY_MS + DAY_MS;
/** A little more than 30 days: the limit counts whole days. */
const SHORT_MEMORY_MS = 31 * DAY_MS;

/** Throws for metrics that need `metric_type=total_value`, listing only those. */
export function checkTotals(metrics: readonly string[]): void {
  const lacking = metrics.filter((name) => userMetric(name).kind === 'total');
  if (lacking.length > 0) {
    throw graphError('needs-total-value', lacking.join(','));
  }
}

/** Throws for a metric that is only a series, or lacks the period. */
export function checkPeriods(
  metrics: readonly string[],
  { period, total }: { period: string; total: boolean },
): void {
  for (const name of metrics) {
    const metric = userMetric(name);
    if (total && metric.kind === 'series') {
      throw graphError('incompatible', 'metric type', 'total_value', name);
    }
    if (!metric.periods.includes(period)) {
      throw graphError('incompatible', 'periods', period, name);
    }
  }
}

/**
 * Throws for a window that is reversed, too long or too old. Instagram Login accepts longer ones.
 */
export function checkWindow(
  metrics: readonly string[],
  { sinceMs, untilMs, sinceGiven }: Window,
  context: Context,
): void {
  if (sinceMs > untilMs) {
    throw graphError('window-reversed');
  }
  if (untilMs - sinceMs > LONGEST_WINDOW_MS && context.dialect === 'facebook') {
    throw graphError('window-too-long');
  }
  if (sinceGiven && sinceMs < context.nowMs - MEMORY_MS) {
    throw graphError('since-invalid');
  }
  if (metrics.includes('follower_count') && sinceMs < context.nowMs - SHORT_MEMORY_MS) {
    throw graphError('short-memory', 'follower_count');
  }
}
