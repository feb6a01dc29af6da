import { describe, expect, test } from '@jest/globals';
import {
  type ErrorCode,
  FailError,
  RetryError,
  SkipError,
  WaitError,
} from '../../../../src/engine/errors.ts';
import { keyNumber } from '../../../../src/engine/fingerprint.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { dayMs, hourMs, startMs } from '../../engine/world.ts';
import { follow, graphOf, idIn, mediaOf, metricsIn, post, textOf } from './following.ts';

describe('media insights extraction', () => {
  test('sends one request per media, in batches of 50, and adds the listed fields', async () => {
    const graph = graphOf(mediaOf(120));
    const { nodes, asked } = await follow(graph).poll();

    expect(graph.batches).toEqual([50, 50, 20]);
    expect(asked[0]).toEqual({
      endpoint: '/{media}/insights',
      path: '/1000/insights',
      query: { metric: post.join(',') },
      accountId: '17841400000000001',
    });
    expect(nodes[0]).toEqual({
      ...mediaOf(1)[0],
      ...Object.fromEntries(post.map((metric) => [metric, 1])),
    });
    expect(nodes).toHaveLength(120);
  });

  test('requests metrics by product type and media type', async () => {
    const listed = [
      ...mediaOf(1, { id: '1' }),
      ...mediaOf(1, { id: '2', media_type: 'VIDEO' }),
      ...mediaOf(1, { id: '3', media_type: 'VIDEO', media_product_type: 'REELS' }),
    ];
    const { asked } = await follow(graphOf(listed)).poll();

    expect(asked.map(metricsIn).map((metrics) => metrics.length)).toEqual([11, 2, 11]);
    expect(asked.map(metricsIn)[1]).toEqual(['reach', 'saved']);
  });

  test('sends no insights request when the list is empty', async () => {
    const graph = graphOf([]);

    expect((await follow(graph).poll()).nodes).toEqual([]);
    expect(graph.requests).toHaveLength(1);
  });

  test('counts and remembers empty insights, and returns no node for them', async () => {
    const polled = await follow(graphOf(mediaOf(1), () => ({ data: [] }))).poll();
    const { nodes, empty } = polled;
    expect(polled.skipped).toEqual([{ reason: 'graph.no-insights', subject: '1000' }]);

    expect([nodes, empty]).toEqual([[], ['1000']]);
  });

  test('leaves a node without an id to the mapping', async () => {
    const listed = [{ media_product_type: 'FEED' }, ...mediaOf(1)];

    expect((await follow(graphOf(listed)).poll()).ids).toEqual([undefined, '1000']);
  });
});

describe('media due for insights', () => {
  const tiers = [
    { untilAgeMs: 2 * dayMs, everyMs: 0 },
    { untilAgeMs: Infinity, everyMs: 7 * dayMs },
  ];
  const freshness = { tiers, wholeListMs: 1, newestMs: 2 * dayMs };

  /** The ids that a second poll requests this many hours later. */
  async function secondPoll(hours: number, change: (node: Node) => Node = (node) => node) {
    let listed = mediaOf(100, { like_count: 5, comments_count: 1 });
    const graph = createFakeGraph((request) =>
      request.path.endsWith('/insights')
        ? { data: [{ name: 'reach', values: [{ value: 1 }] }] }
        : pageOf(listed),
    );
    const account = follow(graph);
    await account.poll({ freshness });
    listed = listed.map(change);
    const { asked } = await account.poll({ freshness, nowMs: startMs + hours * hourMs });
    return asked.map(idIn);
  }

  test('is requested at every poll while it is new', async () => {
    expect(await secondPoll(0.1)).toEqual(['1000', '1001']);
  });

  test('is requested once per period of its tier, at a time of its own', async () => {
    expect((await secondPoll(7 * 24)).length).toBe(100);
    const after = await secondPoll(24);
    expect(after.length).toBeGreaterThan(5);
    expect(after.length).toBeLessThan(30);
  });

  test.each(['like_count', 'comments_count', 'saved_count', 'total_views_count'])(
    'is requested when its listed %s changed, after an eighth of its age',
    async (count) => {
      const move = (node: Node): Node => ({ ...node, [count]: 6 });
      const still = await secondPoll(21);
      const moved = await secondPoll(21, move);
      const soon = await secondPoll(0.1, move);

      // Aged up to seven days by then.
      expect(moved.slice(0, 7)).toEqual(['1000', '1001', '1002', '1003', '1004', '1005', '1006']);
      expect(moved.slice(7)).toEqual(still.filter((id) => id > '1006'));
      expect(soon).toEqual(['1000', '1001']);
    },
  );

  test('is not requested again after a poll that read it and then failed', async () => {
    const away = new WaitError('graph.rate-limited', 'the limit', {
      scope: { kind: 'app', id: 'app' },
      retryAfterMs: 1,
    });
    let isAway = true;
    const account = follow(
      graphOf(mediaOf(120), (request) => (isAway && idIn(request) === '1060' ? away : undefined)),
    );
    await account.poll({ freshness });
    isAway = false;
    const { asked } = await account.poll({ freshness });

    expect(asked.map(idIn)).toEqual([...mediaOf(2), ...mediaOf(120).slice(50)].map(({ id }) => id));
  });
});

