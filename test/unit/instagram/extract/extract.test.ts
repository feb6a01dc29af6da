import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../../src/engine/errors.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { profile } from '../../engine/supervision.ts';
import { extractAll, graphOf } from './extracting.ts';

describe('object extraction', () => {
  const fields = (name: string) =>
    ({ [name]: { field: { kind: 'text' }, required: false } }) as const;

  test('sends one request and returns one node', async () => {
    const graph = graphOf({ id: '17841400000000001' });
    const { pages } = await extractAll(profile, graph);

    expect(pages).toEqual([
      { nodes: [{ id: '17841400000000001' }], skipped: [], coveredUntilMs: null },
    ]);
    expect(graph.requests).toEqual([
      {
        endpoint: '/{account}',
        path: '/17841400000000001',
        query: { fields: 'id' },
        accountId: '17841400000000001',
      },
    ]);
  });

  test('repeats the request without a field that the API rejects', async () => {
    const request = { kind: 'object', fields: { ...fields('id'), ...fields('website') } } as const;
    const graph = graphOf(new SkipError('graph.field-refused', 'no', ['website']), { id: '1' });
    const { pages } = await extractAll({ ...profile, request }, graph);

    expect(graph.queries).toEqual([{ fields: 'id,website' }, { fields: 'id' }]);
    expect(pages[0]?.skipped).toEqual([{ reason: 'graph.field-refused', subject: 'website' }]);
  });
});

describe('breakdown extraction', () => {
  const demographics = streams.user_lifetime_insights;
  const answer = { data: [{ name: 'follower_demographics', total_value: {} }] };

  test('sends one request per breakdown, and each node names its breakdown', async () => {
    const graph = graphOf(answer, answer, answer);
    const { nodes } = await extractAll(demographics, graph);

    expect(nodes.map((node) => node['breakdown'])).toEqual(['city', 'country', 'age,gender']);
    expect(graph.requests.map(({ path }) => path)).toEqual(
      Array<string>(3).fill('/17841400000000001/insights'),
    );
  });

  test('continues after a breakdown that the API skips', async () => {
    const few = new SkipError('graph.not-enough-users', 'Not enough users');
    const { pages, error } = await extractAll(demographics, graphOf(answer, few, answer));

    expect(error).toBeUndefined();
    expect(pages.map(({ nodes, skipped }) => [nodes.length, skipped])).toEqual([
      [1, []],
      [0, [{ reason: 'graph.not-enough-users', subject: 'country' }]],
      [1, []],
    ]);
  });

  // Invariant 3
  test('continues after an invalid answer (Invariant 3)', async () => {
    const { pages, error } = await extractAll(
      demographics,
      graphOf({ data: [null, answer.data[0] ?? null] }, { data: 'n/a' }, answer),
    );

    expect(error).toBeUndefined();
    expect(
      pages.map(({ nodes, rejected = [] }) => [nodes.length, rejected.map(({ path }) => path)]),
    ).toEqual([
      [1, ['insights.data[0]']],
      [0, ['insights.data']],
      [1, []],
    ]);
  });

  test.each(['graph.ambiguous', 'graph.gone'] as const)(
    'ends with %s, an error about the account itself',
    async (code) => {
      const gone = new SkipError(code, 'gone', ['17841400000000001']);

      expect((await extractAll(demographics, graphOf(answer, gone))).error).toBe(gone);
    },
  );

  test('returns no node when the answer is empty', async () => {
    const empty = { data: [] };

    expect((await extractAll(demographics, graphOf(empty, empty, empty))).nodes).toEqual([]);
  });

  test('ends with an error that is not about the breakdown', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');

    expect((await extractAll(demographics, graphOf(answer, away))).error).toBe(away);
  });
});
