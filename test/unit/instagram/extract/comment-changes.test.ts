import { describe, expect, test } from '@jest/globals';
import { FailError, SkipError } from '../../../../src/engine/errors.ts';
import { type Checkpoint, emptyCheckpoint } from '../../../../src/engine/state.ts';
import type { WebhookChange } from '../../../../src/engine/webhooks.ts';
import { packRead } from '../../../../src/instagram/model/comments.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

const { comments } = streams;
const fields = 'id,timestamp,text,like_count,hidden,username,from';
const secondsAgo = (seconds: number) =>
  `${new Date(startMs - seconds * 1000).toISOString().slice(0, 19)}+0000`;

const change = (id: string, value: WebhookChange['value'] = {}): WebhookChange => ({
  key: `${account.id}/comments/${id}`,
  accountId: account.id,
  stream: 'comments',
  field: 'comments',
  sentMs: startMs,
  value: { id, media_id: '18', ...value },
});
const live = (id: string): WebhookChange => ({
  ...change(id, { media_id: '99', text: 'hi', from: { id: '7', username: 'lena_1' } }),
  field: 'live_comments',
});

/** Publishes changes after a checkpoint; a comment was written ten seconds ago unless answered. */
async function publish(
  changes: readonly WebhookChange[],
  checkpoint: Partial<Checkpoint> = {},
  answers: Readonly<Record<string, Answer>> = {},
) {
  const before = { ...emptyCheckpoint, ...checkpoint };
  const graph = createFakeGraph(({ path }) => {
    const id = path.slice(1);
    return answers[id] ?? { id, timestamp: secondsAgo(10), text: 'so nice' };
  });
  const { pages, nodes, error } = await extractAll(comments, graph, {
    checkpoint: before,
    changes,
  });
  const page = pages.at(-1);
  return {
    graph,
    nodes,
    error,
    page,
    processed: pages.flatMap(({ processed = [] }) => processed),
    ids: nodes.map(({ id }) => id),
    checkpoint: { ...before, ...page?.checkpointUpdate },
  };
}