describe('rejected metric', () => {
  const rejecting =
    (ids: (id: string) => boolean, metric: string, scope: 'kind' | 'object') =>
    (request: GraphRequest) =>
      ids(idIn(request)) && metricsIn(request).includes(metric)
        ? new SkipError('graph.metric-refused', 'no', [metric], scope)
        : undefined;

  test('is dropped for this media only, and the other metrics are requested again and published', async () => {
    const graph = graphOf(
      mediaOf(12),
      rejecting((id) => id === '1003', 'views', 'object'),
    );
    const account = follow(graph);
    const { nodes, asked, skipped } = await account.poll();
    const later = await account.poll();

    expect(nodes).toHaveLength(12);
    expect(nodes.find(({ id }) => id === '1003')).not.toHaveProperty('views');
    expect(nodes.filter((node) => 'views' in node)).toHaveLength(11);
    expect(asked).toHaveLength(13);
    expect(skipped).toEqual([{ reason: 'graph.metric-refused', subject: '1003 views' }]);
    expect(later.asked).toHaveLength(12);
  });

  test.each(['shares', 'facebook_views'])(
    "is still requested of every media when only few have a value: %s, in Meta's wording for a media type",
    async (metric) => {
      const have = new Set(['1003', '1017', '1059', '1120', '1121', '1180', '1199']);
      const sparse = {
        ...streams.media_insights,
        request: { ...streams.media_insights.request, metrics: () => ['reach', metric] },
      } as typeof streams.media_insights;
      const graph = graphOf(
        mediaOf(200),
        rejecting((id) => !have.has(id), metric, 'kind'),
      );
      const { nodes } = await follow(graph, sparse).poll();

      expect(nodes).toHaveLength(200);
      expect(nodes.filter((node) => metric in node).map(({ id }) => id)).toEqual([...have]);
    },
  );

  test('applies to its media only in any other wording: all 7 values of 200 media are published', async () => {
    const have = new Set(['1003', '1017', '1059', '1120', '1121', '1180', '1199']);
    const graph = graphOf(
      mediaOf(200),
      rejecting((id) => !have.has(id), 'views', 'object'),
    );
    const { nodes } = await follow(graph).poll();

    expect(nodes.filter((node) => 'views' in node).map(({ id }) => id)).toEqual([...have]);
  });

  test("is dropped for the media type for a week after three rejections in a row in Meta's wording for a type", async () => {
    const graph = graphOf(
      mediaOf(120),
      rejecting(() => true, 'views', 'kind'),
    );
    const account = follow(graph);
    const first = await account.poll();
    const tomorrow = await account.poll({ nowMs: startMs + dayMs });
    const nextWeek = await account.poll({ nowMs: startMs + 8 * dayMs });

    // The first batch request is sent before the rejection is known.
    expect(first.asked).toHaveLength(120 + 50);
    expect(account.checkpoint.rejections.some(({ subject }) => subject === 'FEED/IMAGE')).toBe(
      true,
    );
    expect(tomorrow.asked).toHaveLength(120);
    expect(nextWeek.asked).toHaveLength(120 + 1);
  });

  test('is still requested of a media type that has answered it before', async () => {
    const graph = graphOf(
      mediaOf(60),
      rejecting((id) => id >= '1010', 'views', 'kind'),
    );
    const { nodes } = await follow(graph).poll();

    expect(nodes.filter((node) => 'views' in node)).toHaveLength(10);
  });

  test('is requested of the whole media type again after one media answers it', async () => {
    let isGone = true;
    const graph = graphOf(mediaOf(60), (request) =>
      isGone ? rejecting(() => true, 'views', 'kind')(request) : undefined,
    );
    const account = follow(graph);
    await account.poll();
    isGone = false;
    await account.poll({ nowMs: startMs + 8 * dayMs });
    const { nodes, asked } = await account.poll({ nowMs: startMs + 9 * dayMs });

    expect(nodes.filter((node) => 'views' in node)).toHaveLength(60);
    expect(asked).toHaveLength(60);
  });

  test('is dropped for all media when Meta says that the metric is unknown', async () => {
    const graph = graphOf(mediaOf(120), (request) =>
      metricsIn(request).includes('saved')
        ? new SkipError('graph.metric-unknown', 'no', ['saved'])
        : undefined,
    );
    const { nodes, asked } = await follow(graph).poll();

    expect(nodes).toHaveLength(120);
    expect(asked).toHaveLength(120 + 50);
  });

  test('is dropped one by one when Meta names one metric at a time', async () => {
    const gone = new Set(['views', 'likes', 'shares']);
    const graph = graphOf(mediaOf(1), (request) => {
      const named = metricsIn(request).filter((metric) => gone.has(metric));
      return named.length === 0
        ? undefined
        : new SkipError('graph.metric-refused', 'no', named.slice(0, 1));
    });
    const { nodes, asked } = await follow(graph).poll();

    expect(asked).toHaveLength(4);
    expect(Object.keys(nodes[0] ?? {})).not.toEqual(expect.arrayContaining([...gone]));
  });

  test('leaves a media without insights when all other metrics are rejected too', async () => {
    const all = new SkipError('graph.metric-refused', 'no', post);
    const { nodes, empty, error } = await follow(graphOf(mediaOf(1), () => all)).poll();

    expect([nodes, empty, error]).toEqual([[], ['1000'], undefined]);
  });
});

