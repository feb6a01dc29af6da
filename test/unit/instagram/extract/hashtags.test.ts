import { describe, expect, test } from '@jest/globals';
import { FailError, RetryError } from '../../../../src/engine/errors.ts';
import { keyNumber } from '../../../../src/engine/fingerprint.ts';
import type { Node } from '../../../../src/engine/json.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { type Answer, createFakeGraph } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

const contentOf = (...hashtags: readonly string[]) => ({
  publicContent: { users: [], mediaAgeMs: 0, hashtags, hashtagPages: 3 },
});

/** A page whose cursor is the same as that of every other page. */
const pageWith = (...ids: readonly string[]): Node => ({
  data: ids.map((id) => ({ id })),
  paging: { cursors: { after: 'QVsame' } },
});

/** An API with one hashtag, 17; the lists answer by a rule, by default with nothing. */
const apiWith = (rule: (request: GraphRequest, index: number) => Answer | undefined) =>
  createFakeGraph((request, index) => {
    const found = { data: [{ id: '17' }] };
    return rule(request, index) ?? (request.path === '/ig_hashtag_search' ? found : { data: [] });
  });

const extractWith = (graph: ReturnType<typeof apiWith>, changes = {}) =>
  extractAll(streams.hashtag_media, graph, { ...contentOf('coke'), ...changes });

describe('hashtag media', () => {
  test('are searched once, and read from both lists by the platform limit', async () => {
    const graph = apiWith(({ path }) =>
      path.endsWith('/recent_media') ? { data: [{ id: '1' }, { id: '2' }] } : undefined,
    );
    const { pages, error } = await extractWith(graph);
    const hashtags = pages.at(-2)?.checkpointUpdate?.hashtags ?? [];
    await extractWith(graph, { checkpoint: { ...emptyCheckpoint, hashtags } });

    expect(error).toBeUndefined();
    expect(hashtags).toEqual([{ name: 'coke', id: '17', countedMs: startMs }]);
    expect(graph.requests.map(({ path }) => path)).toEqual([
      '/ig_hashtag_search',
      '/17/recent_media',
      '/17/top_media',
      '/17/recent_media',
      '/17/top_media',
    ]);
    expect(graph.requests[0]).toEqual({
      endpoint: '/ig_hashtag_search',
      path: '/ig_hashtag_search',
      query: { user_id: '17841400000000001', q: 'coke' },
      accountId: '17841400000000001',
      limit: 'platform',
    });
    expect(graph.requests[1]).toEqual({
      endpoint: '/{hashtag}/recent_media',
      path: '/17/recent_media',
      query: {
        user_id: '17841400000000001',
        fields: 'id,media_type,media_url,permalink,timestamp,caption,comments_count,like_count',
        limit: '50',
      },
      accountId: '17841400000000001',
      limit: 'platform',
    });
  });

  test('are one node for each list that has the media', async () => {
    const graph = apiWith(({ path }) => {
      if (path.endsWith('/recent_media')) return { data: [{ id: '1' }, { id: '2' }] };
      return path.endsWith('/top_media') ? { data: [{ id: '2' }] } : undefined;
    });
    const { nodes } = await extractWith(graph);
    const hashtag = { hashtag: 'coke', hashtag_id: '17' };

    expect(nodes).toEqual([
      { id: '1', ...hashtag, list: 'recent' },
      { id: '2', ...hashtag, list: 'recent' },
      { id: '2', ...hashtag, list: 'top' },
    ]);
  });

  test('follow the cursor that is the same on each page, until a page repeats itself', async () => {
    const answers = [pageWith('1', '2'), pageWith('3'), pageWith('3')];
    const graph = apiWith(({ path }) =>
      path.endsWith('/recent_media') ? answers.shift() : undefined,
    );
    const { nodes } = await extractWith(graph);

    expect(nodes.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(graph.queries.slice(1, 4).map(({ after }) => after)).toEqual([
      undefined,
      'QVsame',
      'QVsame',
    ]);
    expect(answers).toEqual([]);
  });

  test('end at a page of media that are published already', async () => {
    const published = new Map([[keyNumber('17/recent/1'), 1n]]);
    const graph = apiWith(({ path }) =>
      path.endsWith('/recent_media') ? pageWith('1') : undefined,
    );
    const { nodes } = await extractWith(graph, { checkpoint: { ...emptyCheckpoint, published } });

    // Published again if its counts have changed.
    expect(nodes.map(({ id }) => id)).toEqual(['1']);
    expect(graph.requests).toHaveLength(3);
  });

  test('end after the configured pages of a list without an end', async () => {
    const graph = apiWith(({ path }, index) =>
      path.endsWith('/recent_media') ? pageWith(`${index}`) : undefined,
    );

    expect((await extractWith(graph)).nodes).toHaveLength(3);
  });

  test('above thirty in seven days wait, and are skipped by name', async () => {
    const hashtags = Array.from({ length: 30 }, (_, index) => ({
      name: `tag${index}`,
      id: '17',
      countedMs: startMs - dayMs,
    }));
    const graph = apiWith(() => undefined);
    const checkpoint = { ...emptyCheckpoint, hashtags };
    const { pages } = await extractWith(graph, { checkpoint, ...contentOf('tag1', 'new') });

    expect(pages.flatMap(({ skipped }) => skipped)).toEqual([
      { subject: '#new', reason: 'graph.hashtag-limit' },
    ]);
    expect(graph.requests.map(({ path }) => path)).toEqual(['/17/recent_media', '/17/top_media']);

    const later = { checkpoint, nowMs: startMs + 6 * dayMs, ...contentOf('tag1', 'new') };
    expect((await extractWith(graph, later)).pages.flatMap(({ skipped }) => skipped)).toEqual([]);
  });

  test.each([
    ['a generic error', new FailError('graph.refused', 'Invalid parameter'), 1],
    ['an error of the server', new RetryError('graph.server', 'HTTP 500'), 0],
    ['no hashtag', { data: [] }, 1],
  ])('are skipped by name when the search answers %s', async (_what, answer, lasting) => {
    const graph = apiWith(({ query }) => (query['q'] === 'bad' ? answer : undefined));
    const { pages, error } = await extractWith(graph, contentOf('bad', 'coke'));
    const update = pages.at(-2)?.checkpointUpdate;

    expect(error).toBeUndefined();
    expect(pages.flatMap(({ skipped }) => skipped)).toEqual([
      { subject: '#bad', reason: 'graph.hashtag-refused' },
    ]);
    expect(update?.rejections).toHaveLength(lasting);
    // The search counts all the same.
    expect(update?.hashtags).toEqual([
      { name: 'bad', id: null, countedMs: startMs },
      { name: 'coke', id: '17', countedMs: startMs },
    ]);
  });

  test('without an id each become a dead letter', async () => {
    const graph = apiWith(({ path }) =>
      path.endsWith('/recent_media') ? { data: [{}, {}, 'odd'] } : undefined,
    );
    const { nodes, pages } = await extractWith(graph);

    expect(nodes).toHaveLength(2);
    expect(pages[0]?.rejected).toHaveLength(1);
  });
});
