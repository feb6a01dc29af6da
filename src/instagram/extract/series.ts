import { mergeDays, type SeriesAnswer } from '../model/days.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import { askableFrom } from '../model/missing.ts';
import type { SeriesRequest, InstagramStream } from '../streams/stream.ts';
import { type Window, planWindows } from '../model/windows.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import type { Page } from '../../engine/source.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { requestDaily, createDailyPoll, type DailyPoll } from './daily.ts';
import { allEnded, getTogether } from './together.ts';

type SeriesSource = Extract<InstagramStream['request'], { kind: 'series' }>;

/** A window, and its position in the poll. */
interface WindowOfPoll {
  readonly window: Window;
  readonly last: boolean;
}

/**
 * Requests window by window, oldest first, and yields the merged days of each. A window is one
 * page, and thus one transaction. `paging` of insights is never followed: it has no end.
 */
export async function* extractSeries(source: SeriesSource, context: ExtractContext): Extraction {
  // A metric that is requested for several periods has one name for each period in the merged day.
  const names = source.requests.flatMap(({ metrics }) => Object.values(metrics));
  const poll = createDailyPoll(context, names);
  const { nowMs, startDateMs, lookbackMs, checkpoint } = context;
  const windows = planWindows({
    nowMs,
    cursorMs: checkpoint.cursorMs,
    coveredUntilMs: checkpoint.coveredUntilMs,
    startDateMs,
    lookbackMs,
    missingFromMs: askableFrom(poll.checkpoint, names, nowMs),
  });
  for (const [index, window] of windows.entries()) {
    const step = { number: index + 1, of: windows.length };
    yield {
      ...(await requestWindow(source, { window, last: step.number === step.of }, poll)),
      step,
    };
  }
}

async function requestWindow(
  source: SeriesSource,
  windowOfPoll: WindowOfPoll,
  poll: DailyPoll,
): Promise<Page> {
  const { window } = windowOfPoll;
  poll.tooFew.clear();
  const get = getTogether(poll.context);
  const bodies = await allEnded(
    source.requests.map((request) => requestSeries(request, windowOfPoll, { poll, get })),
  );
  const answers = source.requests.flatMap((request, index): readonly SeriesAnswer[] => {
    const body = bodies[index];
    return body === undefined ? [] : [{ request, body }];
  });
  const { refusals, convertedMs } = poll.checkpoint;
  const rejected: DeadLetterError[] = [];
  const nodes = mergeDays(answers, rejected);
  // Without a valid answer the window is not covered: the next poll requests it again.
  const isAnswered = answers.length > 0 && (nodes.length > 0 || rejected.length === 0);
  const isCovered = !window.catchUp && isAnswered;
  return {
    nodes,
    skipped: poll.skipped.splice(0),
    rejected,
    coveredUntilMs: isCovered ? window.untilMs : null,
    learned: { refusals, convertedMs },
  };
}

interface SeriesContext {
  readonly poll: DailyPoll;
  readonly get: (request: GraphRequest) => Promise<Node>;
}

function requestSeries(
  request: SeriesRequest,
  { window, last }: WindowOfPoll,
  { poll, get }: SeriesContext,
) {
  const selected = Object.entries(request.metrics).filter(
    ([metric]) => window.recent || !request.recentOnly.includes(metric),
  );
  return requestDaily(
    {
      metrics: new Map(selected.map(([metric, name]) => [name, metric])),
      span: window,
      last,
      request: (metrics) => get(requestOf(request.period, metrics, window, poll.context)),
    },
    poll,
  );
}

function requestOf(
  period: string,
  metrics: readonly string[],
  { sinceMs, untilMs }: Window,
  { account }: ExtractContext,
): GraphRequest {
  return {
    endpoint: '/{account}/insights',
    path: `/${account.id}/insights`,
    query: {
      metric: metrics.join(','),
      period,
      since: String(Math.floor(sinceMs / 1000)),
      until: String(Math.floor(untilMs / 1000)),
    },
    accountId: account.id,
  };
}
