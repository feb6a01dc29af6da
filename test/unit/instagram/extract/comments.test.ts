import { describe, expect, test } from '@jest/globals';
import { packRead } from '../../../../src/instagram/model/comments.ts';
import { FailError, RetryError, SkipError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { emptyCheckpoint, type Checkpoint } from '../../../../src/engine/state.ts';
import type { ExtractContext } from '../../../../src/instagram/extract/extraction.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { type Answer, createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { dayMs, hourMs, minuteMs, startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

const { comments } = streams;
const written = '2026-05-12T10:00:00+0000';
const fields = 'id,timestamp,text,like_count,hidden,username,from';
const withReplies = `${fields},replies.limit(50){${fields}}`;
const listed =
  'id,media_type,media_product_type,timestamp,like_count,comments_count,saved_count,shares_count,reposts_count,total_views_count';

const timeOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}+0000`;
const media = (id: string, count: number): Node => ({
  id,
  timestamp: written,
  comments_count: count,
});
const comment = (id: string, timestamp = written): Node => ({ id, timestamp });
const onePage = (...ids: readonly string[]): Node => ({ data: ids.map((id) => comment(id)) });
const pageBefore = (after: string, ...ids: readonly string[]): Node => ({
  ...onePage(...ids),
  paging: { cursors: { before: 'b', after }, next: 'https://graph.facebook.com/next' },
});

/** A list of media, and answers by path and cursor; other media have no comments. */
function graphOf(nodes: readonly Node[], answers: Readonly<Record<string, Answer>> = {}) {
  return createFakeGraph(({ path, query }) => {
    if (path === '/17841400000000001/media') return pageOf(nodes);
    const after = query['after'];
    return answers[after === undefined ? path : `${path}?${after}`] ?? { data: [] };
  });
}

const pathsOf = (graph: ReturnType<typeof graphOf>) =>
  graph.requests.slice(1).map(({ path, query }) => `${path}?${query['after'] ?? ''}`);

/** One poll, and the checkpoint for the next. */
async function poll(
  graph: ReturnType<typeof graphOf>,
  checkpoint: Checkpoint = emptyCheckpoint,
  changes: Partial<ExtractContext> = {},
) {
  const { pages, nodes, error } = await extractAll(comments, graph, { checkpoint, ...changes });
  return {
    pages,
    error,
    ids: nodes.map(({ id }) => id),
    nodes,
    skipped: pages.flatMap(({ skipped }) => skipped),
    checkpoint: { ...checkpoint, ...pages.at(-1)?.checkpointUpdate },
  };
}

describe('comments extraction', () => {
  test('requests the media whose comment count changed, in one batch', async () => {
    const published = new Map([
      ['3', packRead({ count: 5, newestMs: null })],
      ['4', packRead({ count: 3, newestMs: null })],
    ]);
    const graph = graphOf([media('1', 2), media('2', 0), media('3', 5), media('4', 4)], {
      '/1/comments': onePage('11'),
      '/4/comments': onePage('41'),
    });
    const { nodes, checkpoint } = await poll(graph, { ...emptyCheckpoint, published });

    expect(graph.batches).toEqual([2]);
    expect(graph.requests.map(({ endpoint, path, query }) => [endpoint, path, query])).toEqual([
      ['/{account}/media', '/17841400000000001/media', { fields: listed, limit: '100' }],
      ['/{media}/comments', '/1/comments', { fields: withReplies, limit: '50' }],
      ['/{media}/comments', '/4/comments', { fields: withReplies, limit: '50' }],
    ]);
    expect(nodes).toEqual([
      { id: '11', timestamp: written, media_id: '1' },
      { id: '41', timestamp: written, media_id: '4' },
    ]);
    expect(checkpoint.published).toEqual(
      new Map([
        ['1', packRead({ count: 2, newestMs: Date.parse(written) })],
        ['3', packRead({ count: 5, newestMs: null })],
        ['4', packRead({ count: 4, newestMs: Date.parse(written) })],
      ]),
    );
  });

  test('requests only the list when no comment count changed', async () => {
    const published = new Map([['1', packRead({ count: 2, newestMs: null })]]);
    const graph = graphOf([media('1', 2)]);
    const { ids } = await poll(graph, { ...emptyCheckpoint, published });

    expect([graph.requests.length, ids]).toEqual([1, []]);
  });

  test('follows the pages of comments and of replies', async () => {
    const replied = { ...comment('11'), replies: pageBefore('r', '12') };
    const graph = graphOf([media('1', 5)], {
      '/1/comments': { ...pageBefore('c'), data: [replied] },
      '/1/comments?c': onePage('14'),
      '/11/replies?r': onePage('13'),
    });
    const { nodes } = await poll(graph);

    expect(nodes.map(({ id, parent_id: parent }) => [id, parent])).toEqual([
      ['11', undefined],
      ['12', '11'],
      ['13', '11'],
      ['14', undefined],
    ]);
    expect(graph.queries.slice(2)).toEqual([
      { fields, limit: '50', after: 'r' },
      { fields: withReplies, limit: '50', after: 'c' },
    ]);
  });

  test('reads a media again from its first page when a full page has no paging', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => String(100 + index));
    let isFirst = true;
    const graph = createFakeGraph(({ path, query }) => {
      if (path === '/17841400000000001/media') return pageOf([media('1', 51)]);
      if (query['after'] === 'c') return onePage('200');
      if (!isFirst) return pageBefore('c', ...ids);
      isFirst = false;
      return onePage(...ids);
    });

    expect((await poll(graph)).ids).toEqual([...ids, '200']);
  });

  test('publishes the oldest comment first', async () => {
    const data = [comment('12', timeOf(startMs - hourMs)), comment('11', timeOf(startMs - dayMs))];
    const { ids } = await poll(graphOf([media('1', 2)], { '/1/comments': { data } }));

    expect(ids).toEqual(['11', '12']);
  });

  test('leaves comments of the last minute to the next poll', async () => {
    const data = [comment('12', timeOf(startMs - minuteMs / 2)), comment('11')];
    const graph = graphOf([media('1', 2)], { '/1/comments': { data } });
    const first = await poll(graph);
    const second = await poll(graph, first.checkpoint, {
      nowMs: startMs + hourMs,
      cycleMs: startMs + 1,
    });

    expect([first.ids, second.ids]).toEqual([['11'], ['12']]);
  });

  test('publishes a comment that becomes visible late, though newer ones were published', async () => {
    const first = await poll(graphOf([media('1', 1)], { '/1/comments': onePage('12') }));
    const data = [comment('12'), comment('11', timeOf(startMs - 9 * dayMs))];
    const graph = graphOf([media('1', 2)], { '/1/comments': { data } });
    const second = await poll(graph, first.checkpoint);

    expect([first.ids, second.ids]).toEqual([['12'], ['11']]);
  });

  test('does not repeat comments that were published before ids were remembered', async () => {
    const published = new Map([['1', packRead({ count: 1, newestMs: Date.parse(written) })]]);
    const data = [comment('12', timeOf(startMs - hourMs)), comment('11')];
    const graph = graphOf([media('1', 2)], { '/1/comments': { data } });
    const { ids, checkpoint } = await poll(graph, { ...emptyCheckpoint, published });

    expect(ids).toEqual(['12']);
    expect(checkpoint.seen).toEqual(new Map([['1', new Set(['11', '12'])]]));
  });

  test('drops a rejected field and stops requesting it', async () => {
    const refused = new SkipError('graph.field-refused', 'no such field', ['hidden']);
    const graph = createFakeGraph(({ path, query }) => {
      if (path === '/17841400000000001/media') return pageOf([media('1', 60)]);
      if (query['fields']?.includes('hidden') === true) return refused;
      return query['after'] === undefined ? pageBefore('c', '11') : onePage('12');
    });
    const { ids, skipped } = await poll(graph);

    expect(ids).toEqual(['11', '12']);
    expect(skipped).toEqual([{ reason: 'graph.field-refused', subject: 'hidden' }]);
    expect(graph.requests).toHaveLength(4);
  });

  test('reads every media again whose item of a batch rejects the same field', async () => {
    const refused = new SkipError('graph.field-refused', 'no such field', ['hidden']);
    const graph = createFakeGraph(({ path, query }) => {
      if (path.endsWith('/media')) return pageOf([media('1', 1), media('2', 1), media('3', 1)]);
      return query['fields']?.includes('hidden') === true ? refused : onePage(`${path[1] ?? ''}1`);
    });
    const { ids, error, skipped, checkpoint } = await poll(graph);

    expect([ids, error]).toEqual([['11', '21', '31'], undefined]);
    expect(skipped).toEqual([{ reason: 'graph.field-refused', subject: 'hidden' }]);
    expect(checkpoint.rejections).toEqual([]);
  });

  test.each<[string, Node['x']]>([
    ['a string', 'none'],
    ['an object', { '0': 1 }],
  ])('rejects the page with its body when the list is %s', async (_what, data) => {
    const { pages, error } = await poll(graphOf([media('1', 1)], { '/1/comments': { data } }));

    expect(error).toBeUndefined();
    expect(pages.flatMap(({ rejected = [] }) => rejected)).toMatchObject([
      { code: 'graph.bad-body', path: 'data', raw: JSON.stringify({ data, paging: null }) },
    ]);
  });

  // Invariant 3
  test('rejects an invalid entry by its path and continues with the next (Invariant 3)', async () => {
    const data = [5, comment('11')];
    const { pages, ids } = await poll(graphOf([media('1', 1)], { '/1/comments': { data } }));

    expect(ids).toEqual(['11']);
    expect(pages.flatMap(({ rejected = [] }) => rejected.map(({ path }) => path))).toEqual([
      'data[0]',
    ]);
  });

  test('accepts an empty list in place of the replies', async () => {
    const replied = { ...comment('11'), replies: [] };
    const { ids, error } = await poll(
      graphOf([media('1', 1)], { '/1/comments': { data: [replied] } }),
    );

    expect([ids, error]).toEqual([['11'], undefined]);
  });

  test('forgets media that are gone after a complete list scan', async () => {
    const published = new Map([
      ['1', packRead({ count: 1, newestMs: null })],
      ['7', packRead({ count: 1, newestMs: null })],
    ]);
    const seen = new Map([['7', new Set(['71'])]]);
    const { checkpoint } = await poll(graphOf([media('1', 1)]), {
      ...emptyCheckpoint,
      published,
      seen,
    });

    expect([[...checkpoint.published.keys()], [...checkpoint.seen.keys()]]).toEqual([['1'], []]);
  });
});

describe('media whose comments are rejected', () => {
  const gone = new SkipError('graph.gone', 'gone');
  const three = ['1', '2', '3'].map((id) => media(id, 1));

  test('is excluded and remembered, while the other media are published', async () => {
    const graph = graphOf(three, {
      '/1/comments': onePage('11'),
      '/2/comments': onePage('21'),
      '/3/comments': gone,
    });
    const { ids, skipped, checkpoint } = await poll(graph);
    const later = graphOf(three);
    await poll(later, checkpoint);

    expect(ids).toEqual(['11', '21']);
    expect(skipped).toEqual([{ reason: 'graph.gone', subject: '3' }]);
    expect([...checkpoint.published.keys()]).toEqual(['1', '2']);
    expect(pathsOf(later)).not.toContain('/3/comments?');
  });

  test('fails the poll, and no rejection is recorded, when all other media fail too', async () => {
    const permission = new FailError('graph.permission', '(#10) no');
    const answers = Object.fromEntries(
      ['1', '2', '3'].map((id) => [`/${id}/comments`, permission]),
    );
    const { error, checkpoint } = await poll(graphOf(three, answers));

    expect(error).toBe(permission);
    expect(checkpoint.rejections).toEqual([]);
  });

  test('is read again at the next poll, without its published comments, after a failure between two pages', async () => {
    const nodes = [media('1', 70), media('2', 1)];
    const cut = graphOf(nodes, {
      '/1/comments': pageBefore('c', '11'),
      '/1/comments?c': gone,
      '/2/comments': onePage('21'),
    });
    const first = await poll(cut);
    const whole = graphOf(nodes, {
      '/1/comments': pageBefore('c', '11'),
      '/1/comments?c': onePage('10'),
    });
    const second = await poll(whole, first.checkpoint);

    expect([first.ids, first.error]).toEqual([['11', '21'], undefined]);
    expect(first.skipped).toEqual([{ reason: 'graph.gone', subject: '1' }]);
    expect(second.ids).toEqual(['10']);
  });
});

describe('media with many comments', () => {
  /** A media with this many comments in pages of 50, newest first; `p3` is the cursor before the fourth. */
  const many = (count: number) => {
    const graph = createFakeGraph(({ path, query }) => {
      if (path === '/17841400000000001/media') return pageOf([media('1', count), media('2', 1)]);
      if (path === '/2/comments') return onePage('9');
      const page = Number((query['after'] ?? 'p0').slice(1));
      const first = page * 50;
      const data = Array.from({ length: Math.min(50, count - first) }, (_, index) =>
        comment(String(1_000_000 + first + index), timeOf(startMs - (first + index + 61) * 1000)),
      );
      const next = first + 50 < count ? { next: 'https://next' } : {};
      return { data, paging: { cursors: { before: 'b', after: `p${page + 1}` }, ...next } };
    });
    return graph;
  };

  test('is published in parts of one batch, each with the checkpoint that resumes after it', async () => {
    const { pages, ids } = await poll(many(1234), emptyCheckpoint, { maxBatchRecords: 500 });

    expect(pages.map(({ nodes }) => nodes.length)).toEqual([500, 500, 235]);
    expect(new Set(ids).size).toBe(1235);
    expect(pages.map(({ checkpointUpdate }) => checkpointUpdate?.reading?.after)).toEqual([
      'p9',
      'p19',
      undefined,
    ]);
    const published = pages.map(({ checkpointUpdate }) => [
      ...(checkpointUpdate?.published?.keys() ?? []),
    ]);
    expect(published).toEqual([[], [], ['1', '2']]);
  });

  test('resumes after the last committed part, and publishes no comment twice', async () => {
    const graph = many(1234);
    const { pages } = await poll(graph, emptyCheckpoint, { maxBatchRecords: 500 });
    const first = pages[0]?.nodes.map(({ id }) => id) ?? [];
    const checkpoint = { ...emptyCheckpoint, ...pages[0]?.checkpointUpdate };
    const before = graph.requests.length;
    const rest = await poll(graph, checkpoint, { maxBatchRecords: 500 });

    expect(graph.requests[before + 1]?.query['after']).toBe('p9');
    expect(new Set([...first, ...rest.ids]).size).toBe(1235);
    expect(first.length + rest.ids.length).toBe(1235);
    expect(rest.checkpoint.reading).toBeNull();
  });

  test('is read again from its first page, without its published comments, when its cursor is rejected', async () => {
    const graph = many(1234);
    const { pages } = await poll(graph, emptyCheckpoint, { maxBatchRecords: 500 });
    const first = pages[0]?.nodes.map(({ id }) => id) ?? [];
    const checkpointUpdate = pages[0]?.checkpointUpdate;
    const reading =
      checkpointUpdate?.reading == null ? null : { ...checkpointUpdate.reading, after: 'old' };
    const refusing = createFakeGraph((request) =>
      request.query['after'] === 'old'
        ? new FailError('graph.refused', '(#100) Invalid cursors values')
        : graph.get(request, new AbortController().signal),
    );
    const rest = await poll(refusing, { ...emptyCheckpoint, ...checkpointUpdate, reading });

    expect(rest.error).toBeUndefined();
    expect(new Set([...first, ...rest.ids]).size).toBe(1235);
    expect(first.length + rest.ids.length).toBe(1235);
  });

  test('is compared by time alone once more comments were read than ids are remembered', async () => {
    const { checkpoint } = await poll(many(2100));
    const again = await poll(many(2100), checkpoint);

    expect([...checkpoint.seen.keys()]).toEqual(['2']);
    expect(again.ids).toEqual([]);
  });

  test('of 130,000 comments is held in memory one part at a time', async () => {
    let most = 0;
    const graph = many(130_000);
    const context = { checkpoint: emptyCheckpoint, maxBatchRecords: 500 };
    const { pages, error } = await extractAll(comments, graph, context);
    for (const { nodes } of pages) most = Math.max(most, nodes.length);

    expect([error, pages.length, most]).toEqual([undefined, 261, 500]);
  });

  test('keeps its committed parts when the server fails in between', async () => {
    const graph = many(1234);
    const failing = createFakeGraph((request) =>
      request.query['after'] === 'p15'
        ? new RetryError('graph.server', 'HTTP 500')
        : graph.get(request, new AbortController().signal),
    );
    const { pages, error } = await poll(failing, emptyCheckpoint, { maxBatchRecords: 500 });

    expect(error).toMatchObject({ code: 'graph.server' });
    expect(pages.map(({ nodes }) => nodes.length)).toEqual([500]);
  });
});
