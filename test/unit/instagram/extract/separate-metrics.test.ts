import { describe, expect, test } from '@jest/globals';
import {
  type ClassifiedError,
  FailError,
  RetryError,
  SkipError,
  StopStreamError,
  WaitError,
} from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { createListCaches } from '../../../../src/instagram/extract/extraction.ts';
import { withExtra } from '../../../../src/instagram/extract/requested.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { account as someAccount } from '../../../support/accounts.ts';
import type { Answer } from '../../../support/fake-graph.ts';
import { dayMs, hourMs, startMs } from '../../engine/world.ts';
import { follow, graphOf, idIn, mediaOf, timeOf } from './following.ts';

const views = ['crossposted_views', 'facebook_views'];
const totals = ['total_views', 'total_likes', 'total_comments'];
const reels = mediaOf(2, { media_type: 'VIDEO', media_product_type: 'REELS' });

type Rule = (request: GraphRequest) => Answer | undefined;

const media = (extra: readonly string[], rule?: Rule, listed: readonly Node[] = reels) =>
  follow(graphOf(listed, rule), withExtra(streams.media_insights, extra));

/** A rule for the requests of one metric alone, of the first media unless `everywhere`. */
const aloneIs =
  (metric: string, answer: Answer, everywhere = false): Rule =>
  (request) =>
    request.query['metric'] === metric && (everywhere || idIn(request) === '1000')
      ? answer
      : undefined;

const extrasOf = (asked: readonly GraphRequest[], names: readonly string[]) =>
  asked
    .filter(({ query }) => names.includes(query['metric'] ?? ''))
    .map((request) => `${idIn(request)} ${request.query['metric']}`);

describe('extra metrics of media insights', () => {
  test('are not requested unless the stream is told to', async () => {
    const { asked, nodes } = await follow(graphOf(reels)).poll();

    expect(asked).toHaveLength(reels.length);
    expect(Object.keys(nodes[0] ?? {})).not.toContain('facebook_views');
  });

  test('are requested alone, and become fields of the media', async () => {
    const { asked, nodes } = await media([...views, ...totals]).poll();

    for (const name of [...views, ...totals]) {
      expect(extrasOf(asked, [name])).toEqual([`1000 ${name}`, `1001 ${name}`]);
    }
    expect(asked).toHaveLength(2 + 2 * 5);
    expect(nodes).toMatchObject([
      { id: '1000', reach: 1, crossposted_views: 1, total_comments: 1 },
      { id: '1001', reach: 1, crossposted_views: 1, total_comments: 1 },
    ]);
  });

  test('include crossposted_views for reels only', async () => {
    const { asked, nodes } = await media(views, undefined, mediaOf(1)).poll();

    expect(extrasOf(asked, views)).toEqual(['1000 facebook_views']);
    expect(nodes[0]).not.toHaveProperty('crossposted_views');
  });

  test('include no total with Instagram Login', async () => {
    const { asked } = await media([...views, ...totals]).poll({ login: 'instagram' });

    expect(extrasOf(asked, totals)).toEqual([]);
    expect(extrasOf(asked, views)).toHaveLength(4);
  });

  test.each<readonly [string, ClassifiedError]>([
    ['-1/2207086', new SkipError('graph.metric-refused', 'Fatal', ['total_views'])],
    ['#100 without a name', new FailError('graph.refused', '(#100)')],
    ['#200', new StopStreamError('graph.permission', '(#200)')],
  ])(
    'are null where a media rejects one by %s, and the rejection is remembered for a week',
    async (_code, error) => {
      const account = media(totals, aloneIs('total_views', error));
      const { error: failure, nodes, skipped } = await account.poll();
      const again = await account.poll({ nowMs: startMs + 6 * dayMs });
      const later = await account.poll({ nowMs: startMs + 8 * dayMs });

      expect(failure).toBeUndefined();
      expect(nodes).toMatchObject([
        { id: '1000', reach: 1, total_likes: 1 },
        { id: '1001', total_views: 1 },
      ]);
      expect(nodes[0]).not.toHaveProperty('total_views');
      expect(skipped).toEqual([{ reason: error.code, subject: '1000 total_views' }]);
      expect(extrasOf(again.asked, ['total_views'])).toEqual(['1001 total_views']);
      expect(extrasOf(later.asked, ['total_views'])).toEqual([
        '1000 total_views',
        '1001 total_views',
      ]);
    },
  );

  test('are null, and left out for every media, once the API lacks one', async () => {
    const gone = new SkipError('graph.metric-unknown', 'no', ['total_views']);
    let answer: Answer | undefined = undefined as Answer | undefined;
    const account = media(['total_views'], (request) =>
      answer === undefined ? undefined : aloneIs('total_views', answer, true)(request),
    );
    await account.poll();
    answer = gone;
    await account.poll({ nowMs: startMs + hourMs });
    const { asked, nodes } = await account.poll({ nowMs: startMs + dayMs });

    expect(asked).toHaveLength(reels.length);
    expect(nodes.map((node) => node['total_views'])).toEqual([undefined, undefined]);
    expect(account.checkpoint.rejections).toMatchObject([{ subject: '*', metric: 'total_views' }]);
  });

  test('are not requested of a media that has no metrics yet', async () => {
    const rule: Rule = ({ query }) =>
      query['metric']?.includes('reach') === true ? { data: [] } : undefined;
    const { asked, nodes, empty } = await media(views, rule).poll();

    expect([extrasOf(asked, views), nodes, empty]).toEqual([[], [], ['1000', '1001']]);
  });

  test('repeat their last value while the server fails, and reject nothing', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    let answer: Answer = { data: [{ name: 'facebook_views', values: [{ value: 7 }] }] };
    const account = media(['facebook_views'], (request) =>
      aloneIs('facebook_views', answer, true)(request),
    );
    await account.poll();
    answer = away;
    const { nodes, skipped, error } = await account.poll({ nowMs: startMs + hourMs });

    expect(error).toBeUndefined();
    expect(nodes).toMatchObject([{ facebook_views: 7 }, { facebook_views: 7 }]);
    expect(skipped.map(({ reason }) => reason)).toContain('graph.server');
    expect(account.checkpoint.rejections).toEqual([]);
  });

  test('are null, and the media is published, when the server fails from the first poll on', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const { nodes, error } = await media(['total_views'], aloneIs('total_views', away)).poll();

    expect(error).toBeUndefined();
    expect(nodes).toMatchObject([{ reach: 1 }, { reach: 1, total_views: 1 }]);
    expect(nodes[0]).not.toHaveProperty('total_views');
  });

  test('are null, and every media is published, when the server fails for all of them', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const many = mediaOf(60, { media_type: 'VIDEO', media_product_type: 'REELS' });
    const isExtra: Rule = ({ query }) => (views.includes(query['metric'] ?? '') ? away : undefined);
    const { nodes, error, skipped } = await media(views, isExtra, many).poll();

    expect(error).toBeUndefined();
    expect(nodes).toHaveLength(60);
    expect(skipped).toContainEqual({ reason: 'graph.server', subject: views.join(',') });
  });

  test('fail the poll when a limit is reached', async () => {
    const scope = { kind: 'account', id: '1' } as const;
    const full = new WaitError('graph.rate-limited', 'no', { scope, retryAfterMs: 1 });
    const { error } = await media(['total_views'], aloneIs('total_views', full)).poll();

    expect(error).toBe(full);
  });

  test('are null where the answer is empty', async () => {
    const { nodes } = await media(['total_views'], aloneIs('total_views', { data: [] })).poll();

    expect(nodes[0]).not.toHaveProperty('total_views');
  });

  test('are forgotten with the media, once it is no longer listed', async () => {
    const listed = [...reels];
    const caches = createListCaches(100);
    const account = media(['facebook_views'], undefined, listed);
    const sizeAfter = async (nowMs: number) => {
      await account.poll({ caches, nowMs });
      return caches.of(someAccount.id, 'media').separate.size;
    };

    expect(await sizeAfter(startMs)).toBe(2);
    listed.pop();
    expect(await sizeAfter(startMs + hourMs)).toBe(1);
  });
});

