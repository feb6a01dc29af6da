import { describe, expect, test } from '@jest/globals';
import {
  FailError,
  RetryError,
  SkipError,
  StopStreamError,
} from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, createFakeGraph } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../../engine/world.ts';
import { extractAll, graphOf } from './extracting.ts';

const publicContent = {
  users: ['one', 'two'],
  mediaAgeMs: 30 * dayMs,
  hashtags: [],
  hashtagPages: 1,
};
const unknown = new SkipError('graph.user-not-public', 'Invalid user id');

const user = (id: string, fields: Node = {}): Node => ({
  business_discovery: { id, ...fields },
  id: account.id,
});

/** A page of media, each so many days old. */
const mediaPage = (agesDays: readonly number[], after?: string): Node =>
  user('333', {
    media: {
      data: agesDays.map((age) => ({
        id: `${age}`,
        timestamp: new Date(startMs - age * dayMs).toISOString().replace('.000Z', '+0000'),
      })),
      ...(after !== undefined && { paging: { cursors: { before: 'b', after } } }),
    },
  });

/** An API that answers each name by a rule. */
const byName = (answers: Readonly<Record<string, Answer>>) =>
  createFakeGraph(({ query }) => {
    const name = /username\((\w+)\)/.exec(query['fields'] ?? '')?.[1] ?? '';
    return answers[name] ?? new Error(`no answer for ${name}`);
  });

const extractUsers = (graph: ReturnType<typeof byName>, changes = {}) =>
  extractAll(streams.discovered_users, graph, { publicContent, ...changes });

const extractMedia = (graph: ReturnType<typeof byName>, changes = {}) =>
  extractAll(streams.discovered_media, graph, {
    publicContent: { ...publicContent, users: ['one'] },
    ...changes,
  });

describe('discovered users', () => {
  test('are requested once for each name, by the platform limit', async () => {
    const graph = byName({ one: user('1'), two: user('2') });
    const { nodes, error } = await extractUsers(graph);

    expect(error).toBeUndefined();
    expect(nodes).toEqual([{ id: '1' }, { id: '2' }]);
    expect(graph.requests[0]).toEqual({
      endpoint: '/{account}/business_discovery',
      path: '/17841400000000001',
      query: {
        fields:
          'business_discovery.username(one){id,username,name,biography,website,followers_count,follows_count,media_count,profile_picture_url}',
      },
      accountId: '17841400000000001',
      limit: 'platform',
    });
  });

  test('request nothing while no name is listed', async () => {
    const graph = graphOf();
    const { nodes, error } = await extractUsers(graph, {
      publicContent: { ...publicContent, users: [] },
    });

    expect([nodes, error, graph.requests]).toEqual([[], undefined, []]);
  });

  test('skip a personal, private or unknown name by name, and request it again a day later', async () => {
    const graph = byName({ one: unknown, two: user('2') });
    const first = await extractUsers(graph);
    const rejections = first.pages.at(-1)?.checkpointUpdate?.rejections ?? [];
    const checkpoint = { ...emptyCheckpoint, rejections };
    const skipped = [{ subject: '@one', reason: 'graph.user-not-public' }];

    expect(first.nodes).toEqual([{ id: '2' }]);
    expect(first.pages.flatMap((page) => page.skipped)).toEqual(skipped);
    expect(rejections).toEqual([
      { subject: '@one', metric: null, reason: 'graph.user-not-public', untilMs: startMs + dayMs },
    ]);

    const later = await extractUsers(graph, { checkpoint, nowMs: startMs + dayMs - 1 });
    expect(later.pages.flatMap((page) => page.skipped)).toEqual(skipped);
    expect(later.pages.at(-1)?.checkpointUpdate?.rejections).toEqual(rejections);
    expect(graph.requests).toHaveLength(3);
    await extractUsers(graph, { checkpoint, nowMs: startMs + dayMs });
    expect(graph.requests).toHaveLength(5);
  });

  test('forget the rejection of a name that is no longer listed', async () => {
    const rejected = {
      metric: null,
      reason: 'graph.user-not-public',
      untilMs: startMs + 1,
    } as const;
    const rejections = [{ ...rejected, subject: '@gone' }];
    const { pages } = await extractUsers(byName({ one: user('1'), two: user('2') }), {
      checkpoint: { ...emptyCheckpoint, rejections },
    });

    expect(pages.at(-1)?.checkpointUpdate?.rejections).toEqual([]);
  });

  test('skip every name without an error when all are unknown', async () => {
    const { error, pages } = await extractUsers(byName({ one: unknown, two: unknown }));

    expect(error).toBeUndefined();
    expect(pages.at(-1)?.checkpointUpdate?.rejections).toHaveLength(2);
  });

  test.each([
    ['an error that no row of the table matches', new FailError('graph.refused', 'odd'), 1],
    ['an error of the server', new RetryError('graph.server', 'HTTP 500'), 0],
  ])('skip a name with %s while others are answered', async (_what, failure, lasting) => {
    const { error, nodes, pages } = await extractUsers(byName({ one: failure, two: user('2') }));

    expect([error, nodes]).toEqual([undefined, [{ id: '2' }]]);
    expect(pages.at(-1)?.skipped).toEqual([{ subject: '@one', reason: 'graph.user-not-public' }]);
    expect(pages.at(-1)?.checkpointUpdate?.rejections).toHaveLength(lasting);
  });

  test('fail when every name has an error of another kind', async () => {
    const odd = new SkipError('graph.ambiguous', 'Unsupported get request');
    const { error } = await extractUsers(byName({ one: odd, two: odd }));

    expect(error).toEqual(new FailError('graph.ambiguous', '@one: Unsupported get request'));
  });

  test('stop at an error of no single name, such as a missing permission', async () => {
    const denied = new StopStreamError('graph.permission', 'no permission');
    const graph = byName({ one: denied, two: user('2') });

    expect((await extractUsers(graph)).error).toBe(denied);
    expect(graph.requests).toHaveLength(1);
  });

  test('skip a name whose answer has no account, as that of an age-gated one', async () => {
    const { nodes, pages } = await extractUsers(
      byName({ one: { id: account.id }, two: user('2') }),
    );

    expect(nodes).toEqual([{ id: '2' }]);
    expect(pages.at(-1)?.checkpointUpdate?.rejections).toMatchObject([{ subject: '@one' }]);
  });

  test('write an answer whose account is no object to the dead letters, and read the others', async () => {
    const { nodes, pages, error } = await extractUsers(
      byName({ one: { business_discovery: 'odd', id: account.id }, two: user('2') }),
    );

    expect([error, nodes]).toEqual([undefined, [{ id: '2' }]]);
    expect(pages[0]?.rejected).toMatchObject([
      { code: 'graph.bad-body', path: 'business_discovery' },
    ]);
  });

  test('are requested without a field that the API rejects', async () => {
    const no = new SkipError('graph.field-refused', 'nonexisting field (website)', ['website']);
    const graph = createFakeGraph(({ query }) =>
      query['fields']?.includes('website') === true ? no : user('1'),
    );
    const { nodes, pages } = await extractUsers(graph);

    expect(nodes).toHaveLength(2);
    expect(pages[0]?.skipped).toEqual([{ subject: 'website', reason: 'graph.field-refused' }]);
  });
});

