import type { ErrorCode } from '../../engine/errors.ts';
import { smallest } from '../../engine/extremes.ts';
import { holds } from '../../engine/refusals.ts';
import { everything, leaveOutMetric } from '../extract/rejections.ts';
import type { Memory, Refusal } from '../../engine/state.ts';
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
  { memory, nowMs }: { memory: Memory; nowMs: number },
): readonly string[] {
  return metrics.filter((metric) => {
    const refusal = refusalOf(memory, metric);
    if (refusal !== undefined && holds(refusal, nowMs)) return false;
    return !span.catchUp || (refusal?.missingFromMs ?? Infinity) < span.untilMs;
  });
}

/** Remembers for a week that a daily metric is refused, and that the days of the span lack it. */
export function leaveOutDaily(
  memory: Memory,
  { metric, reason }: { metric: string; reason: ErrorCode },
  { span, nowMs }: { span: Span; nowMs: number },
): Memory {
  const known = refusalOf(memory, metric)?.missingFromMs ?? Infinity;
  const left = leaveOutMetric(memory, { subject: everything, metric, reason }, nowMs);
  return withMissing(left, metric, Math.min(known, span.sinceMs));
}

/** Takes in that a span is asked without the metrics that are refused still. */
export function withoutRefused(
  memory: Memory,
  metrics: readonly string[],
  { span, nowMs }: { span: Span; nowMs: number },
): Memory {
  if (span.catchUp) return memory;
  return metrics.reduce((left, metric) => {
    const refusal = refusalOf(left, metric);
    if (refusal === undefined || !holds(refusal, nowMs)) return left;
    return withMissing(left, metric, Math.min(refusal.missingFromMs ?? Infinity, span.sinceMs));
  }, memory);
}

/** Takes in that metrics were answered up to the end of a span; with the last one all is caught up. */
export function withAnswered(
  memory: Memory,
  metrics: readonly string[],
  { span, last }: { span: Span; last: boolean },
): Memory {
  return metrics.reduce((left, metric) => {
    const from = refusalOf(left, metric)?.missingFromMs;
    if (last) return without(left, metric);
    return from === undefined ? left : withMissing(left, metric, Math.max(from, span.untilMs));
  }, memory);
}

/** From when on days lack one of these metrics that may be asked again now; null where none do. */
export function askableFrom(
  { refusals }: Memory,
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
export function lackingFrom({ refusals }: Memory, nowMs: number): number {
  return Math.max(earliest(refusals) ?? Infinity, nowMs - longReachMs);
}

/** Forgets refusals of daily metrics that the stream does not have any more. */
export function withoutStrangers(memory: Memory, metrics: readonly string[]): Memory {
  const refusals = memory.refusals.filter(
    ({ metric }) => metric !== null && metrics.includes(metric),
  );
  return { ...memory, refusals };
}

function refusalOf({ refusals }: Memory, metric: string): Refusal | undefined {
  return refusals.find((one) => one.subject === everything && one.metric === metric);
}

function withMissing(memory: Memory, metric: string, missingFromMs: number): Memory {
  const refusals = memory.refusals.map((one) =>
    one.subject === everything && one.metric === metric ? { ...one, missingFromMs } : one,
  );
  return { ...memory, refusals };
}

function without(memory: Memory, metric: string): Memory {
  const refusals = memory.refusals.filter(
    (one) => one.subject !== everything || one.metric !== metric,
  );
  return { ...memory, refusals };
}

function earliest(refusals: readonly Refusal[]): number | null {
  const from = smallest(refusals.map(({ missingFromMs }) => missingFromMs ?? Infinity));
  return from === Infinity ? null : from;
}
