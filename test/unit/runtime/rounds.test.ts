import { describe, expect, test } from '@jest/globals';
import {
  DeadLetterError,
  RetryError,
  SkipError,
  StopAccountError,
  StopStreamError,
  WaitError,
} from '../../../src/core/errors.ts';
import type { Node } from '../../../src/core/json.ts';
import type { StreamName } from '../../../src/core/stream-name.ts';
import type { Job } from '../../../src/runtime/poller.ts';
import { groupByList, pollRound } from '../../../src/runtime/rounds.ts';
import { streams } from '../../../src/streams/index.ts';
import type { Answer } from '../../support/fake-graph.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { calm, createWorld, hourMs, jobOf, startMs } from './world.ts';

const jobsOf = (...names: readonly StreamName[]): readonly Job[] =>
  names.map((name) => jobOf(streams[name]));

const media: readonly Node[] = [
  { id: '1', media_type: 'IMAGE', media_product_type: 'FEED' },
  { id: '2', media_type: 'VIDEO', media_product_type: 'REELS' },
];
const insights = { data: [{ name: 'reach', values: [{ value: 5 }] }] };

/** Lists, and a reach of 5 for every id; the rule may answer otherwise. */
function graphOf(rule: (path: string, fields: string) => Answer | undefined = () => undefined) {
  return createFakeGraph(({ path, query }) => {
    const fields = query['fields'] ?? '';
    const ids = query['ids']?.split(',') ?? [];
    const nested = fields.includes('insights.metric');
    const listed = media.map((node) => (nested ? { ...node, insights } : node));
    return (
      rule(path, fields) ??
      (path === '/' ? Object.fromEntries(ids.map((id) => [id, { id, insights }])) : pageOf(listed))
    );
  });
}

const at = { nextPollMs: () => null, signal: calm };

describe('groupByList', () => {
  test('puts streams of one list together, the one that asks most first', () => {
    const named = groupByList(
      (
        [
          'story_insights',
          'media_insights',
          'users',
          'comments',
          'media',
          'stories',
          'tags',
        ] as const
      ).map((name) => ({
        stream: streams[name],
      })),
    ).map((group) => group.map(({ stream }) => stream.name));

    expect(named).toEqual([
      ['stories', 'story_insights'],
      ['media', 'media_insights', 'comments'],
      ['users'],
      ['tags'],
    ]);
  });
});

