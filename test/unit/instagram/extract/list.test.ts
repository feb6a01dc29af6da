import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError, StopStreamError } from '../../../../src/engine/errors.ts';
import { id, list, text } from '../../../../src/instagram/model/fields.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { posts, startMs } from '../../engine/world.ts';
import { createListCaches } from '../../../../src/instagram/extract/extraction.ts';
import { extractAll, graphOf } from './extracting.ts';

const idsOf = (nodes: readonly { readonly id?: unknown }[]) => nodes.map(({ id }) => id);

describe('list scan', () => {
  test('requests page after page, each with the previous cursor', async () => {
    const graph = graphOf(
      pageOf([{ id: '1' }], 'A'),
      pageOf([{ id: '2' }], 'B'),
      pageOf([{ id: '3' }]),
    );
    const { pages, nodes } = await extractAll(posts, graph);

    expect(idsOf(nodes)).toEqual(['1', '2', '3']);
    expect(pages.map(({ coveredUntilMs }) => coveredUntilMs)).toEqual([null, null, null, null]);
    expect(pages.at(-1)?.scanned?.present).toEqual(new Set(['1', '2', '3']));
    expect(graph.requests[0]).toEqual({
      endpoint: '/{account}/media',
      path: '/17841400000000001/media',
      query: { fields: 'id,caption,like_count', limit: '100' },
      accountId: '17841400000000001',
    });
    expect(graph.queries.map((query) => query['after'])).toEqual([undefined, 'A', 'B']);
  });

  test('ends when next is absent, although the last page has a cursor', async () => {
    const graph = graphOf({
      data: [{ id: '1' }],
      paging: { cursors: { before: 'a', after: 'z' } },
    });
    const { nodes, error } = await extractAll(posts, graph);

    expect(error).toBeUndefined();
    expect(idsOf(nodes)).toEqual(['1']);
    expect(graph.requests).toHaveLength(1);
  });

  test('continues after a short page and after an empty page', async () => {
    const graph = graphOf(
      pageOf([], 'A'),
      pageOf([{ id: '1' }], 'B'),
      pageOf([], 'C'),
      pageOf([{ id: '2' }]),
    );

    expect(idsOf((await extractAll(posts, graph)).nodes)).toEqual(['1', '2']);
  });

  // Invariant 9
  test('never follows the next URL, which holds a token (Invariant 9)', async () => {
    const graph = graphOf(pageOf([{ id: '1' }], 'A'), pageOf([]));
    await extractAll(posts, graph);

    expect(graph.requests.map(({ path }) => path)).toEqual([
      '/17841400000000001/media',
      '/17841400000000001/media',
    ]);
    expect(JSON.stringify(graph.requests)).not.toContain('access_token');
  });

  test('fails when a cursor repeats, instead of looping', async () => {
    const graph = createFakeGraph(() => pageOf([{ id: '1' }], 'A'));
    const { nodes, error } = await extractAll(posts, graph);

    expect(idsOf(nodes)).toEqual(['1', '1']);
    expect(error).toMatchObject({ code: 'graph.bad-body', path: 'paging.cursors.after' });
  });

  test.each([
    ['entries', 100_001, [{ id: '1' }]],
    ['empty pages', 1001, []],
  ] as const)(
    'fails after too many %s when its cursors are always new',
    async (_what, most, nodes) => {
      let pages = 0;
      const graph = createFakeGraph(() => pageOf(nodes, String((pages += 1))));
      const { error } = await extractAll(posts, graph);

      expect(error).toMatchObject({ name: 'FailError', code: 'graph.refused' });
      expect(pages).toBe(most);
    },
  );

  test.each([
    ['no data', {}, { path: 'data', raw: '{"paging":null}' }],
    ['data that is not a list', { data: 7 }, { path: 'data', raw: '{"data":7,"paging":null}' }],
  ])('rejects a page with %s and names the path', async (_what, body, refusal) => {
    const { error } = await extractAll(posts, graphOf(body));

    expect(error).toMatchObject({ name: 'DeadLetterError', code: 'graph.bad-body', ...refusal });
  });

  // Invariant 3
  test.each([7, null, 'x', []])(
    'rejects %j in place of a node by its path and keeps the other nodes (Invariant 3)',
    async (item) => {
      const body = { data: [{ id: '1' }, item, { id: '2' }] };
      const { nodes, pages, error } = await extractAll(posts, graphOf(body));

      expect(error).toBeUndefined();
      expect(idsOf(nodes)).toEqual(['1', '2']);
      expect(pages.flatMap(({ rejected = [] }) => rejected)).toMatchObject([
        { code: 'graph.bad-body', path: 'data[1]', raw: JSON.stringify(item) },
      ]);
    },
  );

  test.each([null, { id: null }, { caption: 'x' }])(
    'is incomplete with %j in place of a node, so that no object counts as deleted',
    async (item) => {
      const { pages } = await extractAll(posts, graphOf({ data: [{ id: '1' }, item] }));

      expect(pages.map(({ scanned }) => scanned)).toEqual([undefined]);
    },
  );

  test.each([null, {}, []])('is empty when data is %j', async (data) => {
    const { nodes, error } = await extractAll(posts, graphOf({ data }));

    expect([nodes, error]).toEqual([[], undefined]);
  });

  // Invariant 9
  test('keeps no paging in the dead letter of a rejected page (Invariant 9)', async () => {
    const { error } = await extractAll(posts, graphOf({ ...pageOf([], 'A'), data: 'none' }));

    expect(error).toMatchObject({ raw: '{"data":"none","paging":null}' });
  });
});