describe('actions on the profile', () => {
  /** The parts of `profile_activity`, whose total the test moves. */
  function activity(stream: 'media_insights' | 'story_insights', listed: readonly Node[]) {
    let total = 4;
    const graph = graphOf(listed, ({ query, path }) => {
      if (!path.endsWith('/insights')) return undefined;
      const value = { name: 'profile_activity', values: [{ value: total }] };
      const results = [{ dimension_values: ['email'], value: total }];
      const parts = { total_value: { value: total, breakdowns: [{ results }] } };
      if (query['breakdown'] === 'action_type') return { data: [{ ...value, ...parts }] };
      return {
        data: 'breakdown' in query ? [] : [value, { name: 'reach', values: [{ value: 9 }] }],
      };
    });
    const account = follow(graph, withExtra(streams[stream], ['profile_activity_actions']));
    return {
      poll: async (nowMs: number) => {
        const { nodes, asked } = await account.poll({ nowMs, nextPollMs: nowMs + hourMs });
        const breakdowns = asked.filter(({ query }) => query['breakdown'] === 'action_type');
        return { node: nodes[0], breakdowns };
      },
      move: (to: number) => {
        total = to;
      },
    };
  }

  test.each([
    ['media_insights', mediaOf(1)],
    ['story_insights', [{ id: '1', timestamp: timeOf(startMs - hourMs) }]],
  ] as const)('of %s are requested when their number has changed', async (stream, listed) => {
    const { poll, move } = activity(stream, listed);
    const first = await poll(startMs);
    const same = await poll(startMs + 2 * hourMs);
    move(5);
    const moved = await poll(startMs + 4 * hourMs);

    expect(first.breakdowns.map(({ query }) => query)).toEqual([
      { metric: 'profile_activity', breakdown: 'action_type' },
    ]);
    expect([same, moved].map(({ breakdowns }) => breakdowns.length)).toEqual([0, 1]);
    expect([first, same, moved].map(({ node }) => node?.['profile_activity_actions'])).toEqual([
      { email: 4 },
      { email: 4 },
      { email: 5 },
    ]);
  });

  test('are null, and cost nothing, while there are none', async () => {
    const { poll, move } = activity('media_insights', mediaOf(1));
    move(0);
    const none = await poll(startMs);
    move(3);
    await poll(startMs + 2 * hourMs);
    move(0);
    const gone = await poll(startMs + 4 * hourMs);

    for (const { node, breakdowns } of [none, gone]) {
      expect(breakdowns).toEqual([]);
      expect(node).toMatchObject({ profile_activity: 0 });
      expect(node).not.toHaveProperty('profile_activity_actions');
    }
  });

  test('are not requested of reels, which have no such metric', async () => {
    const { asked } = await media(['profile_activity_actions']).poll();

    expect(asked).toHaveLength(reels.length);
  });
});
