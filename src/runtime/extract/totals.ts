import type { TotalsAnswer } from '../../core/daily-totals.ts';
import { dayNode, planDays } from '../../core/daily-totals.ts';
import type { Node } from '../../core/json.ts';
import type { PacificDay } from '../../core/pacific.ts';
import { everything, leaveOutMetric, metricsFor } from '../../core/refusals.ts';
import type { Memory } from '../../core/state.ts';
import type { Stream, TotalsRequest } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { leftOut } from './refusals.ts';
import type { LeftOut } from './refusals.ts';

type TotalsSource = Extract<Stream['source'], { kind: 'totals' }>;

interface Work {
  readonly context: ExtractContext;
  /** With what was learned of refusals so far. */
  memory: Memory;
  /** Metrics that cannot be had in this poll, for another reason than that they are refused. */
  readonly without: Set<string>;
  readonly skipped: Skipped[];
}

/** What a crash makes one ask again at most; a back-fill of two years is 73 transactions then. */
const daysAPage = 10;

/** Asks day by day, oldest first; some days are a page, and so a transaction of their own. */
export async function* extractTotals(source: TotalsSource, context: ExtractContext): Extraction {
  const { nowMs, startDateMs, lookbackMs } = context;
  const { cursorMs, coveredUntilMs } = context.memory;
  const days = planDays({ nowMs, startDateMs, lookbackMs, cursorMs, coveredUntilMs });
  const work: Work = { context, memory: context.memory, without: new Set(), skipped: [] };
  for (let start = 0; start < days.length; start += daysAPage) {
    const asked = days.slice(start, start + daysAPage);
    const nodes: Node[] = [];
    for (const day of asked) nodes.push(await askDay(source, day, work));
    const { refusals, convertedMs } = work.memory;
    yield {
      nodes,
      skipped: work.skipped.splice(0),
      coveredUntilMs: asked.at(-1)?.endMs ?? null,
      learned: { refusals, convertedMs },
      step: { number: start / daysAPage + 1, of: Math.ceil(days.length / daysAPage) },
    };
  }
}

async function askDay(source: TotalsSource, day: PacificDay, work: Work): Promise<Node> {
  const answers: TotalsAnswer[] = [];
  for (const request of source.requests) {
    const body = await askTotals(request, day, work);
    if (body !== undefined) answers.push({ request, body });
  }
  return dayNode(day, answers);
}

/** Asks without each metric that is refused by name: all the others are worth having. */
async function askTotals(
  request: TotalsRequest,
  day: PacificDay,
  work: Work,
): Promise<Node | undefined> {
  const { nowMs } = work.context;
  for (;;) {
    const metrics = metricsFor(request.metrics, [], { memory: work.memory, nowMs }).filter(
      (metric) => !work.without.has(metric),
    );
    if (metrics.length === 0) return undefined;
    try {
      return await ask({ ...request, metrics }, day, work.context);
    } catch (error) {
      leaveOut(leftOut(error, metrics), work);
    }
  }
}

function leaveOut({ reason, subjects, named }: LeftOut, work: Work): void {
  for (const metric of subjects) {
    work.skipped.push({ reason, subject: metric });
    if (!named) work.without.add(metric);
    else {
      const refusal = { subject: everything, metric, reason };
      work.memory = leaveOutMetric(work.memory, refusal, work.context.nowMs);
    }
  }
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
