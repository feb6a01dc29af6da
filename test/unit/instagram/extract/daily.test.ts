import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { nextPollCost } from '../../../../src/instagram/call-plan.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { type Answer, createFakeGraph } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../../engine/world.ts';
import { extractAll, graphOf } from './extracting.ts';

const insights = streams.user_insights;
const none: Node = { data: [] };
const yesterday = { ...emptyCheckpoint, cursorMs: startMs - dayMs };

const point = (name: string, value: number, date = '2026-05-11T07:00:00+0000'): Node => ({
  name,
  values: [{ value, end_time: date }],
});

describe('user_insights extraction', () => {
  test('sends four requests per window, with the window in whole seconds', async () => {
    const graph = createFakeGraph(() => none);
    const { pages } = await extractAll(insights, graph, { checkpoint: yesterday });
    const window = { since: '1778328000', until: '1778673600' };

    expect(graph.queries).toEqual([
      { metric: 'follower_count,reach', period: 'day', ...window },
      { metric: 'reach', period: 'week', ...window },
      { metric: 'reach', period: 'days_28', ...window },
      { metric: 'online_followers', period: 'lifetime', ...window },
    ]);
    expect(graph.requests[0]).toMatchObject({
      endpoint: '/{account}/insights',
      path: '/17841400000000001/insights',
      accountId: '17841400000000001',
    });
    const coveredUntilMs = Date.UTC(2026, 4, 13, 12);
    expect(pages).toEqual([
      {
        nodes: [],
        skipped: [],
        rejected: [],
        coveredUntilMs,
        checkpointUpdate: { rejections: [], convertedMs: null },
        step: { number: 1, of: 1 },
      },
    ]);
  });

  test('merges the requests of a window into one node per day', async () => {
    const graph = graphOf(
      { data: [point('follower_count', 2), point('reach', 10)] },
      { data: [point('reach', 70)] },
      { data: [point('reach', 280)] },
      none,
    );

    expect((await extractAll(insights, graph, { checkpoint: yesterday })).nodes).toEqual([
      {
        date: '2026-05-11T07:00:00+0000',
        follower_count: 2,
        reach: 10,
        reach_week: 70,
        reach_days_28: 280,
      },
    ]);
  });

  test('never follows the paging of insights, which has no end', async () => {
    const paging = {
      previous: 'https://graph.facebook.com/p',
      next: 'https://graph.facebook.com/n',
    };
    const graph = createFakeGraph(() => ({ data: [], paging }));
    await extractAll(insights, graph, { checkpoint: yesterday });

    expect(graph.requests).toHaveLength(4);
  });

  test('omits metrics that reach back 30 days from older windows', async () => {
    const graph = createFakeGraph(() => none);
    await extractAll(insights, graph, { startDateMs: startMs - 40 * dayMs });
    const older = graph.queries.filter(({ since }) => Number(since) * 1000 < startMs - 30 * dayMs);

    expect(older.map(({ period, metric }) => `${period} ${metric}`)).toEqual([
      'day reach',
      'week reach',
      'days_28 reach',
    ]);
  });

  test('drops a metric that the API rejects by name, and repeats the request', async () => {
    const graph = graphOf(
      new SkipError('graph.metric-refused', 'no', ['follower_count']),
      none,
      none,
      none,
      { data: [point('reach', 10)] },
    );
    const { pages, nodes } = await extractAll(insights, graph, { checkpoint: yesterday });

    expect(graph.queries.map(({ period, metric }) => `${period} ${metric}`)).toEqual([
      'day follower_count,reach',
      'week reach',
      'days_28 reach',
      'lifetime online_followers',
      'day reach',
    ]);
    expect(nodes).toEqual([{ date: '2026-05-11T07:00:00+0000', reach: 10 }]);
    expect(pages[0]?.skipped).toEqual([
      { reason: 'graph.metric-refused', subject: 'follower_count' },
    ]);
  });

  test('drops the whole request when the rejection names no metric', async () => {
    const few = new SkipError('graph.not-enough-users', 'Not enough users');
    const graph = graphOf(none, none, none, few);
    const { pages, error } = await extractAll(insights, graph, { checkpoint: yesterday });

    expect(error).toBeUndefined();
    expect(pages[0]?.skipped).toEqual([
      { reason: 'graph.not-enough-users', subject: 'online_followers' },
    ]);
  });

  test.each([
    ['account is gone or hidden', 'graph.ambiguous', ['17841400000000001']],
    ['account is gone', 'graph.gone', []],
    ['rejection names only metrics that were not requested', 'graph.metric-unknown', ['plays']],
  ] as const)('fails, and covers no window, when the %s', async (_what, code, subjects) => {
    const refusal = new SkipError(code, 'no', subjects);
    const { pages, error } = await extractAll(insights, graphOf(none, refusal, none, none), {
      checkpoint: yesterday,
    });

    expect(error).toBe(refusal);
    expect(pages).toEqual([]);
  });

  test('leaves a window uncovered when all its requests were rejected', async () => {
    const names = ['follower_count', 'reach', 'online_followers'];
    const graph = createFakeGraph(() => new SkipError('graph.metric-unknown', 'no', names));
    const { pages, error } = await extractAll(insights, graph, { checkpoint: yesterday });

    expect(error).toBeUndefined();
    expect(pages.map(({ coveredUntilMs }) => coveredUntilMs)).toEqual([null]);
  });

  // Invariant 3
  test('leaves an invalid window uncovered and continues with the next (Invariant 3)', async () => {
    const good = { data: [point('reach', 10)] };
    const graph = createFakeGraph((_request, index) => (index < 3 ? { data: 'n/a' } : good));
    const { pages, error } = await extractAll(insights, graph, {
      startDateMs: startMs - 40 * dayMs,
    });

    expect(error).toBeUndefined();
    expect(
      pages.map(({ nodes, rejected = [], coveredUntilMs }) => [
        nodes.length,
        rejected.map(({ path }) => path),
        coveredUntilMs === null ? 'open' : 'covered',
      ]),
    ).toEqual([
      [0, ['insights.data', 'insights.data', 'insights.data'], 'open'],
      [1, [], 'covered'],
    ]);
  });

  test('returns the windows before an error and then fails with it', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = createFakeGraph((_request, index) => (index < 3 ? none : away));
    const { pages, error } = await extractAll(insights, graph, {
      startDateMs: startMs - 40 * dayMs,
    });

    expect(error).toBe(away);
    expect(pages).toHaveLength(1);
  });
});