describe('page with too much data', () => {
  const tooMuch = new RetryError('graph.too-much-data', 'Please reduce the amount of data');

  test('is requested again with half the page size until it fits, and the page size then grows back', async () => {
    const graph = graphOf(
      pageOf([{ id: '1' }], 'A'),
      tooMuch,
      tooMuch,
      pageOf([{ id: '2' }], 'B'),
      pageOf([{ id: '3' }]),
    );
    const { nodes } = await extractAll(posts, graph);

    expect(idsOf(nodes)).toEqual(['1', '2', '3']);
    expect(graph.queries.map(({ limit, after }) => [limit, after])).toEqual([
      ['100', undefined],
      ['100', 'A'],
      ['50', 'A'],
      ['25', 'A'],
      ['37', 'B'],
    ]);
  });

  const hourMs = 3_600_000;

  /** Polls an edge of 20 pages that refuses more than 24 nodes; returns the sizes of a poll. */
  function edgeOf24() {
    const caches = createListCaches(100);
    return async (nowMs: number) => {
      const graph = createFakeGraph(({ query: { limit, after = '0' } }) => {
        if (Number(limit) > 24) return tooMuch;
        const page = Number(after) + 1;
        return pageOf([{ id: `${page}` }], page < 20 ? String(page) : undefined);
      });
      const { error } = await extractAll(posts, graph, { caches, nowMs });
      expect(error).toBeUndefined();
      return graph.queries.map(({ limit }) => Number(limit));
    };
  }

  test('shrinks to near the largest accepted size, and keeps it in the next polls', async () => {
    const sizesAt = edgeOf24();

    expect((await sizesAt(startMs)).slice(0, 7)).toEqual([100, 50, 25, 13, 19, 22, 22]);
    expect(await sizesAt(startMs + hourMs)).toEqual(Array<number>(20).fill(22));
  });

  test('is requested larger again six hours after the last refusal', async () => {
    const sizesAt = edgeOf24();
    await sizesAt(startMs);
    const later = await sizesAt(startMs + 6 * hourMs);

    expect(later.slice(0, 5)).toEqual([22, 44, 22, 33, 22]);
    expect(new Set(later.slice(5))).toEqual(new Set([27, 22]));
    expect(later).toHaveLength(23);
  });

  test('fails the poll when even a page of one node is too much data', async () => {
    const graph = createFakeGraph(() => tooMuch);
    const { error } = await extractAll(posts, graph, { pageSize: 5 });

    expect(error).toBe(tooMuch);
    expect(graph.queries.map(({ limit }) => limit)).toEqual(['5', '3', '2', '1']);
  });

  test('is not halved for another error', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = createFakeGraph(() => away);

    expect((await extractAll(posts, graph)).error).toBe(away);
    expect(graph.requests).toHaveLength(1);
  });
});

