import type { DeadLetterError, Skipped } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { Page } from '../../engine/source.ts';
import type { Checkpoint } from '../../engine/state.ts';
import {
  type PlannedDay,
  type TotalsAnswer,
  dayNode,
  planDays,
  totalsQuery,
} from '../model/daily-totals.ts';
import { mergeDays, type SeriesAnswer } from '../model/days.ts';
import {
  requestableFrom,
  excludeDailyMetric,
  metricsOf,
  withAnswered,
  withMissingDays,
  withoutUndeclaredMetrics,
  type DaySpan,
} from '../model/missing.ts';
import { type Window, type WindowPlan, planWindows } from '../model/windows.ts';
import type { RequestOf, TotalsRequest } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { requestOf, allEnded, getTogether, excludedBy } from './requests.ts';

/** The context of a poll's requests for daily metrics, and the findings from its answers. */
interface DailyPoll {
  readonly context: ExtractContext;
  /** The checkpoint, updated with the rejections of this poll. */
  checkpoint: Checkpoint;
  /** Metrics for which too few people were counted; the poll omits them until they are cleared. */
  readonly tooFew: Set<string>;
  readonly skipped: Skipped[];
}

/**
 * Creates the poll's context, with the rejections of the stream's metrics, and the plan of its
 * days.
 */
function beginPoll(context: ExtractContext, names: readonly string[]) {
  const checkpoint = withoutUndeclaredMetrics(context.checkpoint, names);
  const poll: DailyPoll = { context, checkpoint, tooFew: new Set(), skipped: [] };
  const { nowMs, startDateMs, lookbackMs } = context;
  const { cursorMs, coveredUntilMs } = context.checkpoint;
  const missingFromMs = requestableFrom(checkpoint, names, nowMs);
  const known = { cursorMs, coveredUntilMs, missingFromMs };
  const plan: WindowPlan = { nowMs, startDateMs, lookbackMs, ...known };
  return { poll, plan };
}

/** Returns the findings since the previous page. */
function findingsOf({ skipped, checkpoint: { rejections, convertedMs } }: DailyPoll) {
  return { skipped: skipped.splice(0), checkpointUpdate: { rejections, convertedMs } };
}

/**
 * Requests window by window, oldest first, and yields the merged days of each. A window is one
 * page, and thus one transaction. `paging` of insights is never followed: it has no end.
 */
export async function* extractSeries(
  { requests }: RequestOf<'series'>,
  context: ExtractContext,
): Extraction {
  // A metric that is requested for several periods has one name for each period in the merged day.
  const names = requests.flatMap(({ metrics }) => Object.values(metrics));
  const { poll, plan } = beginPoll(context, names);
  const windows = planWindows(plan);
  for (const [index, window] of windows.entries()) {
    const step = { number: index + 1, of: windows.length };
    poll.tooFew.clear();
    const answers = await requestWindow(requests, { window, last: step.number === step.of }, poll);
    yield { ...windowPage(answers, window), ...findingsOf(poll), step };
  }
}

async function requestWindow(
  requests: RequestOf<'series'>['requests'],
  { window, last }: { readonly window: Window; readonly last: boolean },
  poll: DailyPoll,
): Promise<readonly SeriesAnswer[]> {
  const get = getTogether(poll.context);
  const since = String(Math.floor(window.sinceMs / 1000));
  const until = String(Math.floor(window.untilMs / 1000));
  const bodies = await allEnded(
    requests.map(({ period, metrics: all, recentOnly }) => {
      const selected = Object.entries(all).filter(
        ([metric]) => window.recent || !recentOnly.includes(metric),
      );
      const metrics = new Map(selected.map(([metric, name]) => [name, metric]));
      const request = (names: readonly string[]): Promise<Node> => {
        const query = { metric: names.join(','), period, since, until };
        return get(requestOf('/{account}/insights', query, poll.context));
      };
      return requestDaily({ metrics, span: window, last, request }, poll);
    }),
  );
  return requests.flatMap((request, index) => {
    const body = bodies[index];
    return body === undefined ? [] : [{ request, body }];
  });
}

function windowPage(answers: readonly SeriesAnswer[], window: Window): Omit<Page, 'skipped'> {
  const rejected: DeadLetterError[] = [];
  const nodes = mergeDays(answers, rejected);
  // Without a valid answer the window is not covered: the next poll requests it again.
  const isAnswered = answers.length > 0 && (nodes.length > 0 || rejected.length === 0);
  const isCovered = !window.catchUp && isAnswered;
  return { nodes, rejected, coveredUntilMs: isCovered ? window.untilMs : null };
}

/** The most days that a crash repeats; a backfill of two years takes 73 transactions. */
const daysPerPage = 10;

/** Requests day by day, oldest first; a page holds some days, and thus is one transaction. */
export async function* extractTotals(
  { requests }: RequestOf<'totals'>,
  context: ExtractContext,
): Extraction {
  const { poll, plan } = beginPoll(
    context,
    requests.flatMap(({ metrics }) => metrics),
  );
  const days = planDays(plan);
  for (let start = 0; start < days.length; start += daysPerPage) {
    const pageDays = days.slice(start, start + daysPerPage);
    const nodes: Node[] = [];
    const rejected: DeadLetterError[] = [];
    for (const day of pageDays) {
      const answers: TotalsAnswer[] = [];
      for (const request of requests) {
        const body = await requestTotals(request, { day, last: day === days.at(-1) }, poll);
        if (body !== undefined) answers.push({ request, body });
      }
      nodes.push(dayNode(day, answers, rejected));
    }
    yield {
      nodes,
      rejected,
      ...findingsOf(poll),
      coveredUntilMs: pageDays.findLast(({ catchUp }) => !catchUp)?.endMs ?? null,
      step: { number: start / daysPerPage + 1, of: Math.ceil(days.length / daysPerPage) },
    };
  }
}

/** Requests the totals of a day. */
function requestTotals(
  { metrics, parts }: TotalsRequest,
  { day, last }: { readonly day: PlannedDay; readonly last: boolean },
  poll: DailyPoll,
): Promise<Node | undefined> {
  const { startMs, endMs, catchUp } = day;
  const { graph, signal } = poll.context;
  const request = (names: readonly string[]): Promise<Node> => {
    const query = {
      ...totalsQuery(names, day),
      ...(parts === undefined ? {} : { breakdown: parts.breakdown }),
    };
    return graph.get(requestOf('/{account}/insights', query, poll.context), signal);
  };
  const span = { sinceMs: startMs, untilMs: endMs, catchUp };
  const all = new Map(metrics.map((metric) => [metric, metric]));
  return requestDaily({ metrics: all, span, last, request }, poll);
}

interface DailyRequest {
  /** The stream's name of each metric → the API's name. */
  readonly metrics: ReadonlyMap<string, string>;
  readonly span: DaySpan;
  /** True for the last span of the poll. */
  readonly last: boolean;
  readonly request: (metrics: readonly string[]) => Promise<Node>;
}

/**
 * Requests a span, and repeats the request without each metric that the API rejects by name. A
 * rejection is recorded with the incomplete days. Undefined when every metric is excluded.
 * @throws every other error of `request`, and a rejection that names no metric
 */
async function requestDaily(
  { metrics, span, last, request }: DailyRequest,
  poll: DailyPoll,
): Promise<Node | undefined> {
  const scope = { span, nowMs: poll.context.nowMs };
  const all = [...metrics.keys()];
  poll.checkpoint = withMissingDays(poll.checkpoint, all, scope);
  for (;;) {
    const names = metricsOf(poll.checkpoint, all, scope).filter((name) => !poll.tooFew.has(name));
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
