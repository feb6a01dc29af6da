import { mergeDays, type SeriesAnswer } from '../model/days.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import { askableFrom } from '../model/missing.ts';
import type { SeriesRequest, InstagramStream } from '../streams/stream.ts';
import { type Window, planWindows } from '../model/windows.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import type { Page } from '../../engine/source.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { askDaily, createDailyWork, type DailyWork } from './daily.ts';
import { allEnded, getTogether } from './together.ts';

type SeriesSource = Extract<InstagramStream['request'], { kind: 'series' }>;

/** A window, and whether it is the last of the poll. */
interface Turn {
  readonly window: Window;
  readonly last: boolean;
}

/**
 * Requests window by window, oldest first, and yields the merged days of each: a window is one page,
 * and so one transaction. `paging` of insights is never followed; it has no end.
 */
export async function* extractSeries(source: SeriesSource, context: ExtractContext): Extraction {
  // A metric that is requested for several periods has one name for each in the merged day.
  const names = source.requests.flatMap(({ metrics }) => Object.values(metrics));
  const work = createDailyWork(context, names);
  const { nowMs, startDateMs, lookbackMs, checkpoint } = context;
  const windows = planWindows({
    nowMs,
    cursorMs: checkpoint.cursorMs,
    coveredUntilMs: checkpoint.coveredUntilMs,
    startDateMs,
    lookbackMs,
    missingFromMs: askableFrom(work.checkpoint, names, nowMs),
  });
  for (const [index, window] of windows.entries()) {
    const step = { number: index + 1, of: windows.length };
    yield { ...(await askWindow(source, { window, last: step.number === step.of }, work)), step };
  }
}

async function askWindow(source: SeriesSource, turn: Turn, work: DailyWork): Promise<Page> {
  const { window } = turn;
  work.tooFew.clear();
  const get = getTogether(work.context);
  const bodies = await allEnded(
    source.requests.map((request) => askSeries(request, turn, { work, get })),
  );
  const answers = source.requests.flatMap((request, index): readonly SeriesAnswer[] => {
    const body = bodies[index];
    return body === undefined ? [] : [{ request, body }];
  });
  const { refusals, convertedMs } = work.checkpoint;
  const rejected: DeadLetterError[] = [];
  const nodes = mergeDays(answers, rejected);
  // Without one usable answer the window is not covered: the next poll requests it again.
  const isAnswered = answers.length > 0 && (nodes.length > 0 || rejected.length === 0);
  const isCovered = !window.catchUp && isAnswered;
  return {
    nodes,
    skipped: work.skipped.splice(0),
    rejected,
    coveredUntilMs: isCovered ? window.untilMs : null,
    learned: { refusals, convertedMs },
  };
}

interface Asking {
  readonly work: DailyWork;
  readonly get: (request: GraphRequest) => Promise<Node>;
}

function askSeries(request: SeriesRequest, { window, last }: Turn, { work, get }: Asking) {
  const asked = Object.entries(request.metrics).filter(
    ([metric]) => window.recent || !request.recentOnly.includes(metric),
  );
  return askDaily(
    {
      metrics: new Map(asked.map(([metric, name]) => [name, metric])),
      span: window,
      last,
      ask: (metrics) => get(requestOf(request.period, metrics, window, work.context)),
    },
    work,
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