describe('user_daily_totals extraction', () => {
  const totals = streams.user_daily_totals;
  const endMs = Date.UTC(2026, 4, 12, 7);
  /** One day is due, or two where a test says so. */
  const yesterday = { ...emptyCheckpoint, cursorMs: endMs - dayMs, coveredUntilMs: endMs - dayMs };
  const twoDays = { ...yesterday, coveredUntilMs: endMs - 2 * dayMs };
  const window = { since: '1778482801', until: '1778569200' };
  const everything =
    'views,accounts_engaged,total_interactions,likes,comments,shares,saves,replies,reposts,profile_links_taps,profile_views,website_clicks';
  const without = (metric: string) => everything.replace(`,${metric}`, '');

  const answer: Answer = { data: [{ name: 'views', total_value: { value: 5 } }] };
  const refusing = (metric: string, error: SkipError) =>
    createFakeGraph(({ query }) => (query['metric']?.includes(metric) === true ? error : answer));

  test('sends two requests per day, from one second after its start to its end', async () => {
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

  test('sends the two requests of a day in one batch', async () => {
    const graph = createFakeGraph(() => answer);
    await extractAll(totals, graph, { checkpoint: twoDays });

    expect(graph.batches).toEqual([2, 2]);
  });

  test('fails when one of the two requests of a day fails', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = createFakeGraph(({ query }) => ('breakdown' in query ? away : answer));

    expect((await extractAll(totals, graph, { checkpoint: yesterday })).error).toBe(away);
  });

  test('returns ten days per page, oldest first', async () => {
    const graph = createFakeGraph(() => answer);
    const checkpoint = { ...yesterday, coveredUntilMs: endMs - 12 * dayMs };
    const { pages } = await extractAll(totals, graph, { checkpoint });

    expect(pages.map(({ nodes, coveredUntilMs }) => [nodes.length, coveredUntilMs])).toEqual([
      [10, endMs - 2 * dayMs],
      [2, endMs],
    ]);
  });

  test('drops a metric that is rejected by name, and remembers the rejection for a week', async () => {
    const error = new SkipError('graph.metric-unknown', 'no such metric', ['reposts']);
    const graph = refusing('reposts', error);
    const { pages } = await extractAll(totals, graph, { checkpoint: twoDays });

    expect(graph.queries.map(({ metric }) => metric)).toEqual([
      everything,
      'follows_and_unfollows',
      without('reposts'),
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

  test('does not request a metric with a remembered rejection', async () => {
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

  test('drops a metric with too few users for this poll only', async () => {
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

  test('fails when the account is gone or hidden', async () => {
    const error = new SkipError('graph.ambiguous', 'gone', ['17841400000000001']);

    expect((await extractAll(totals, refusing('views', error))).error).toBe(error);
  });
});

describe('nextPollCost', () => {
  const at = { nowMs: startMs, lookbackMs: 2 * dayMs, startDateMs: null };

  test.each([
    ['user_insights', 1],
    ['user_insights', 28],
    ['user_insights', 90],
    ['user_insights', 800],
    ['user_daily_totals', 1],
    ['user_daily_totals', 90],
    ['user_daily_totals', 800],
    ['user_daily_breakdowns', 1],
    ['user_daily_breakdowns', 90],
  ] as const)('equals the requests of the next poll of %s, %i days behind', async (name, days) => {
    const checkpoint = { ...emptyCheckpoint, cursorMs: startMs - days * dayMs };
    const graph = createFakeGraph(() => none);
    await extractAll(streams[name], graph, { checkpoint });

    expect(nextPollCost(streams[name].request, checkpoint, at)?.calls).toBe(graph.requests.length);
  });

  test('starts the poll a look-back before the cursor, within the reach of the API', () => {
    const { request } = streams.user_insights;
    const from = (days: number) =>
      nextPollCost(request, { ...emptyCheckpoint, cursorMs: startMs - days * dayMs }, at)?.fromMs;
    expect(from(90)).toBe(startMs - 92 * dayMs);
    expect(from(800)).toBe(startMs - 729 * dayMs);
    expect(nextPollCost(streams.media.request, emptyCheckpoint, at)).toBeUndefined();
  });
});