describe('a round', () => {
  test.each([
    ['media', 'comments'],
    ['media_insights', 'comments'],
  ] as const)('walks the list of media once for %s and %s', async (...names) => {
    const counted = media.map((node) => ({ ...node, comments_count: 3 }));
    const graph = graphOf((path) => (path === '/' ? undefined : pageOf(counted)));
    const world = createWorld({ graph });
    await pollRound(jobsOf(...names), world, at);
    const comments = world.graph.queries.filter(({ fields }) => fields?.startsWith('comments'));

    expect(world.graph.requests.filter(({ path }) => path.endsWith('/media'))).toHaveLength(1);
    expect(comments.map(({ ids }) => ids)).toEqual(['1,2']);
  });

  test('walks the list of media once for media and their insights', async () => {
    const world = createWorld({ graph: graphOf() });
    const verdicts = await pollRound(jobsOf('media', 'media_insights'), world, at);

    expect(verdicts).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(world.graph.requests.map(({ path }) => path)).toEqual([
      '/17841400000000001/media',
      '/',
      '/',
    ]);
  });

  test('lets the others walk the list themselves when the first fails, without waiting for its tries', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = graphOf((path, fields) =>
      path.endsWith('/media') && fields.includes('caption') ? away : undefined,
    );
    const world = createWorld({ graph });
    const jobs = jobsOf('media', 'media_insights');
    const round = pollRound(jobs, world, at);
    await world.clock.advance(hourMs);

    const [first, second] = await round;
    expect(first?.kind).toBe('failed');
    expect(second).toEqual({ kind: 'done' });
    expect(jobs[1]?.state.polledMs).toBe(startMs);
  });

  test('brings the insights of stories along with their list; navigation comes by itself', async () => {
    const world = createWorld({ graph: graphOf() });
    await pollRound(jobsOf('stories', 'story_insights'), world, at);

    expect(world.graph.requests.map(({ path, query }) => query['ids'] ?? path)).toEqual([
      '/17841400000000001/stories',
      '1,2',
    ]);
    expect(world.graph.queries[1]?.['fields']).toContain('navigation');
    const reach = world.publisher.batches.flatMap(({ records }) =>
      records.filter(({ role }) => role === 'story_insights').map(({ key }) => key),
    );
    expect(reach).toEqual(['1', '2']);
    expect(world.telemetry.ofType('poll-finished').map((event) => event.unknownFields)).toEqual([
      [],
      [],
    ]);
  });

  test('asks the list of stories alone when one story refuses its insights, and while it does', async () => {
    const few = new SkipError('graph.not-enough-viewers', 'Not enough viewers');
    const graph = createFakeGraph(({ path, query }) => {
      const nested = query['fields']?.includes('insights.metric') === true;
      if (path !== '/') return nested ? few : pageOf(media);
      const ids = query['ids']?.split(',') ?? [];
      return ids.includes('2') ? few : Object.fromEntries(ids.map((id) => [id, { id, insights }]));
    });
    const world = createWorld({ graph });
    const jobs = jobsOf('stories', 'story_insights');
    await pollRound(jobs, world, at);
    const before = graph.requests.length;
    await world.clock.advance(hourMs / 4);
    await pollRound(jobs, world, at);

    expect(graph.requests.slice(before).map(({ path, query }) => query['ids'] ?? path)).toEqual([
      '/17841400000000001/stories',
      '1',
      '1',
    ]);
  });

  const insightsFail = (error: Error) =>
    createFakeGraph(({ query }) =>
      query['fields']?.includes('insights.metric') === true ? error : pageOf(media),
    );

  test.each([
    ['the server fails', new RetryError('graph.server', 'HTTP 500')],
    ['there is too much data', new RetryError('graph.too-much-data', 'reduce the amount of data')],
    ['they take too long', new RetryError('graph.timeout', 'no answer')],
    ['they may not be read', new StopStreamError('graph.permission', '(#10) no permission')],
    ['the request is refused', new StopStreamError('graph.refused', '(#100) no')],
    ['the account is hidden', new SkipError('graph.ambiguous', 'gone', ['17841400000000001'])],
    [
      'the answer cannot be used',
      new DeadLetterError('graph.bad-body', 'no JSON', { path: '', raw: '<html>' }),
    ],
  ])('has the stories without their insights when %s', async (_what, error) => {
    const world = createWorld({ graph: insightsFail(error) });
    const poll = pollRound(jobsOf('stories', 'story_insights'), world, at);
    await world.clock.advance(hourMs);
    const [verdict] = await poll;

    expect(verdict).toEqual({ kind: 'done' });
    expect(world.publisher.batches[0]?.records.map(({ role, key }) => `${role} ${key}`)).toEqual([
      'stories 1',
      'stories 2',
    ]);
    expect(world.graph.requests.slice(0, 2).map(({ path }) => path)).toEqual(
      Array(2).fill('/17841400000000001/stories'),
    );
  });

  test.each([
    [
      'a limit',
      new WaitError('graph.rate-limited', 'limit', {
        scope: { kind: 'account', id: '17841400000000001' },
        retryAfterMs: 60_000,
      }),
    ],
    ['the token', new StopAccountError('graph.token', 'expired')],
  ])('does not ask for stories again when the error is about %s', async (_what, error) => {
    const world = createWorld({ graph: insightsFail(error) });
    const ended = new AbortController();
    const poll = pollRound(jobsOf('stories', 'story_insights'), world, {
      ...at,
      signal: ended.signal,
    }).catch(() => undefined);
    await world.clock.advance(1);
    // The other stream reads the list for itself then, with fewer fields.
    const stories = world.graph.queries.filter(({ fields }) => fields?.includes('permalink'));
    ended.abort(new Error('over'));
    await poll;

    expect(stories.map(({ fields }) => fields?.includes('insights'))).toEqual([true]);
  });
});
