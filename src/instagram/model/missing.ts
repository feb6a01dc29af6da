import type { ErrorCode } from '../../engine/errors.ts';
import { smallest } from '../../engine/extremes.ts';
import { holds } from '../../engine/refusals.ts';
import { everything, leaveOutMetric } from '../extract/rejections.ts';
import type { Checkpoint, Refusal } from '../../engine/state.ts';
import { longReachMs } from './windows.ts';

/** Days asked for at once, epoch milliseconds. */
export interface Span {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Whether it is asked for what was refused then and may be answered now; the rest of it is known. */
  readonly catchUp: boolean;
}

/**
 * Of the daily metrics of a span, those that are to be asked now: none that is refused, and in a
 * span that is caught up none that the days have already.
 */
export function metricsOf(
  metrics: readonly string[],
  span: Span,
  { checkpoint, nowMs }: { checkpoint: Checkpoint; nowMs: number },
): readonly string[] {
  return metrics.filter((metric) => {
    const refusal = refusalOf(checkpoint, metric);
    if (refusal !== undefined && holds(refusal, nowMs)) return false;
    return !span.catchUp || (refusal?.missingFromMs ?? Infinity) < span.untilMs;
  });
}

/** Remembers for a week that a daily metric is refused, and that the days of the span lack it. */
export function leaveOutDaily(
  checkpoint: Checkpoint,
  { metric, reason }: { metric: string; reason: ErrorCode },
  { span, nowMs }: { span: Span; nowMs: number },
): Checkpoint {
  const known = refusalOf(checkpoint, metric)?.missingFromMs ?? Infinity;
  const left = leaveOutMetric(checkpoint, { subject: everything, metric, reason }, nowMs);
  return withMissing(left, metric, Math.min(known, span.sinceMs));
}

/** Takes in that a span is asked without the metrics that are refused still. */
export function withoutRefused(
  checkpoint: Checkpoint,
  metrics: readonly string[],
  { span, nowMs }: { span: Span; nowMs: number },
): Checkpoint {
  if (span.catchUp) return checkpoint;
  return metrics.reduce((left, metric) => {
    const refusal = refusalOf(left, metric);
    if (refusal === undefined || !holds(refusal, nowMs)) return left;
    return withMissing(left, metric, Math.min(refusal.missingFromMs ?? Infinity, span.sinceMs));
  }, checkpoint);
}

/** Takes in that metrics were answered up to the end of a span; with the last one all is caught up. */
export function withAnswered(
  checkpoint: Checkpoint,
  metrics: readonly string[],
  { span, last }: { span: Span; last: boolean },
): Checkpoint {
  return metrics.reduce((left, metric) => {
    const from = refusalOf(left, metric)?.missingFromMs;
    if (last) return without(left, metric);
    return from === undefined ? left : withMissing(left, metric, Math.max(from, span.untilMs));
  }, checkpoint);
}

/** From when on days lack one of these metrics that may be asked again now; null where none do. */
export function askableFrom(
  { refusals }: Checkpoint,
  metrics: readonly string[],
  nowMs: number,
): number | null {
  const over = refusals.filter(
    (one) => one.metric !== null && metrics.includes(one.metric) && !holds(one, nowMs),
  );
  return earliest(over);
}

/**
 * From when on days lack something that was refused, and so may change still, however old they are;
 * Infinity where none do.
 */
export function lackingFrom({ refusals }: Checkpoint, nowMs: number): number {
  return Math.max(earliest(refusals) ?? Infinity, nowMs - longReachMs);
}

/** Forgets refusals of daily metrics that the stream does not have any more. */
export function withoutStrangers(checkpoint: Checkpoint, metrics: readonly string[]): Checkpoint {
  const refusals = checkpoint.refusals.filter(
    ({ metric }) => metric !== null && metrics.includes(metric),
  );
  return { ...checkpoint, refusals };
}

function refusalOf({ refusals }: Checkpoint, metric: string): Refusal | undefined {
  return refusals.find((one) => one.subject === everything && one.metric === metric);
}

function withMissing(checkpoint: Checkpoint, metric: string, missingFromMs: number): Checkpoint {
  const refusals = checkpoint.refusals.map((one) =>
    one.subject === everything && one.metric === metric ? { ...one, missingFromMs } : one,
  );
  return { ...checkpoint, refusals };
}

function without(checkpoint: Checkpoint, metric: string): Checkpoint {
  const refusals = checkpoint.refusals.filter(
    (one) => one.subject !== everything || one.metric !== metric,
  );
  return { ...checkpoint, refusals };
}

function earliest(refusals: readonly Refusal[]): number | null {
  const from = smallest(refusals.map(({ missingFromMs }) => missingFromMs ?? Infinity));
  return from === Infinity ? null : from;
}
