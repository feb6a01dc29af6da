import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../../src/engine/errors.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { extractAll, graphOf } from './extracting.ts';

const demographics = streams.user_lifetime_insights;
const answer = { data: [{ name: 'follower_demographics', total_value: {} }] };

describe('breakdowns', () => {
  test('are asked one a request, and each node says of which it is', async () => {
    const graph = graphOf(answer, answer, answer);
    const { nodes } = await extractAll(demographics, graph);

    expect(nodes.map((node) => node['breakdown'])).toEqual(['city', 'country', 'age,gender']);
    expect(graph.requests.map(({ path }) => path)).toEqual(
      Array<string>(3).fill('/17841400000000001/insights'),
    );
  });

  test('go on behind one that cannot be had', async () => {
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
  test('go on behind an answer that is invalid (Invariant 3)', async () => {
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
    'end with %s, which is about the account itself',
    async (code) => {
      const gone = new SkipError(code, 'gone', ['17841400000000001']);

      expect((await extractAll(demographics, graphOf(answer, gone))).error).toBe(gone);
    },
  );

  test('bring no node when the answer is empty', async () => {
    const empty = { data: [] };

    expect((await extractAll(demographics, graphOf(empty, empty, empty))).nodes).toEqual([]);
  });

  test('end with trouble that is not the breakdown’s own', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');

    expect((await extractAll(demographics, graphOf(answer, away))).error).toBe(away);
  });
});
