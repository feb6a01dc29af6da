import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../../src/core/errors.ts';
import type { Json, Node } from '../../../../src/core/json.ts';
import type { GraphRequest } from '../../../../src/runtime/ports.ts';
import { streams } from '../../../../src/streams/index.ts';
import type { Answer } from '../../../support/fake-graph.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { extractAll } from './extracting.ts';

const mediaOf = (count: number, product = 'FEED'): readonly Node[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${product === 'FEED' ? 1 : 2}${String(index).padStart(3, '0')}`,
    media_product_type: product,
  }));

const reach = (value: Json): Node => ({
  insights: { data: [{ name: 'reach', period: 'lifetime', values: [{ value }] }] },
});

const idsIn = ({ query }: GraphRequest) => (query['ids'] ?? '').split(',');

/** Lists the media, then answers `?ids=` by a rule, with a reach of 5 when it gives none. */
function graphOf(
  listed: readonly Node[],
  rule: (request: GraphRequest) => Answer | undefined = () => undefined,
) {
  return createFakeGraph((request) => {
    if (request.path !== '/') return pageOf(listed);
    return (
      rule(request) ?? Object.fromEntries(idsIn(request).map((id) => [id, { ...reach(5), id }]))
    );
  });
}

const idRequests = (graph: ReturnType<typeof graphOf>) =>
  graph.requests.filter(({ path }) => path === '/');

describe('insights', () => {
  test('are asked by ids with one expanded field, and lie beside the listed fields', async () => {
    const graph = graphOf([{ id: '1', media_type: 'IMAGE', media_product_type: 'FEED' }]);
    const { nodes } = await extractAll(streams.media_insights, graph);

    expect(nodes).toEqual([{ id: '1', media_type: 'IMAGE', media_product_type: 'FEED', reach: 5 }]);
    expect(idRequests(graph)).toEqual([
      {
        endpoint: '/?ids',
        path: '/',
        query: {
          ids: '1',
          fields:
            'insights.metric(views,reach,saved,likes,comments,shares,total_interactions,reposts,follows,profile_visits,profile_activity)',
        },
        accountId: '17841400000000001',
      },
    ]);
  });

  test('are asked for at most 50 media at a time, each set of metrics by itself', async () => {
    const graph = graphOf([...mediaOf(120), ...mediaOf(3, 'REELS')]);
    const { nodes, pages } = await extractAll(streams.media_insights, graph);

    expect(idRequests(graph).map((request) => idsIn(request).length)).toEqual([50, 50, 20, 3]);
    expect(pages.map((page) => page.nodes.length)).toEqual([50, 50, 20, 3, 0]);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(123);
  });

  test('are not asked at all when nothing is listed', async () => {
    const graph = graphOf([]);

    expect((await extractAll(streams.media_insights, graph)).nodes).toEqual([]);
    expect(graph.requests).toHaveLength(1);
  });

  test('of a media that come empty are no node', async () => {
    const graph = graphOf(mediaOf(2), () => ({
      '1000': { id: '1000' },
      '1001': { id: '1001', insights: { data: [] } },
    }));

    expect((await extractAll(streams.media_insights, graph)).nodes).toEqual([]);
  });

  test('of a story are two requests, because the breakdown goes alone', async () => {
    const graph = graphOf([{ id: '1' }], ({ query }) =>
      query['fields']?.includes('breakdown') === true
        ? {
            '1': {
              insights: {
                data: [
                  {
                    name: 'navigation',
                    values: [{ value: 25 }],
                    total_value: {
                      breakdowns: [{ results: [{ dimension_values: ['tap_forward'], value: 25 }] }],
                    },
                  },
                ],
              },
            },
          }
        : undefined,
    );
    const { nodes } = await extractAll(streams.story_insights, graph);

    expect(nodes).toEqual([
      { id: '1', reach: 5, navigation: 25, navigation_actions: { tap_forward: 25 } },
    ]);
    expect(idRequests(graph).map(({ query }) => query['fields'])).toEqual([
      'insights.metric(reach,replies,follows,profile_visits,shares,total_interactions,views,profile_activity,link_clicks)',
      'insights.metric(navigation).breakdown(story_navigation_action_type)',
    ]);
  });

  test('leave a node without an id for the mapping to refuse', async () => {
    const { nodes } = await extractAll(
      streams.media_insights,
      graphOf([{ media_product_type: 'FEED' }, { id: '1', media_product_type: 'FEED' }]),
    );

    expect(nodes.map(({ id }) => id)).toEqual([undefined, '1']);
  });

  test('that lack a media that was asked are a bad body', async () => {
    const graph = graphOf(mediaOf(2), () => ({ '1000': reach(5) }));

    expect((await extractAll(streams.media_insights, graph)).error).toMatchObject({
      name: 'DeadLetterError',
      code: 'graph.bad-body',
      path: '1001',
    });
  });
});

describe('an all-or-nothing refusal', () => {
  const old = new SkipError('graph.media-before-conversion', 'posted before conversion');

  test('is narrowed down to the media at fault; the others are not lost', async () => {
    const graph = graphOf(mediaOf(50), (request) =>
      idsIn(request).includes('1017') ? old : undefined,
    );
    const { nodes, pages } = await extractAll(streams.media_insights, graph);

    expect(nodes).toHaveLength(49);
    expect(nodes.map(({ id }) => id)).not.toContain('1017');
    expect(pages.flatMap(({ skipped }) => skipped)).toEqual([
      { reason: 'graph.media-before-conversion', subject: '1017' },
    ]);
    // 2·log2(50) + 2, as documented.
    expect(idRequests(graph).length).toBeLessThanOrEqual(13);
  });

  test('finds several media at fault', async () => {
    const bad = ['1000', '1025', '1049'];
    const graph = graphOf(mediaOf(50), (request) =>
      idsIn(request).some((id) => bad.includes(id)) ? old : undefined,
    );
    const { nodes, pages } = await extractAll(streams.media_insights, graph);

    expect(nodes).toHaveLength(47);
    expect(pages.flatMap(({ skipped }) => skipped).map(({ subject }) => subject)).toEqual(bad);
  });

  test('drops a metric that left the list of metrics with one more request', async () => {
    const graph = graphOf([...mediaOf(60), ...mediaOf(3, 'REELS')], ({ query }) =>
      query['fields']?.includes('saved') === true
        ? new SkipError('graph.metric-unknown', 'no', ['saved'])
        : undefined,
    );
    const { nodes, pages } = await extractAll(streams.media_insights, graph);

    expect(nodes).toHaveLength(63);
    expect(idRequests(graph)).toHaveLength(3 + 1);
    expect(pages.flatMap(({ skipped }) => skipped)).toEqual([
      { reason: 'graph.metric-unknown', subject: '* saved' },
    ]);
  });

  test('of a story under five viewers is skipped and its navigation not asked', async () => {
    const few = new SkipError('graph.not-enough-viewers', 'Not enough viewers');
    const graph = graphOf([{ id: '1' }, { id: '2' }], (request) =>
      idsIn(request).includes('2') ? few : undefined,
    );
    const { nodes, pages } = await extractAll(streams.story_insights, graph);

    expect(nodes).toEqual([{ id: '1', reach: 5 }]);
    expect(pages.flatMap(({ skipped }) => skipped)).toEqual([
      { reason: 'graph.not-enough-viewers', subject: '2' },
    ]);
    expect(idRequests(graph).at(-1)?.query['ids']).toBe('1');
  });

  test('of every metric of one group leaves the other group’s values', async () => {
    const graph = graphOf([{ id: '1' }], ({ query }) =>
      query['fields']?.includes('navigation') === true
        ? new SkipError('graph.metric-refused', 'no', ['navigation'])
        : undefined,
    );
    const { nodes, pages } = await extractAll(streams.story_insights, graph);

    expect(nodes).toEqual([{ id: '1', reach: 5 }]);
    expect(pages.flatMap(({ skipped }) => skipped)).toEqual([
      { reason: 'graph.metric-refused', subject: '1 navigation' },
    ]);
  });

  test('is none when the trouble passes: the poll fails and is tried again', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = graphOf(mediaOf(50), () => away);

    expect((await extractAll(streams.media_insights, graph)).error).toBe(away);
    expect(idRequests(graph)).toHaveLength(1);
  });
});