describe('rejected media', () => {
  const aliases = new SkipError('graph.ambiguous', '(#803) Some of the aliases do not exist');

  test('is excluded and reported by id, and the other eleven are published', async () => {
    const graph = graphOf(mediaOf(12), (request) =>
      idIn(request) === '1003' ? aliases : undefined,
    );
    const account = follow(graph);
    const { ids, skipped } = await account.poll();
    const soon = await account.poll({ nowMs: startMs + hourMs });

    expect(ids).toHaveLength(11);
    expect(skipped).toEqual([{ reason: 'graph.ambiguous', subject: '1003' }]);
    // A quarter of its age of three days.
    expect(account.checkpoint.rejections).toEqual([
      { subject: '1003', metric: null, reason: 'graph.ambiguous', untilMs: startMs + 18 * hourMs },
    ]);
    expect(soon.asked.map(idIn)).not.toContain('1003');
    const later = await account.poll({ nowMs: startMs + 18 * hourMs });
    expect(later.asked.map(idIn)).toContain('1003');
  });

  test.each<[string, Error, ErrorCode]>([
    [
      'an error without a row in the table',
      new FailError('graph.refused', 'code 12'),
      'graph.refused',
    ],
    ['a permission', new FailError('graph.permission', '(#10) no'), 'graph.permission'],
    ['a server that fails', new RetryError('graph.server', 'HTTP 500'), 'graph.server'],
  ])('by %s is excluded while others are answered', async (_what, error, code) => {
    const graph = graphOf(mediaOf(12), (request) => (idIn(request) === '1003' ? error : undefined));
    const { ids, skipped, error: failure } = await follow(graph).poll();

    expect([ids.length, failure]).toEqual([11, undefined]);
    expect(skipped).toEqual([{ reason: code, subject: '1003' }]);
  });

  test('fails the poll, and no rejection is recorded, when all others are rejected too', async () => {
    const hidden = new SkipError('graph.ambiguous', '100/33');
    const graph = graphOf(mediaOf(60), () => hidden);
    const account = follow(graph);
    const { error, nodes } = await account.poll();

    expect(error).toMatchObject({ disposition: 'fail', cause: hidden });
    expect(nodes).toEqual([]);
    expect(account.checkpoint.rejections).toEqual([]);
    // A batch request, and the control sample of three.
    expect(graph.batches).toEqual([50, 3]);
  });

  test('is compared with a control sample when it is the only one due', async () => {
    const published = new Map(mediaOf(9).map(({ id }) => [keyNumber(textOf(id)), 1n] as const));
    published.delete('1000');
    const tiers = [{ untilAgeMs: Infinity, everyMs: 7 * dayMs }];
    const checkpoint = { ...emptyCheckpoint, published, polledMs: startMs };
    const context = { checkpoint, freshness: { tiers, wholeListMs: 1, newestMs: dayMs } };
    const one = graphOf(mediaOf(9), (request) => (idIn(request) === '1000' ? aliases : undefined));
    const all = graphOf(mediaOf(9), () => aliases);

    const own = await follow(one).poll(context);
    expect([own.error, own.skipped]).toEqual([
      undefined,
      [{ reason: 'graph.ambiguous', subject: '1000' }],
    ]);
    expect((await follow(all).poll(context)).error).toMatchObject({ cause: aliases });
  });

  test('published before the account became professional excludes all older media', async () => {
    const old = new SkipError('graph.media-before-conversion', 'before the conversion');
    const graph = graphOf(mediaOf(120), (request) => (idIn(request) >= '1020' ? old : undefined));
    const account = follow(graph);
    const { ids, asked, skipped } = await account.poll();

    expect(ids).toHaveLength(20);
    expect(asked).toHaveLength(50);
    // All 100 are counted by reason, the ones that are no longer requested included.
    expect(skipped).toHaveLength(100);
    expect(new Set(skipped.map(({ subject }) => subject)).size).toBe(100);
    expect(account.checkpoint.convertedMs).toBe(startMs - 20 * dayMs);
    const next = await account.poll({ nowMs: startMs + dayMs });
    expect([next.asked.length, next.skipped]).toEqual([20, []]);
  });
});
