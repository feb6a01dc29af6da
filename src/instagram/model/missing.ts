import type { ErrorCode } from '../../engine/errors.ts';
import { smallest } from '../../engine/extremes.ts';
import { holds } from '../../engine/rejections.ts';
import type { Checkpoint, Rejection } from '../../engine/state.ts';
import { longReachMs } from './windows.ts';

/** The subject of a rejection for every object, e.g. of a metric that the API has removed. */
export const allSubjects = '*';
const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;

/** Consecutive days that one request covers, epoch milliseconds. */
export interface DaySpan {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** True when only metrics that were rejected before are requested; the others are known. */
  readonly catchUp: boolean;
}

interface RequestedSpan {
  readonly span: DaySpan;
  readonly nowMs: number;
}

/**
 * Returns a span's metrics to request: none that is rejected; in a catch-up, only those missing.
 */
export function metricsOf(
  checkpoint: Checkpoint,
  metrics: readonly string[],
  { span, nowMs }: RequestedSpan,
): readonly string[] {
  return metrics.filter((metric) => {
    const rejection = rejectionOf(checkpoint, metric);
    if (rejection !== undefined && holds(rejection, nowMs)) return false;
    return !span.catchUp || (rejection?.missingFromMs ?? Infinity) < span.untilMs;
  });
}

/**
 * Excludes a rejected daily metric for a week, and records the days of the span as incomplete. A
 * failure of the server may be a rejection in disguise, so it excludes the metric for an hour only.
 */
export function excludeDailyMetric(
  checkpoint: Checkpoint,
  { metric, reason }: { metric: string; reason: ErrorCode },
  { span, nowMs }: RequestedSpan,
): Checkpoint {
  const known = rejectionOf(checkpoint, metric)?.missingFromMs ?? Infinity;
  const missingFromMs = Math.min(known, span.sinceMs);
  const untilMs = nowMs + (reason === 'graph.server' ? hourMs : weekMs);
  const rejection = { subject: allSubjects, metric, reason, untilMs, missingFromMs };
  const { rejections } = withChanged(checkpoint, [metric], () => null);
  return { ...checkpoint, rejections: [...rejections, rejection] };
}

/** Records that the days of a span lack the metrics that are still rejected. */
export function withMissingDays(
  checkpoint: Checkpoint,
  metrics: readonly string[],
  { span, nowMs }: RequestedSpan,
): Checkpoint {
  if (span.catchUp) return checkpoint;
  return withChanged(checkpoint, metrics, (one) => {
    const missingFromMs = Math.min(one.missingFromMs ?? Infinity, span.sinceMs);
    return holds(one, nowMs) ? { ...one, missingFromMs } : one;
  });
}

/** Records that metrics were answered up to the end of a span; the last span completes them. */
export function withAnswered(
  checkpoint: Checkpoint,
  metrics: readonly string[],
  { span, last }: { span: DaySpan; last: boolean },
): Checkpoint {
  return withChanged(checkpoint, metrics, (one) => {
    if (last || one.missingFromMs === undefined) return last ? null : one;
    return { ...one, missingFromMs: Math.max(one.missingFromMs, span.untilMs) };
  });
}

/** Changes the rejections of some metrics; null removes one. */
function withChanged(
  checkpoint: Checkpoint,
  metrics: readonly string[],
  change: (rejection: Rejection) => Rejection | null,
): Checkpoint {
  const rejections = checkpoint.rejections.flatMap((one) => {
    const isChosen = one.subject === allSubjects && metrics.includes(one.metric ?? '');
    return isChosen ? (change(one) ?? []) : [one];
  });
  return { ...checkpoint, rejections };
}

/**
 * Returns the start of incomplete days whose metric may be requested again; null for none.
 * @param reachMs - the age of the oldest days that are completed
 */
export function requestableFrom(
  { rejections }: Checkpoint,
  metrics: readonly string[],
  { nowMs, reachMs = longReachMs }: { readonly nowMs: number; readonly reachMs?: number },
): number | null {
  const declared = rejections.filter(({ metric }) => metric !== null && metrics.includes(metric));
  const fromMs = earliest(declared.filter((one) => !holds(one, nowMs)));
  return fromMs === null ? null : Math.max(fromMs, nowMs - reachMs);
}

/**
 * Returns the start of the incomplete days, which lack a rejected metric, that may still change; or
 * Infinity.
 */
export function incompleteSince(
  { rejections }: Checkpoint,
  nowMs: number,
  reachMs = longReachMs,
): number {
  return Math.max(earliest(rejections) ?? Infinity, nowMs - reachMs);
}

export function withoutUndeclaredMetrics(
  checkpoint: Checkpoint,
  metrics: readonly string[],
): Checkpoint {
  const rejections = checkpoint.rejections.filter(
    ({ metric }) => metric !== null && metrics.includes(metric),
  );
  return { ...checkpoint, rejections };
}

function rejectionOf({ rejections }: Checkpoint, metric: string): Rejection | undefined {
  return rejections.find((one) => one.subject === allSubjects && one.metric === metric);
}

function earliest(rejections: readonly Rejection[]): number | null {
  const from = smallest(rejections.map(({ missingFromMs }) => missingFromMs ?? Infinity));
  return from === Infinity ? null : from;
}
