import { readOrReject } from '../../engine/dead-letters.ts';
import { type DeadLetterError, SkipError } from '../../engine/errors.ts';
import { dataOf } from '../model/metric-values.ts';
import type { InstagramStream } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import type { Page } from '../../engine/source.ts';
import { isOfAccount } from './rejected-fields.ts';

type BreakdownsSource = Extract<InstagramStream['request'], { kind: 'breakdowns' }>;

/** Sends one request for each breakdown; each node is the metric plus the breakdown's name. */
export async function* extractBreakdowns(
  source: BreakdownsSource,
  context: ExtractContext,
): Extraction {
  for (const breakdown of source.breakdowns)
    yield await requestBreakdown(source, breakdown, context);
}

async function requestBreakdown(
  source: BreakdownsSource,
  breakdown: string,
  context: ExtractContext,
): Promise<Page> {
  const { account, graph, signal } = context;
  try {
    const body = await graph.get(
      {
        endpoint: '/{account}/insights',
        path: `/${account.id}/insights`,
        query: {
          metric: source.metric,
          period: source.period,
          metric_type: 'total_value',
          breakdown,
          ...(source.timeframe === undefined ? {} : { timeframe: source.timeframe }),
        },
        accountId: account.id,
      },
      signal,
    );
    const rejected: DeadLetterError[] = [];
    const entries = readOrReject(rejected, () => dataOf(body, body, rejected)) ?? [];
    const nodes = entries.map((node) => ({ ...node, breakdown }));
    return { nodes, skipped: [], rejected, coveredUntilMs: null };
  } catch (error) {
    if (!(error instanceof SkipError) || isOfAccount(error)) throw error;
    return {
      nodes: [],
      skipped: [{ reason: error.code, subject: breakdown }],
      coveredUntilMs: null,
    };
  }
}