describe('rejected field', () => {
  const refused = (...names: string[]) => new SkipError('graph.field-refused', 'no field', names);

  test('is dropped from this and all later pages, and reported once', async () => {
    const graph = graphOf(refused('caption'), pageOf([{ id: '1' }], 'A'), pageOf([{ id: '2' }]));
    const { pages } = await extractAll(posts, graph);

    expect(graph.queries.map(({ fields }) => fields)).toEqual([
      'id,caption,like_count',
      'id,like_count',
      'id,like_count',
    ]);
    expect(pages.map(({ skipped }) => skipped)).toEqual([
      [{ reason: 'graph.field-refused', subject: 'caption' }],
      [],
      [],
    ]);
  });

  test('is dropped after another rejected field', async () => {
    const graph = graphOf(refused('caption'), refused('like_count'), pageOf([{ id: '1' }]));
    const { nodes, pages } = await extractAll(posts, graph);

    expect(idsOf(nodes)).toEqual(['1']);
    expect(graph.queries.at(-1)?.['fields']).toBe('id');
    expect(pages[0]?.skipped.map(({ subject }) => subject)).toEqual(['caption', 'like_count']);
  });

  test("of an album's children stays requested for the media themselves", async () => {
    const fields = { id, caption: text, children: list({ id, caption: text }) };
    const request = { ...posts.request, fields } as typeof posts.request;
    const graph = graphOf(refused('caption'), pageOf([{ id: '1', caption: 'one' }]));
    const { nodes, pages } = await extractAll({ ...posts, request }, graph);

    expect(graph.queries.map((query) => query['fields'])).toEqual([
      'id,caption,children{id,caption}',
      'id,caption,children{id}',
    ]);
    expect(nodes).toMatchObject([{ caption: 'one' }]);
    expect(pages[0]?.skipped).toEqual([
      { reason: 'graph.field-refused', subject: 'children.caption' },
    ]);
  });

  test.each([
    ['names no field', refused()],
    ['has another code', new SkipError('graph.gone', 'gone', ['caption'])],
    ['is a missing permission', new StopStreamError('graph.permission', 'missing')],
  ])('ends the poll when the error %s', async (_what, error) => {
    const graph = createFakeGraph(() => error);

    expect((await extractAll(posts, graph)).error).toBe(error);
    expect(graph.requests).toHaveLength(1);
  });

  test('is never requested with Instagram Login when only Facebook Login has it', async () => {
    const request = { ...posts.request, facebookOnly: ['like_count'] } as typeof posts.request;
    const facebook = graphOf(pageOf([]));
    const instagram = graphOf(pageOf([]));
    await extractAll({ ...posts, request }, facebook, { login: 'facebook' });
    const { pages } = await extractAll({ ...posts, request }, instagram, { login: 'instagram' });

    expect(facebook.queries[0]?.['fields']).toBe('id,caption,like_count');
    expect(instagram.queries[0]?.['fields']).toBe('id,caption');
    expect(pages[0]?.skipped).toEqual([]);
  });

  test('ends the poll when it is rejected again after it was dropped', async () => {
    const error = refused('caption');
    const graph = createFakeGraph(() => error);

    expect((await extractAll(posts, graph)).error).toBe(error);
    expect(graph.requests).toHaveLength(2);
  });
});
