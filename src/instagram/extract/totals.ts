import { type PlannedDay, type TotalsAnswer, dayNode, planDays } from '../model/daily-totals.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import { askableFrom } from '../model/missing.ts';
import type { PacificDay } from '../model/pacific.ts';
import type { InstagramStream, TotalsRequest } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { requestDaily, createDailyPoll, type DailyPoll } from './daily.ts';

type TotalsSource = Extract<InstagramStream['request'], { kind: 'totals' }>;

/** A day, and its position in the poll. */
interface DayOfPoll {
  readonly day: PlannedDay;
  readonly last: boolean;
}

/** Days per page: the most that a crash repeats; a backfill of two years takes 73 transactions. */
const daysAPage = 10;

/** Requests day by day, oldest first; a page holds some days, and thus is one transaction. */
export async function* extractTotals(source: TotalsSource, context: ExtractContext): Extraction {
  const names = source.requests.flatMap(({ metrics }) => metrics);
  const poll = createDailyPoll(context, names);
  const { nowMs, startDateMs, lookbackMs, checkpoint } = context;
  const days = planDays({
    nowMs,
    startDateMs,
    lookbackMs,
    cursorMs: checkpoint.cursorMs,
    coveredUntilMs: checkpoint.coveredUntilMs,
    missingFromMs: askableFrom(poll.checkpoint, names, nowMs),
  });
  for (let start = 0; start < days.length; start += daysAPage) {
    const pageDays = days.slice(start, start + daysAPage);
    const nodes: Node[] = [];
    const rejected: DeadLetterError[] = [];
    for (const day of pageDays) {
      const answers = await requestDay(source, { day, last: day === days.at(-1) }, poll);
      nodes.push(dayNode(day, answers, rejected));
    }
    const { refusals, convertedMs } = poll.checkpoint;
    yield {
      nodes,
      skipped: poll.skipped.splice(0),
      rejected,
      coveredUntilMs: pageDays.findLast(({ catchUp }) => !catchUp)?.endMs ?? null,
      learned: { refusals, convertedMs },
      step: { number: start / daysAPage + 1, of: Math.ceil(days.length / daysAPage) },
    };
  }
}

async function requestDay(
  source: TotalsSource,
  dayOfPoll: DayOfPoll,
  poll: DailyPoll,
): Promise<readonly TotalsAnswer[]> {
  const answers: TotalsAnswer[] = [];
  for (const request of source.requests) {
    const body = await requestTotals(request, dayOfPoll, poll);
    if (body !== undefined) answers.push({ request, body });
  }
  return answers;
}

function requestTotals(request: TotalsRequest, { day, last }: DayOfPoll, poll: DailyPoll) {
  const { startMs: sinceMs, endMs: untilMs, catchUp } = day;
  return requestDaily(
    {
      metrics: new Map(request.metrics.map((metric) => [metric, metric])),
      span: { sinceMs, untilMs, catchUp },
      last,
      request: (metrics) => getTotals({ ...request, metrics }, day, poll.context),
    },
    poll,
  );
}

/**
 * Requests the totals of a day. A total covers the days that end from `since` to `until`, both
 * included. `since` is one second after the day's start, which is the end of the day before.
 */
function getTotals({ metrics, parts }: TotalsRequest, day: PacificDay, context: ExtractContext) {
  const { account, graph, signal } = context;
  return graph.get(
    {
      endpoint: '/{account}/insights',
      path: `/${account.id}/insights`,
      query: {
        metric: metrics.join(','),
        period: 'day',
        metric_type: 'total_value',
        ...(parts === undefined ? {} : { breakdown: parts.breakdown }),
        since: String(day.startMs / 1000 + 1),
        until: String(day.endMs / 1000),
      },
      accountId: account.id,
    },
    signal,
  );
}
