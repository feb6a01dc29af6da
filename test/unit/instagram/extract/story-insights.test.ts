import { describe, expect, test } from '@jest/globals';
import { SkipError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { hourMs, startMs } from '../../engine/world.ts';
import { follow, graphOf, idIn, timeOf } from './following.ts';

describe('story insights extraction', () => {
  const parts = (value: number): Node => ({
    data: [
      {
        name: 'navigation',
        values: [{ value }],
        total_value: {
          breakdowns: [{ results: [{ dimension_values: ['tap_forward'], value }] }],
        },
      },
    ],
  });

  /** A story posted an hour ago, with a value of navigation that the test moves. */
  function story(postedMs = startMs - hourMs) {
    let navigation = 25;
    const graph = createFakeGraph(({ path, query }) => {
      if (!path.endsWith('/insights')) return pageOf([{ id: '1', timestamp: timeOf(postedMs) }]);
      if ('breakdown' in query) return parts(navigation);
      return { data: [{ name: 'navigation', values: [{ value: navigation }] }] };
    });
    const account = follow(graph, streams.story_insights);
    return {
      poll: async (nowMs: number, nextPollMs: number | null = nowMs + hourMs / 4) => {
        const { nodes, asked } = await account.poll({ nowMs, nextPollMs });
        return { node: nodes[0], breakdowns: asked.filter(({ query }) => 'breakdown' in query) };
      },
      move: (to: number) => {
        navigation = to;
      },
    };
  }

  test('requests navigation by action at the first poll', async () => {
    const { node, breakdowns } = await story().poll(startMs);

    expect(breakdowns.map(({ query }) => query)).toEqual([
      { metric: 'navigation', breakdown: 'story_navigation_action_type' },
    ]);
    expect(node).toMatchObject({ navigation: 25, navigation_actions: { tap_forward: 25 } });
  });

  test('requests navigation by action again when navigation changed, at most once an hour', async () => {
    const { poll, move } = story();
    await poll(startMs);
    const still = await poll(startMs + 2 * hourMs);
    move(30);
    const moved = await poll(startMs + 3 * hourMs);
    move(35);
    const soon = await poll(startMs + 3.25 * hourMs);

    expect([still, moved, soon].map(({ breakdowns }) => breakdowns.length)).toEqual([0, 1, 0]);
    expect(still.node).toMatchObject({ navigation: 25, navigation_actions: { tap_forward: 25 } });
    expect(soon.node).toMatchObject({ navigation: 35, navigation_actions: { tap_forward: 30 } });
  });

  test('requests navigation by action again at the last poll before the story expires', async () => {
    const { poll, move } = story(startMs - 23.5 * hourMs);
    await poll(startMs, startMs + 0.25 * hourMs);
    move(30);
    const before = await poll(startMs + 0.1 * hourMs, startMs + 0.2 * hourMs);
    const last = await poll(startMs + 0.25 * hourMs, startMs + 0.5 * hourMs);

    expect([before, last].map(({ breakdowns }) => breakdowns.length)).toEqual([0, 1]);
    expect(last.node).toMatchObject({ navigation_actions: { tap_forward: 30 } });
  });

  test('publishes a story without actions when the actions are rejected', async () => {
    const no = new SkipError('graph.metric-refused', 'no', ['navigation']);
    const graph = graphOf([{ id: '1' }], ({ query }) => ('breakdown' in query ? no : undefined));
    const account = follow(graph, streams.story_insights);
    const { nodes, error } = await account.poll();
    const { asked } = await account.poll({ nowMs: startMs + hourMs });

    expect(error).toBeUndefined();
    expect(nodes[0]).toMatchObject({ navigation: 1 });
    expect(nodes[0]).not.toHaveProperty('navigation_actions');
    expect(asked.filter(({ query }) => 'breakdown' in query)).toEqual([]);
  });

  test('counts a story with fewer than five viewers as skipped, and requests it again at the next poll', async () => {
    const few = new SkipError('graph.not-enough-viewers', 'Not enough viewers');
    const listed = [{ id: '1' }, { id: '2' }];
    const graph = graphOf(listed, (request) => (idIn(request) === '2' ? few : undefined));
    const account = follow(graph, streams.story_insights);
    const { ids, skipped } = await account.poll();
    const { asked } = await account.poll({ nowMs: startMs + hourMs / 4 });

    expect(ids).toEqual(['1']);
    expect(skipped).toEqual([{ reason: 'graph.not-enough-viewers', subject: '2' }]);
    expect(asked.map(idIn)).toContain('2');
  });

  test('fails the poll, and excludes no story, when all stories are rejected', async () => {
    const hidden = new SkipError('graph.ambiguous', '100/33');
    const account = follow(
      graphOf([{ id: '1' }, { id: '2' }], () => hidden),
      streams.story_insights,
    );

    expect((await account.poll()).error).toMatchObject({ disposition: 'fail', cause: hidden });
    expect(account.checkpoint.rejections).toEqual([]);
  });
});
