import {
  type ClassifiedError,
  type DeadLetterError,
  isClassifiedError,
  type Skipped,
} from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { Page } from '../../engine/source.ts';
import type { Checkpoint } from '../../engine/state.ts';
import {
  type PlannedDay,
  type TotalsAnswer,
  dayNode,
  namesOf,
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
import { type Window, type WindowPlan, longReachMs, planWindows } from '../model/windows.ts';
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
 * @param catchUpMs - the age of the oldest days that are completed
 */
function beginPoll(context: ExtractContext, names: readonly string[], catchUpMs = longReachMs) {
  const checkpoint = withoutUndeclaredMetrics(context.checkpoint, names);
  const poll: DailyPoll = { context, checkpoint, tooFew: new Set(), skipped: [] };
  const { nowMs, startDateMs, lookbackMs } = context;
  const { cursorMs, coveredUntilMs } = context.checkpoint;
  const missingFromMs = requestableFrom(checkpoint, names, { nowMs, reachMs: catchUpMs });
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
  { requests, catchUpMs }: RequestOf<'totals'>,
  context: ExtractContext,
): Extraction {
  const { poll, plan } = beginPoll(context, requests.flatMap(namesOf), catchUpMs);
  const days = planDays(plan);
  for (let start = 0; start < days.length; start += daysPerPage) {
    const pageDays = days.slice(start, start + daysPerPage);
    const nodes: Node[] = [];
    const rejected: DeadLetterError[] = [];
    for (const day of pageDays) {
      const answers = await requestDay(requests, { day, last: day === days.at(-1) }, poll);
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

interface RequestedDay {
  readonly day: PlannedDay;
  /** True for the last day of the poll. */
  readonly last: boolean;
}

/**
 * Requests the totals of a day together. A breakdown that fails while another request is answered
 * is rejected, whatever the error: Meta hides some rejections in a failure of the server.
 * @throws the first error that is no such rejection, after all requests have ended
 */
async function requestDay(
  requests: RequestOf<'totals'>['requests'],
  requested: RequestedDay,
  poll: DailyPoll,
): Promise<readonly TotalsAnswer[]> {
  const get = getTogether(poll.context);
  const results = await Promise.allSettled(
    requests.map((request) => requestTotals(request, { ...requested, get }, poll)),
  );
  const isAnswered = results.some((one) => one.status === 'fulfilled' && one.value !== undefined);
  const { startMs: sinceMs, endMs: untilMs, catchUp } = requested.day;
  const scope = { span: { sinceMs, untilMs, catchUp }, nowMs: poll.context.nowMs };
  return requests.flatMap((request, index) => {
    const result = results[index];
    if (result?.status === 'fulfilled') {
      return result.value === undefined ? [] : [{ request, body: result.value }];
    }
    const error: unknown = result?.reason;
    const field = request.parts?.fields;
    // A catch-up requests only what was rejected before: its failure confirms the rejection.
    const isRejected = (isAnswered || catchUp) && isOfRequest(error);
    if (typeof field !== 'string' || !isRejected) throw error;
    poll.skipped.push({ reason: error.code, subject: field });
    const rejection = { metric: field, reason: error.code };
    poll.checkpoint = excludeDailyMetric(poll.checkpoint, rejection, scope);
    return [];
  });
}

/** True for an error that may concern one request only. */
function isOfRequest(error: unknown): error is ClassifiedError {
  if (!isClassifiedError(error)) return false;
  return error.code === 'graph.server' || ['fail', 'stop-stream'].includes(error.disposition);
}

/** Requests totals of a day by one request. */
function requestTotals(
  totals: TotalsRequest,
  { day, last, get }: RequestedDay & { readonly get: ReturnType<typeof getTogether> },
  poll: DailyPoll,
): Promise<Node | undefined> {
  const { startMs, endMs, catchUp } = day;
  const { metrics, parts } = totals;
  const request = (names: readonly string[]): Promise<Node> => {
    const query = {
      ...totalsQuery(names, day),
      ...(parts === undefined ? {} : { breakdown: parts.breakdown }),
    };
    return get(requestOf('/{account}/insights', query, poll.context));
  };
  const span = { sinceMs: startMs, untilMs: endMs, catchUp };
  const all = new Map(namesOf(totals).map((name, index) => [name, metrics[index] ?? name]));
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