describe('discovered media', () => {
  test('are read by the cursor in the field, until a page ends with an old media', async () => {
    const graph = graphOf(mediaPage([1, 2], 'QV'), mediaPage([29, 31], 'QW'));
    const { nodes, error } = await extractMedia(graph, { pageSize: 2 });

    expect(error).toBeUndefined();
    // The whole page is published: the calls are spent.
    expect(nodes.map(({ id, user_id }) => [id, user_id])).toEqual([
      ['1', '333'],
      ['2', '333'],
      ['29', '333'],
      ['31', '333'],
    ]);
    expect(graph.queries.map(({ fields }) => fields?.replace(/\{id,media_type.*/, ''))).toEqual([
      'business_discovery.username(one){id,media.limit(2)',
      'business_discovery.username(one){id,media.limit(2).after(QV)',
    ]);
  });

  test.each([
    ['an empty page', [mediaPage([1], 'QV'), mediaPage([])]],
    ['a page without a cursor', [mediaPage([1])]],
    ['a cursor that repeats', [mediaPage([1], 'QV'), mediaPage([2], 'QV')]],
    ['an account without media', [user('333')]],
  ])('end at %s', async (_what, answers) => {
    const graph = graphOf(...answers);

    expect((await extractMedia(graph)).error).toBeUndefined();
    expect(graph.requests).toHaveLength(answers.length);
  });

  test('are requested in smaller pages when one is too large', async () => {
    const tooMuch = new RetryError('graph.too-much-data', 'Please reduce the amount of data');
    const graph = createFakeGraph(({ query }) =>
      query['fields']?.includes('limit(100)') === true ? tooMuch : mediaPage([1]),
    );

    expect((await extractMedia(graph)).nodes).toHaveLength(1);
    expect(graph.requests).toHaveLength(2);
  });
});
