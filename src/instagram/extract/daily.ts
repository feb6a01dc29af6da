import {
  leaveOutDaily,
  metricsOf,
  withAnswered,
  withoutRefused,
  withoutStrangers,
  type Span,
} from '../model/missing.ts';
import type { Checkpoint } from '../../engine/state.ts';
import type { ExtractContext } from './extraction.ts';
import type { Skipped } from '../../engine/source.ts';
import { leftOut } from './rejected-fields.ts';

/** What daily metrics of an account are asked with. */
export interface DailyWork {
  readonly context: ExtractContext;
  /** With what was learned of refusals so far. */
  checkpoint: Checkpoint;
  /** Metrics that have too few people now. */
  readonly tooFew: Set<string>;
  readonly skipped: Skipped[];
}

/** Begins with what the state remembers of the stream's metrics. */
export function createDailyWork(context: ExtractContext, names: readonly string[]): DailyWork {
  const checkpoint = withoutStrangers(context.checkpoint, names);
  return { context, checkpoint, tooFew: new Set(), skipped: [] };
}

/** What is asked for at once. */
export interface DailyRequest<T> {
  /** What the stream calls each metric → what the API calls it. */
  readonly metrics: ReadonlyMap<string, string>;
  readonly span: Span;
  /** Whether it is the last span of the poll. */
  readonly last: boolean;
  readonly ask: (metrics: readonly string[]) => Promise<T>;
}

/**
 * Asks for a span without each metric that is refused by name: all the others are worth having. What is
 * refused is remembered with the days that lack it.
 *
 * @returns undefined where no metric is left to be asked
 * @throws whatever `ask` throws otherwise; also a refusal that names nothing
 */
export async function askDaily<T>(
  { metrics, span, last, ask }: DailyRequest<T>,
  work: DailyWork,
): Promise<T | undefined> {
  const at = { span, nowMs: work.context.nowMs };
  const all = [...metrics.keys()];
  work.checkpoint = withoutRefused(work.checkpoint, all, at);
  for (;;) {
    const known = { checkpoint: work.checkpoint, nowMs: at.nowMs };
    const names = metricsOf(all, span, known).filter((name) => !work.tooFew.has(name));
    if (names.length === 0) return undefined;
    const asked = names.map((name) => metrics.get(name) ?? name);
    try {
      const answer = await ask(asked);
      work.checkpoint = withAnswered(work.checkpoint, names, { span, last });
      return answer;
    } catch (error) {
      const { reason, subjects, named } = leftOut(error, asked);
      for (const metric of names.filter((_, index) => subjects.includes(asked[index] ?? ''))) {
        work.skipped.push({ reason, subject: metric });
        if (named) work.checkpoint = leaveOutDaily(work.checkpoint, { metric, reason }, at);
        else work.tooFew.add(metric);
      }
    }
  }
}
