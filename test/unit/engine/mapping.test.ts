import { describe, expect, test } from '@jest/globals';
import { DeadLetterError } from '../../../src/engine/errors.ts';
import { mapPage } from '../../../src/engine/mapping.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { account } from '../../support/accounts.ts';
import { posts, startMs } from './world.ts';

const origin = { account, polledAtMs: startMs };
const page = { skipped: [], coveredUntilMs: null };

describe('mapPage', () => {
  // Invariant 3
  test('puts every node in exactly one place: record, dead letter or skipped (Invariant 3)', () => {
    const mapped = mapPage(
      streams.user_lifetime_insights,
      {
        ...page,
        nodes: [
          { name: 'follower_demographics', breakdown: 'city' },
          { breakdown: 'country' },
          {
            name: 'follower_demographics',
            breakdown: 'age,gender',
            total_value: {
              breakdowns: [{ results: [{ dimension_values: ['18-24', 'F'], value: 3 }] }],
            },
          },
        ],
      },
      origin,
    );

    expect(mapped.records.map((record) => record['value'])).toEqual([{ '18-24,F': 3 }]);
    expect(mapped.rejected.map(({ path }) => path)).toEqual(['name']);
    expect(mapped.skipped).toEqual(['graph.not-enough-users']);
  });

  test('maps the nodes after an invalid one, and keeps the path and the raw text of the invalid one', () => {
    const mapped = mapPage(
      posts,
      { ...page, nodes: [{ id: '1' }, { id: '2', like_count: 'many' }, { id: '3' }] },
      origin,
    );

    expect(mapped.records.map((record) => record['id'])).toEqual(['1', '3']);
    expect(mapped.rejected).toMatchObject([
      { code: 'mapping.invalid', path: 'like_count', raw: '{"id":"2","like_count":"many"}' },
    ]);
  });

  // Invariant 3
  test('keeps a record when parts of it or of its page are dead-lettered (Invariant 3)', () => {
    const ofPage = new DeadLetterError('graph.bad-body', 'no node', { path: 'data[1]', raw: '7' });
    const nodes = [{ id: '1', reach: 'n/a', views: 5 }];
    const mapped = mapPage(streams.media_insights, { ...page, nodes, rejected: [ofPage] }, origin);

    expect(mapped.records).toMatchObject([{ id: '1', reach: null, views: 5 }]);
    expect(mapped.rejected.map(({ path }) => path)).toEqual(['data[1]', 'reach']);
  });

  test('lists each unknown field of a page once', () => {
    const nodes = [
      { id: '1', a: 1 },
      { id: '2', a: 1, b: 2 },
    ];

    expect([...mapPage(posts, { ...page, nodes }, origin).unknown]).toEqual(['a', 'b']);
  });

  test('keeps the reasons for which the extractor skipped objects', () => {
    const skipped = [{ reason: 'graph.gone', subject: '7' } as const];

    expect(mapPage(posts, { ...page, nodes: [], skipped }, origin).skipped).toEqual(['graph.gone']);
  });

  test('rethrows an error that is not a rejection', () => {
    const broken = {
      ...posts,
      toRecord: () => {
        throw new TypeError('a bug');
      },
    };

    expect(() => mapPage(broken, { ...page, nodes: [{ id: '1' }] }, origin)).toThrow('a bug');
  });
});
