import { mergeDays } from '../../core/days.ts';
import type { SeriesAnswer } from '../../core/days.ts';
import type { SeriesRequest, Stream } from '../../core/stream.ts';
import type { Window } from '../../core/windows.ts';
import { planWindows } from '../../core/windows.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { leftOut } from './refusals.ts';

type SeriesSource = Extract<Stream['source'], { kind: 'series' }>;

/**
 * Asks window by window, oldest first, and gives the merged days of each: one page, and so one
 * transaction, a window. `paging` of insights is never followed; it has no end.
 */
export async function* extractSeries(source: SeriesSource, context: ExtractContext): Extraction {
  const windows = planWindows({
    nowMs: context.nowMs,
    cursorMs: context.memory.cursorMs,
    coveredUntilMs: context.memory.coveredUntilMs,
    startDateMs: context.startDateMs,
    lookbackMs: context.lookbackMs,
  });
  for (const [index, window] of windows.entries()) {
    const skipped: Skipped[] = [];
    const answers: SeriesAnswer[] = [];
    for (const request of source.requests) {
      const answer = await askSeries(request, window, { context, skipped });
      if (answer !== undefined) answers.push(answer);
    }
    // Where every request was refused nothing is known of the window's days: they are still to come.
    const coveredUntilMs = answers.length > 0 ? window.untilMs : null;
    const step = { number: index + 1, of: windows.length };
    yield { nodes: mergeDays(answers), skipped, coveredUntilMs, step };
  }
}

async function askSeries(
  request: SeriesRequest,
  window: Window,
  work: { context: ExtractContext; skipped: Skipped[] },
): Promise<SeriesAnswer | undefined> {
  const { context, skipped } = work;
  const left = new Set(window.recent ? [] : request.recentOnly);
  for (;;) {
    const metrics = Object.keys(request.metrics).filter((metric) => !left.has(metric));
    if (metrics.length === 0) return undefined;
    try {
      return { request, body: await ask(request.period, metrics, { window, context }) };
    } catch (error) {
      const { reason, subjects } = leftOut(error, metrics);
      for (const metric of subjects) {
        left.add(metric);
        skipped.push({ reason, subject: metric });
      }
    }
  }
}

function ask(
  period: string,
  metrics: readonly string[],
  at: { window: Window; context: ExtractContext },
) {
  const { account, graph, signal } = at.context;
  return graph.get(
    {
      endpoint: '/{account}/insights',
      path: `/${account.id}/insights`,
      query: {
        metric: metrics.join(','),
        period,
        since: String(Math.floor(at.window.sinceMs / 1000)),
        until: String(Math.floor(at.window.untilMs / 1000)),
      },
      accountId: account.id,
    },
    signal,
  );
}