describe('a comment that a webhook reports', () => {
  test('is read by its id, in one batch with others, and published with its media', async () => {
    const { graph, nodes, page } = await publish([change('1'), change('2', { parent_id: '1' })]);

    expect(graph.batches).toEqual([2]);
    expect(graph.requests.map(({ endpoint, path, query }) => [endpoint, path, query])).toEqual([
      ['/{comment}', '/1', { fields }],
      ['/{comment}', '/2', { fields }],
    ]);
    expect(nodes).toEqual([
      { id: '1', timestamp: secondsAgo(10), text: 'so nice', media_id: '18' },
      { id: '2', timestamp: secondsAgo(10), text: 'so nice', media_id: '18', parent_id: '1' },
    ]);
    expect(page?.processed).toEqual([`${account.id}/comments/1`, `${account.id}/comments/2`]);
  });

  test('is not published again by another delivery, nor by the next poll of the schedule', async () => {
    const { checkpoint } = await publish([change('1')]);
    const again = await publish([change('1')], checkpoint);
    expect([again.ids, again.graph.requests, again.page?.processed]).toEqual([
      [],
      [],
      [`${account.id}/comments/1`],
    ]);

    const listed = createFakeGraph(({ path }) =>
      path.endsWith('/media')
        ? pageOf([{ id: '18', comments_count: 2 }])
        : pageOf(['2', '1'].map((id) => ({ id, timestamp: secondsAgo(90) }))),
    );
    const poll = await extractAll(comments, listed, { checkpoint });
    expect(poll.nodes.map(({ id }) => id)).toEqual(['2']);
    // The reading has listed it: from now on it is remembered like any other.
    const update = poll.pages.at(-1)?.checkpointUpdate;
    expect([update?.delivered, [...(update?.seen?.values() ?? [])]]).toEqual([
      new Map(),
      [new Set(['1', '2'])],
    ]);
  });

  test('leaves its media unread when the listed count grows by it alone', async () => {
    const published = new Map([['18', packRead({ count: 3, newestMs: startMs - 3_600_000 })]]);
    const { checkpoint } = await publish([change('1')], { published });
    const graph = createFakeGraph(() => pageOf([{ id: '18', comments_count: 4 }]));
    await extractAll(comments, graph, { checkpoint });

    expect(graph.requests.map(({ path }) => path)).toEqual([`/${account.id}/media`]);
  });

  test('is remembered by a reading of so many comments that ids are not kept', async () => {
    const published = new Map([['18', packRead({ count: null, newestMs: startMs - 90_000 })]]);
    const { checkpoint } = await publish([change('1'), change('2')], { published });
    const graph = createFakeGraph(({ path }) =>
      path.endsWith('/media')
        ? pageOf([{ id: '18', comments_count: 5000 }])
        : pageOf([
            { id: '1', timestamp: secondsAgo(70) },
            ...Array.from({ length: 2100 }, (_, index) => ({
              id: String(1000 + index),
              timestamp: secondsAgo(100 + index),
            })),
          ]),
    );
    const poll = await extractAll(comments, graph, { checkpoint });
    const update = poll.pages.at(-1)?.checkpointUpdate;

    expect(poll.nodes).toEqual([]);
    // The listed one counts by its time, the other one is still remembered by its id.
    expect(update?.delivered).toEqual(new Map([['18', new Set(['2'])]]));
    expect(update?.published?.get('18')).toBe(
      packRead({ count: 5000, newestMs: startMs - 70_000 }),
    );
  });

  test('is not published when a poll has published it before: by its id, or by its time', async () => {
    const seen = new Map([['18', new Set(['1'])]]);
    const published = new Map([['18', packRead({ count: 3, newestMs: startMs - 5000 })]]);

    expect((await publish([change('1')], { seen })).graph.requests).toEqual([]);
    expect((await publish([change('1')], { published })).ids).toEqual([]);
  });

  test('is counted and removed when it is gone', async () => {
    const gone = new SkipError('graph.ambiguous', 'does not exist', []);
    const { ids, page } = await publish([change('1'), change('2')], {}, { 1: gone });

    expect(ids).toEqual(['2']);
    expect(page?.skipped).toEqual([{ reason: 'graph.ambiguous', subject: '1' }]);
    expect(page?.processed).toHaveLength(2);
  });

  test('stays in the inbox when its request fails; its neighbours are published', async () => {
    const refused = new FailError('graph.refused', 'unknown');
    const { ids, page } = await publish([change('1'), change('2')], {}, { 1: refused });

    expect(ids).toEqual(['2']);
    expect(page?.processed).toEqual([`${account.id}/comments/2`]);
    expect((await publish([change('1')], {}, { 1: refused })).error).toBe(refused);
  });

  test('is read again without a field that the API rejects', async () => {
    const refused = new SkipError('graph.field-refused', 'no like_count', ['like_count']);
    const answers: Answer[] = [refused, { id: '1', timestamp: secondsAgo(1) }];
    const graph = createFakeGraph(() => answers.shift() ?? {});
    const { pages, nodes } = await extractAll(comments, graph, { changes: [change('1')] });

    expect(graph.requests.at(-1)?.query).toEqual({
      fields: 'id,timestamp,text,hidden,username,from',
    });
    expect(nodes).toHaveLength(1);
    expect(pages[0]?.skipped).toEqual([{ reason: 'graph.field-refused', subject: 'like_count' }]);
  });

  test('by both fields at once is published once, and both changes are removed', async () => {
    const { graph, ids, processed } = await publish([change('5'), { ...live('5'), key: 'live' }]);

    expect(ids).toEqual(['5']);
    expect(graph.requests).toEqual([]);
    expect(processed).toEqual(['live', `${account.id}/comments/5`]);
  });

  test('of a live broadcast is published from its payload, once and without a request', async () => {
    const { graph, nodes, checkpoint } = await publish([live('5')]);

    expect(graph.requests).toEqual([]);
    expect(nodes).toEqual([
      {
        id: '5',
        text: 'hi',
        from: { id: '7', username: 'lena_1' },
        username: 'lena_1',
        media_id: '99',
      },
    ]);
    expect((await publish([live('5')], checkpoint)).ids).toEqual([]);
  });

  test('of a live broadcast is published while the requests of others fail', async () => {
    const refused = new FailError('graph.refused', 'unknown');
    const { ids, error, processed } = await publish([live('5'), change('1')], {}, { 1: refused });

    expect([ids, error, processed]).toEqual([['5'], refused, [live('5').key]]);
  });

  test('of a live broadcast is removed from the inbox once, beside one that is read', async () => {
    const { ids, processed, checkpoint } = await publish([live('5'), change('1')]);

    expect([ids, processed]).toEqual([
      ['5', '1'],
      [live('5').key, change('1').key],
    ]);
    expect(checkpoint.delivered).toEqual(
      new Map([
        ['99', new Set(['5'])],
        ['18', new Set(['1'])],
      ]),
    );
  });

  test('without the ids of a comment is removed without a request', async () => {
    const { graph, page } = await publish([change('1', { media_id: null })]);

    expect([graph.requests, page?.nodes, page?.processed?.length]).toEqual([[], [], 1]);
  });
});
