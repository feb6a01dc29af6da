import { type PlannedDay, type TotalsAnswer, dayNode, planDays } from '../model/daily-totals.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import { askableFrom } from '../model/missing.ts';
import type { PacificDay } from '../model/pacific.ts';
import type { InstagramStream, TotalsRequest } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { askDaily, createDailyWork, type DailyWork } from './daily.ts';

type TotalsSource = Extract<InstagramStream['request'], { kind: 'totals' }>;

/** A day, and whether it is the last of the poll. */
interface Turn {
  readonly day: PlannedDay;
  readonly last: boolean;
}

/** What a crash makes one ask again at most; a back-fill of two years is 73 transactions then. */
const daysAPage = 10;

/** Asks day by day, oldest first; some days are a page, and so a transaction of their own. */
export async function* extractTotals(source: TotalsSource, context: ExtractContext): Extraction {
  const names = source.requests.flatMap(({ metrics }) => metrics);
  const work = createDailyWork(context, names);
  const { nowMs, startDateMs, lookbackMs, checkpoint } = context;
  const days = planDays({
    nowMs,
    startDateMs,
    lookbackMs,
    cursorMs: checkpoint.cursorMs,
    coveredUntilMs: checkpoint.coveredUntilMs,
    missingFromMs: askableFrom(work.checkpoint, names, nowMs),
  });
  for (let start = 0; start < days.length; start += daysAPage) {
    const asked = days.slice(start, start + daysAPage);
    const nodes: Node[] = [];
    const rejected: DeadLetterError[] = [];
    for (const day of asked) {
      const answers = await askDay(source, { day, last: day === days.at(-1) }, work);
      nodes.push(dayNode(day, answers, rejected));
    }
    const { refusals, convertedMs } = work.checkpoint;
    yield {
      nodes,
      skipped: work.skipped.splice(0),
      rejected,
      coveredUntilMs: asked.findLast(({ catchUp }) => !catchUp)?.endMs ?? null,
      learned: { refusals, convertedMs },
      step: { number: start / daysAPage + 1, of: Math.ceil(days.length / daysAPage) },
    };
  }
}

async function askDay(
  source: TotalsSource,
  turn: Turn,
  work: DailyWork,
): Promise<readonly TotalsAnswer[]> {
  const answers: TotalsAnswer[] = [];
  for (const request of source.requests) {
    const body = await askTotals(request, turn, work);
    if (body !== undefined) answers.push({ request, body });
  }
  return answers;
}

function askTotals(request: TotalsRequest, { day, last }: Turn, work: DailyWork) {
  const { startMs: sinceMs, endMs: untilMs, catchUp } = day;
  return askDaily(
    {
      metrics: new Map(request.metrics.map((metric) => [metric, metric])),
      span: { sinceMs, untilMs, catchUp },
      last,
      ask: (metrics) => ask({ ...request, metrics }, day, work.context),
    },
    work,
  );
}

/**
 * A total takes in the days that end from `since` to `until`, both included: a second after its
 * beginning, which is the end of the day before.
 */
function ask({ metrics, parts }: TotalsRequest, day: PacificDay, context: ExtractContext) {
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
