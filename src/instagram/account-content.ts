import type { Account } from '../engine/account.ts';
import { type DeadLetterError, SkipError } from '../engine/errors.ts';
import type { SourcePoll } from '../engine/source.ts';
import { emptyCheckpoint } from '../engine/state.ts';
import type { AccountContent } from './call-plan.ts';
import type { InstagramSource } from './extract/extract.ts';
import { totalsQuery } from './model/daily-totals.ts';
import { id, time } from './model/fields.ts';
import { parseGraphTime } from './model/graph-time.ts';
import { metricValues } from './model/metric-values.ts';
import { pacificDays } from './model/pacific.ts';
import { requestOf } from './extract/requests.ts';
import { streams } from './streams/index.ts';

const dayMs = 86_400_000;

type ContentPoll = Pick<SourcePoll, 'graph' | 'nowMs' | 'sleep' | 'signal'>;

/** The content of an account, and its views of the day that ended last; null where there are none. */
export interface ReadContent extends AccountContent {
  readonly views: number | null;
}

/**
 * Reads the content of an account: one call a page of its media, one for its stories, one for its
 * views.
 * @throws as `Graph.get`
 */
export async function readContent(
  account: Account,
  source: InstagramSource,
  poll: ContentPoll,
): Promise<ReadContent> {
  const list = async (name: 'media' | 'stories'): Promise<readonly (number | undefined)[]> => {
    const request = { kind: 'list', edge: name, fields: { id, timestamp: time } } as const;
    const stream = { ...streams[name], request };
    const rest = { checkpoint: emptyCheckpoint, cycleMs: poll.nowMs, nextPollMs: null };
    const limits = { lookbackMs: 0, maxBatchRecords: 1 };
    const nodes = [];
    for await (const page of source.pages({ stream, account, ...rest, ...limits, ...poll })) {
      for (const node of page.nodes) nodes.push(node);
    }
    return nodes.map(({ timestamp }) =>
      typeof timestamp === 'string' ? parseGraphTime(timestamp) : undefined,
    );
  };
  const media = await list('media');
  const stories = await list('stories');
  return {
    // A media without a valid time counts as old.
    mediaMs: media.map((ms) => ms ?? 0),
    storiesADay: stories.length,
    views: await readViews(account, poll),
  };
}

async function readViews(account: Account, { graph, nowMs, signal }: ContentPoll) {
  const day = pacificDays(nowMs - 2 * dayMs, nowMs).at(-1);
  if (day === undefined) return null;
  const query = totalsQuery(['views'], day);
  try {
    const body = await graph.get(requestOf('/{account}/insights', query, { account }), signal);
    const rejected: DeadLetterError[] = [];
    const { views } = metricValues(body, body, rejected);
    return typeof views === 'number' ? views : null;
  } catch (error) {
    if (error instanceof SkipError) return null;
    throw error;
  }
}
