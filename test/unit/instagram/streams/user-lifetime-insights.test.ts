import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../../src/engine/json.ts';
import { userLifetimeInsights } from '../../../../src/instagram/streams/demographics.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

const metric = (breakdown: string, totalValue: Node): Node => ({
  name: 'follower_demographics',
  period: 'lifetime',
  title: 'Follower demographics',
  description: 'The demographic characteristics of followers.',
  total_value: totalValue,
  id: '17841400000000001/insights/follower_demographics/lifetime',
  breakdown,
});

describe('stream user_lifetime_insights', () => {
  test.each(['facebook', 'instagram'] as const)(
    'requests each breakdown once with %s login',
    async (login) => {
      const path = '/17841400000000001/insights';
      const query = {
        metric: 'follower_demographics',
        period: 'lifetime',
        metric_type: 'total_value',
      };

      expect(await requestsOf(userLifetimeInsights, { login })).toEqual([
        { path, query: { ...query, breakdown: 'city' } },
        { path, query: { ...query, breakdown: 'country' } },
        { path, query: { ...query, breakdown: 'age,gender' } },
      ]);
    },
  );

  test('maps two dimensions to keys joined with a comma', () => {
    const node = metric('age,gender', {
      breakdowns: [
        {
          dimension_keys: ['age', 'gender'],
          results: [
            { dimension_values: ['18-24', 'F'], value: 30 },
            { dimension_values: ['65+', 'U'], value: 1 },
          ],
        },
      ],
    });

    expect(userLifetimeInsights.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        metric: 'follower_demographics',
        breakdown: 'age,gender',
        value: { '18-24,F': 30, '65+,U': 1 },
      }),
    );
  });

  // Invariant 3
  test('publishes the other cities beside an invalid one, and adds up cities of the same name (Invariant 3)', () => {
    const results = [
      { dimension_values: ['Springfield'], value: 300 },
      { dimension_values: [null], value: 7 },
      { dimension_values: ['Springfield'], value: 41 },
    ];
    const node = metric('city', { breakdowns: [{ dimension_keys: ['city'], results }] });

    expect(userLifetimeInsights.toRecord(node, origin)).toMatchObject({
      kind: 'record',
      record: { breakdown: 'city', value: { Springfield: 341 } },
      rejected: [{ path: 'total_value.breakdowns[0].results[1].dimension_values' }],
    });
  });

  test.each([
    ['no breakdowns', {}],
    ['no results', { breakdowns: [{ dimension_keys: ['city'] }] }],
    ['empty results', { breakdowns: [{ dimension_keys: ['city'], results: [] }] }],
  ])('skips an answer with %s: fewer than 100 followers', (_what, total) => {
    expect(userLifetimeInsights.toRecord(metric('city', total), origin)).toEqual({
      kind: 'skipped',
      reason: 'graph.not-enough-users',
    });
  });
});
