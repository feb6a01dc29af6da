import {
  excludeDailyMetric,
  metricsOf,
  withAnswered,
  withMissingDays,
  withoutUndeclaredMetrics,
  type DaySpan,
} from '../model/missing.ts';
import type { Checkpoint } from '../../engine/state.ts';
import type { ExtractContext } from './extraction.ts';
import type { Skipped } from '../../engine/errors.ts';
import { excludedBy } from './rejected-fields.ts';

/** The context of a poll's requests for daily metrics, and the findings from its answers. */
export interface DailyPoll {
  readonly context: ExtractContext;
  /** The checkpoint, updated with the rejections of this poll. */
  checkpoint: Checkpoint;
  /** Metrics for which too few people were counted; the poll omits them until they are cleared. */
  readonly tooFew: Set<string>;
  readonly skipped: Skipped[];
}

/** Creates the context from the state's rejections of the stream's metrics. */
export function createDailyPoll(context: ExtractContext, names: readonly string[]): DailyPoll {
  const checkpoint = withoutUndeclaredMetrics(context.checkpoint, names);
  return { context, checkpoint, tooFew: new Set(), skipped: [] };
}

/** A request for one span of days. */
export interface DailyRequest<T> {
  /** The stream's name of each metric → the API's name. */
  readonly metrics: ReadonlyMap<string, string>;
  readonly span: DaySpan;
  /** True for the last span of the poll. */
  readonly last: boolean;
  readonly request: (metrics: readonly string[]) => Promise<T>;
}

/**
 * Requests a span, and repeats the request without each metric that the API rejects by name. A
 * rejection is recorded with the days that lack the metric.
 *
 * @returns undefined when every metric is excluded
 * @throws every other error of `request`, and a rejection that names no metric
 */
export async function requestDaily<T>(
  { metrics, span, last, request }: DailyRequest<T>,
  poll: DailyPoll,
): Promise<T | undefined> {
  const scope = { span, nowMs: poll.context.nowMs };
  const all = [...metrics.keys()];
  poll.checkpoint = withMissingDays(poll.checkpoint, all, scope);
  for (;;) {
    const known = { checkpoint: poll.checkpoint, nowMs: scope.nowMs };
    const names = metricsOf(all, span, known).filter((name) => !poll.tooFew.has(name));
    if (names.length === 0) return undefined;
    const apiNames = names.map((name) => metrics.get(name) ?? name);
    try {
      const answer = await request(apiNames);
      poll.checkpoint = withAnswered(poll.checkpoint, names, { span, last });
      return answer;
    } catch (error) {
      const { reason, subjects, named } = excludedBy(error, apiNames);
      for (const metric of names.filter((_, index) => subjects.includes(apiNames[index] ?? ''))) {
        poll.skipped.push({ reason, subject: metric });
        if (named) poll.checkpoint = excludeDailyMetric(poll.checkpoint, { metric, reason }, scope);
        else poll.tooFew.add(metric);
      }
    }
  }
}
