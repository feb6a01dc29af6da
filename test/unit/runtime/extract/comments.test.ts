import { describe, expect, test } from '@jest/globals';
import { packRead } from '../../../../src/core/comments.ts';
import { RetryError, SkipError } from '../../../../src/core/errors.ts';
import type { Node } from '../../../../src/core/json.ts';
import { emptyMemory } from '../../../../src/core/state.ts';
import { streams } from '../../../../src/streams/index.ts';
import type { Answer } from '../../../support/fake-graph.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../world.ts';
import { extractAll } from './extracting.ts';

const { comments } = streams;
const written = '2026-05-12T10:00:00+0000';
const fields = 'id,timestamp,text,like_count,hidden,username,from';
const expanded = `comments.limit(50){${fields},replies.limit(50){${fields}}}`;

const media = (id: string, count: number): Node => ({
  id,
  timestamp: written,
  comments_count: count,
});
const comment = (id: string): Node => ({ id, timestamp: written });
const onePage = (...ids: readonly string[]): Node => ({ data: ids.map(comment) });
const pageBefore = (after: string, ...ids: readonly string[]): Node => ({
  ...onePage(...ids),
  paging: { cursors: { before: 'b', after }, next: 'https://graph.facebook.com/next' },
});

/** A list of media, and answers by path; `?ids=` gives each media the comments of its id. */
function graphOf(
  listed: readonly Node[],
  answers: Readonly<Record<string, Node>>,
  refuse: (ids: readonly string[]) => Answer | undefined = () => undefined,
) {
  return createFakeGraph(({ path, query }) => {
    if (path === '/17841400000000001/media') return pageOf(listed);
    if (path !== '/') return answers[`${path}?${query['after'] ?? ''}`] ?? { data: [] };
    const ids = query['ids']?.split(',') ?? [];
    const body = ids.map((id) => [id, { id, ...answers[id] }] as const);
    return refuse(ids) ?? Object.fromEntries(body);
  });
}

const idsAsked = (graph: ReturnType<typeof graphOf>) =>
  graph.queries.flatMap(({ ids }) => (ids === undefined ? [] : [ids]));

