import { describe, expect, test } from '@jest/globals';
import { SkipError } from '../../../../src/engine/errors.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { createFakeGraph, type Answer } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

const totals = streams.user_daily_totals;
const endMs = Date.UTC(2026, 4, 12, 7);
/** One day is left to ask for, and two where a test says so. */
const yesterday = { ...emptyCheckpoint, cursorMs: endMs - dayMs, coveredUntilMs: endMs - dayMs };
const twoDays = { ...yesterday, coveredUntilMs: endMs - 2 * dayMs };
const window = { since: '1778482801', until: '1778569200' };
const everything =
  'views,accounts_engaged,total_interactions,likes,comments,shares,saves,replies,reposts,profile_links_taps,profile_views,website_clicks';
const without = (metric: string) => everything.replace(`,${metric}`, '');

const answer: Answer = { data: [{ name: 'views', total_value: { value: 5 } }] };
const refusing = (metric: string, error: SkipError) =>
  createFakeGraph(({ query }) => (query['metric']?.includes(metric) === true ? error : answer));

describe('daily totals', () => {
  test('are two requests a day, from a second after its beginning to its end', async () => {
    const graph = createFakeGraph(() => answer);
    const { pages } = await extractAll(totals, graph, { checkpoint: yesterday });

    expect(graph.queries).toEqual([
      { metric: everything, period: 'day', metric_type: 'total_value', ...window },
      {
        metric: 'follows_and_unfollows',
        period: 'day',
        metric_type: 'total_value',
        breakdown: 'follow_type',
        ...window,
      },
    ]);
    expect(graph.requests[0]).toMatchObject({
      endpoint: '/{account}/insights',
      path: '/17841400000000001/insights',
      accountId: '17841400000000001',
    });
    expect(pages).toEqual([
      {
        nodes: [{ date: '2026-05-12T07:00:00Z', day: '2026-05-11', views: 5 }],
        skipped: [],
        rejected: [],
        coveredUntilMs: endMs,
        checkpointUpdate: { rejections: [], convertedMs: null },
        step: { number: 1, of: 1 },
      },
    ]);
  });

  test('are ten days a page, oldest first', async () => {
    const graph = createFakeGraph(() => answer);
    const checkpoint = { ...yesterday, coveredUntilMs: endMs - 12 * dayMs };
    const { pages } = await extractAll(totals, graph, { checkpoint });

    expect(pages.map(({ nodes, coveredUntilMs }) => [nodes.length, coveredUntilMs])).toEqual([
      [10, endMs - 2 * dayMs],
      [2, endMs],
    ]);
  });

  test('go on without a metric that is refused by name, and remember it for a week', async () => {
    const error = new SkipError('graph.metric-unknown', 'no such metric', ['reposts']);
    const graph = refusing('reposts', error);
    const { pages } = await extractAll(totals, graph, { checkpoint: twoDays });

    expect(graph.queries.map(({ metric }) => metric)).toEqual([
      everything,
      without('reposts'),
      'follows_and_unfollows',
      without('reposts'),
      'follows_and_unfollows',
    ]);
    expect(pages.map(({ skipped }) => skipped)).toEqual([
      [{ reason: 'graph.metric-unknown', subject: 'reposts' }],
    ]);
    expect(pages[0]?.checkpointUpdate?.rejections).toEqual([
      {
        subject: '*',
        metric: 'reposts',
        reason: 'graph.metric-unknown',
        untilMs: startMs + 7 * dayMs,
        missingFromMs: endMs - 2 * dayMs,
      },
    ]);
  });

  test('do not ask for a metric that is known to be refused', async () => {
    const graph = createFakeGraph(() => answer);
    const refusal = {
      subject: '*',
      metric: 'follows_and_unfollows',
      reason: 'graph.metric-refused',
      untilMs: startMs + 1,
    } as const;
    await extractAll(totals, graph, { checkpoint: { ...yesterday, rejections: [refusal] } });

    expect(graph.queries.map(({ metric }) => metric)).toEqual([everything]);
  });

  test('go on without what has too few users, for this poll alone', async () => {
    const graph = refusing('follows', new SkipError('graph.not-enough-users', 'not enough users'));
    const { pages } = await extractAll(totals, graph, { checkpoint: twoDays });

    expect(graph.queries.map(({ metric }) => metric)).toEqual([
      everything,
      'follows_and_unfollows',
      everything,
    ]);
    expect(pages[0]?.skipped).toEqual([
      { reason: 'graph.not-enough-users', subject: 'follows_and_unfollows' },
    ]);
    expect(pages[0]?.checkpointUpdate?.rejections).toEqual([]);
  });

  test('end with an account that is gone or hidden', async () => {
    const error = new SkipError('graph.ambiguous', 'gone', ['17841400000000001']);

    expect((await extractAll(totals, refusing('views', error))).error).toBe(error);
  });
});
