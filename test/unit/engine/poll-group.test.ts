import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError, StopAccountError } from '../../../src/engine/errors.ts';
import type { Node } from '../../../src/engine/json.ts';
import type { Job } from '../../../src/engine/poller.ts';
import { groupByList, pollGroup } from '../../../src/engine/poll-group.ts';
import { type InstagramStreamName, streams } from '../../../src/instagram/streams/index.ts';
import { type Answer, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { calm, createWorld, hourMs, jobOf, posts, startMs } from './world.ts';

const jobsOf = (...names: readonly InstagramStreamName[]): readonly Job[] =>
  names.map((name) => jobOf(streams[name]));

const media: readonly Node[] = [
  { id: '1', media_type: 'IMAGE', media_product_type: 'FEED' },
  { id: '2', media_type: 'VIDEO', media_product_type: 'REELS' },
];
const insights = { data: [{ name: 'reach', values: [{ value: 5 }] }] };

/** A graph of lists and a reach of 5 for every media, unless the rule answers. */
function graphOf(rule: (path: string, fields: string) => Answer | undefined = () => undefined) {
  return createFakeGraph(
    ({ path, query }) =>
      rule(path, query['fields'] ?? '') ??
      (path.endsWith('/insights') ? insights : pageOf(path.endsWith('/media') ? media : [])),
  );
}

const at = { nextPollMs: () => null, signal: calm };

describe('groupByList', () => {
  test('groups the streams of one list, with the stream that publishes the list first', () => {
    const stream = (name: string, list: string | null, publishesList = false) => ({
      stream: { ...posts, name, list, publishesList },
    });
    const groups = groupByList([
      stream('counts', 'photos'),
      stream('profile', null),
      stream('remarks', 'photos'),
      stream('photos', 'photos', true),
      stream('films', 'films', true),
    ]);

    expect(groups.map((group) => group.map(({ stream: { name } }) => name))).toEqual([
      ['photos', 'counts', 'remarks'],
      ['profile'],
      ['films'],
    ]);
  });
});

describe('a poll group', () => {
  test.each([
    ['media', 'comments'],
    ['media_insights', 'comments'],
  ] as const)('scans the media list once for %s and %s', async (...names) => {
    const counted = media.map((node) => ({ ...node, comments_count: 3 }));
    const graph = graphOf((path) => (path.endsWith('/media') ? pageOf(counted) : undefined));
    const world = createWorld({ graph });
    await pollGroup(jobsOf(...names), world, at);
    const paths = world.graph.requests.map(({ path }) => path);

    expect(paths.filter((path) => path.endsWith('/media'))).toHaveLength(1);
    expect(paths.filter((path) => path.endsWith('/comments'))).toEqual([
      '/1/comments',
      '/2/comments',
    ]);
  });

  test('scans the media list once for media and media_insights', async () => {
    const world = createWorld({ graph: graphOf() });
    const outcomes = await pollGroup(jobsOf('media', 'media_insights'), world, at);

    expect(outcomes).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(world.graph.requests.map(({ path }) => path)).toEqual([
      '/17841400000000001/media',
      '/1/insights',
      '/2/insights',
    ]);
  });

  test('counts the media that it requests, and the answers about them', async () => {
    const old = new SkipError('graph.media-before-conversion', 'before the conversion');
    const graph = graphOf((path) => (path.endsWith('/insights') ? old : undefined));
    const refused = createWorld({ graph });
    const answered = createWorld({ graph: graphOf() });
    await pollGroup(jobsOf('media_insights'), refused, at);
    await pollGroup(jobsOf('media_insights'), answered, at);

    expect(
      [refused, answered].flatMap((one) => one.telemetry.ofType('poll-finished')),
    ).toMatchObject([
      { requestedMedia: 2, answeredNodes: 0, skipped: { 'graph.media-before-conversion': 2 } },
      { requestedMedia: 2, answeredNodes: 2, skipped: {} },
    ]);
  });

  test('ends the waiting polls at once when the outcome of another poll stops the account', async () => {
    const refused = new StopAccountError('graph.token', 'revoked');
    const later = new RetryError('graph.server', 'HTTP 500', { retryAfterMs: hourMs });
    const graph = graphOf((path, fields) =>
      path.endsWith('/media') ? (fields.includes('caption') ? refused : later) : undefined,
    );
    const stop = new AbortController();
    const seen: unknown[] = [];
    const round = pollGroup(jobsOf('media', 'media_insights'), createWorld({ graph }), {
      ...at,
      signal: stop.signal,
      onOutcome: ({ stream }, { kind }) => {
        seen.push([stream.name, kind]);
        stop.abort(new Error('the account is stopped'));
      },
    });

    await expect(round).rejects.toThrow('the account is stopped');
    expect(seen).toEqual([['media', 'stop-account']]);
  });

  test('lets the next stream scan the list itself when the first stream fails, without waiting for its retries', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = graphOf((path, fields) =>
      path.endsWith('/media') && fields.includes('caption') ? away : undefined,
    );
    const world = createWorld({ graph });
    const jobs = jobsOf('media', 'media_insights');
    const round = pollGroup(jobs, world, at);
    await world.clock.advance(hourMs);

    const [first, second] = await round;
    expect(first?.kind).toBe('failed');
    expect(second).toEqual({ kind: 'done' });
    expect(jobs[1]?.state.polledMs).toBe(startMs);
  });
});