describe('comments', () => {
  test('are asked for of the media that count others than they did, together', async () => {
    const listed = [media('1', 2), media('2', 0), media('3', 5), media('4', 4)];
    const published = new Map([
      ['3', packRead({ count: 5, newestMs: null })],
      ['4', packRead({ count: 3, newestMs: null })],
    ]);
    const graph = graphOf(listed, {
      1: { comments: onePage('11') },
      4: { comments: onePage('41') },
    });
    const { nodes, pages } = await extractAll(comments, graph, {
      memory: { ...emptyMemory, published },
    });

    expect(graph.queries).toEqual([
      { fields: 'id,media_type,media_product_type,timestamp,comments_count', limit: '100' },
      { ids: '1,4', fields: expanded },
    ]);
    expect(nodes).toEqual([
      { id: '11', timestamp: written, media_id: '1' },
      { id: '41', timestamp: written, media_id: '4' },
    ]);
    expect(pages.at(-1)?.learned?.published).toEqual(
      new Map([
        ['1', packRead({ count: 2, newestMs: Date.parse(written) })],
        ['3', packRead({ count: 5, newestMs: null })],
        ['4', packRead({ count: 4, newestMs: Date.parse(written) })],
      ]),
    );
  });

  test('cost no request beyond the list when no media counts others', async () => {
    const published = new Map([['1', packRead({ count: 2, newestMs: null })]]);
    const graph = graphOf([media('1', 2)], {});
    const { nodes } = await extractAll(comments, graph, { memory: { ...emptyMemory, published } });

    expect([graph.requests.length, nodes]).toEqual([1, []]);
  });

  test('are asked for fifty media at a time, a page of memory each', async () => {
    const listed = Array.from({ length: 60 }, (_, index) => media(String(index + 1), 1));
    const graph = graphOf(listed, {});
    const { pages } = await extractAll(comments, graph);

    expect(idsAsked(graph).map((ids) => ids.split(',').length)).toEqual([50, 10]);
    expect(pages.map(({ learned }) => learned?.published?.size)).toEqual([50, 60]);
  });

  test('go on page by page, and so do replies', async () => {
    const replied = { ...comment('11'), replies: pageBefore('r', '12') };
    const graph = graphOf([media('1', 5)], {
      1: { comments: { ...pageBefore('c'), data: [replied] } },
      '/1/comments?c': onePage('14'),
      '/11/replies?r': onePage('13'),
    });
    const { nodes } = await extractAll(comments, graph);

    expect(nodes.map(({ id, parent_id: parent }) => [id, parent])).toEqual([
      ['11', undefined],
      ['12', '11'],
      ['13', '11'],
      ['14', undefined],
    ]);
    expect(
      graph.requests.slice(2).map(({ endpoint, path, query }) => [endpoint, path, query]),
    ).toEqual([
      [
        '/{media}/comments',
        '/1/comments',
        { fields: expanded.slice('comments.limit(50){'.length, -1), limit: '50', after: 'c' },
      ],
      ['/{comment}/replies', '/11/replies', { fields, limit: '50', after: 'r' }],
    ]);
  });

  test('are asked for from the beginning where a full page came without paging', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => String(100 + index));
    const graph = graphOf([media('1', 51)], {
      1: { comments: onePage(...ids) },
      '/1/comments?': pageBefore('c', ...ids),
      '/1/comments?c': onePage('200'),
    });
    const { nodes } = await extractAll(comments, graph);

    expect(nodes.map(({ id }) => id)).toEqual([...ids, '200']);
  });

  test('leave out a media that is refused, found by halving, and remember it', async () => {
    const gone = new SkipError('graph.gone', 'gone');
    const listed = ['1', '2', '3'].map((id) => media(id, 1));
    const answers = { 1: { comments: onePage('11') }, 2: { comments: onePage('21') } };
    const graph = graphOf(listed, answers, (ids) => (ids.includes('3') ? gone : undefined));
    const { nodes, pages } = await extractAll(comments, graph);

    expect(idsAsked(graph)).toEqual(['1,2,3', '1,2', '3']);
    expect(nodes.map(({ id }) => id)).toEqual(['11', '21']);
    expect(pages[0]?.skipped).toEqual([{ reason: 'graph.gone', subject: '3' }]);
    expect(pages.at(-1)?.learned?.refusals).toEqual([
      { subject: '3', metric: null, reason: 'graph.gone', untilMs: startMs + 7 * dayMs },
    ]);
    expect([...(pages.at(-1)?.learned?.published?.keys() ?? [])]).toEqual(['1', '2']);
  });

  test('leave out at once a media that is named, and ask no more for it while that holds', async () => {
    const named = new SkipError('graph.ambiguous', 'gone', ['3']);
    const listed = ['1', '2', '3'].map((id) => media(id, 1));
    const graph = graphOf(listed, {}, (ids) => (ids.includes('3') ? named : undefined));
    const { pages } = await extractAll(comments, graph);
    const { refusals = [] } = pages.at(-1)?.learned ?? {};
    const later = graphOf(listed, {});
    await extractAll(comments, later, { memory: { ...emptyMemory, refusals } });

    expect(idsAsked(graph)).toEqual(['1,2,3', '1,2']);
    expect(idsAsked(later)).toEqual(['1,2']);
  });

  test('are asked for of fewer media where they are too much data, of one they fail', async () => {
    const much = new RetryError('graph.too-much-data', 'reduce');
    const listed = [media('1', 1), media('2', 1)];
    const halved = graphOf(listed, {}, (ids) => (ids.length > 1 ? much : undefined));
    const never = graphOf(listed, {}, () => much);

    expect((await extractAll(comments, halved)).error).toBeUndefined();
    expect(idsAsked(halved)).toEqual(['1,2', '1', '2']);
    expect((await extractAll(comments, never)).error).toBe(much);
  });

  test('are asked for of half as many media after too much data, of twice as many after success', async () => {
    const much = new RetryError('graph.too-much-data', 'reduce');
    const listed = Array.from({ length: 110 }, (_, index) => media(String(index + 1), 1));
    const graph = graphOf(listed, {}, (ids) => (ids.length > 30 ? much : undefined));
    const { error } = await extractAll(comments, graph);

    expect(error).toBeUndefined();
    expect(idsAsked(graph).map((ids) => ids.split(',').length)).toEqual([
      50, 25, 25, 25, 35, 18, 17,
    ]);
  });

  test('are a page as soon as they are many, with the media that were read until then', async () => {
    const many = onePage(...Array.from({ length: 300 }, (_, index) => String(1000 + index)));
    const more = onePage(...Array.from({ length: 300 }, (_, index) => String(2000 + index)));
    const paging = { cursors: {} };
    const graph = graphOf([media('1', 300), media('2', 300), media('3', 1)], {
      1: { comments: { ...many, paging } },
      2: { comments: { ...more, paging } },
    });
    const { pages } = await extractAll(comments, graph);

    expect(pages.map(({ nodes, learned }) => [nodes.length, learned?.published?.size])).toEqual([
      [600, 2],
      [0, 3],
    ]);
  });

  test('do without a field that is refused', async () => {
    const refused = new SkipError('graph.field-refused', 'no such field', ['hidden']);
    const graph = createFakeGraph(({ path, query }) => {
      if (path !== '/') return pageOf([media('1', 1)]);
      return query['fields']?.includes('hidden') === true ? refused : { 1: { id: '1' } };
    });
    const { pages, error } = await extractAll(comments, graph);

    expect(error).toBeUndefined();
    expect(graph.queries.at(-1)?.['fields']).toBe(expanded.replaceAll('hidden,', ''));
    expect(pages[0]?.skipped).toEqual([{ reason: 'graph.field-refused', subject: 'hidden' }]);
  });

  test('of a media that goes away between two pages are read another time', async () => {
    const away = new SkipError('graph.gone', 'gone');
    const graph = createFakeGraph(({ path }) => {
      if (path === '/17841400000000001/media') return pageOf([media('1', 70)]);
      return path === '/' ? { 1: { id: '1', comments: pageBefore('c', '11') } } : away;
    });
    const { nodes, pages } = await extractAll(comments, graph);

    expect(nodes).toEqual([]);
    expect(pages[0]?.skipped).toEqual([{ reason: 'graph.gone', subject: '1' }]);
    expect(pages.at(-1)?.learned?.published).toEqual(new Map());
  });

  test.each<[string, Node['x']]>([
    ['are no list', { data: 'none' }],
    ['are a text', 'none'],
  ])('are rejected with what came where they %s', async (_what, came) => {
    const { pages, error } = await extractAll(
      comments,
      graphOf([media('1', 1)], { 1: { comments: came } }),
    );

    expect(error).toBeUndefined();
    expect(pages.flatMap(({ rejected = [] }) => rejected)).toMatchObject([
      { code: 'graph.bad-body', path: 'data', raw: '{"data":"none","paging":null}' },
    ]);
  });

  // Invariant 3
  test('go on behind an entry that is no comment, which is rejected by its path (Invariant 3)', async () => {
    const { nodes, pages } = await extractAll(
      comments,
      graphOf([media('1', 1)], { 1: { comments: { data: [5, { id: '11' }] } } }),
    );

    expect(nodes.map(({ id }) => id)).toEqual(['11']);
    expect(pages.flatMap(({ rejected = [] }) => rejected.map(({ path }) => path))).toEqual([
      'data[0]',
    ]);
  });

  test('are none where an empty list stands for them', async () => {
    const { nodes, error } = await extractAll(
      comments,
      graphOf([media('1', 1)], { 1: { comments: [] } }),
    );

    expect([nodes, error]).toEqual([[], undefined]);
  });

  test('forget media that are gone, once the whole list was walked', async () => {
    const published = new Map([
      ['1', packRead({ count: 1, newestMs: null })],
      ['7', packRead({ count: 1, newestMs: null })],
    ]);
    const graph = graphOf([media('1', 1)], {});
    const { pages } = await extractAll(comments, graph, { memory: { ...emptyMemory, published } });

    expect([...(pages.at(-1)?.learned?.published?.keys() ?? [])]).toEqual(['1']);
  });
});
