import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../../src/engine/json.ts';
import {
  userEngagedAudience,
  userEngagedAudienceWeek,
  userReachedAudience,
  userReachedAudienceWeek,
} from '../../../../src/instagram/streams/demographics.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

const metric = (breakdown: string, keys: readonly string[], results: Node['x']): Node => ({
  name: 'reached_audience_demographics',
  total_value: { breakdowns: [{ dimension_keys: keys, results }] },
  breakdown,
});

describe.each([
  [userEngagedAudience, 'engaged_audience_demographics', 'this_month'],
  [userReachedAudience, 'reached_audience_demographics', 'this_month'],
  [userEngagedAudienceWeek, 'engaged_audience_demographics', 'this_week'],
  [userReachedAudienceWeek, 'reached_audience_demographics', 'this_week'],
])('stream $name', (stream, name, timeframe) => {
  test.each(['facebook', 'instagram'] as const)(
    'requests each breakdown once, for its time span, with %s login',
    async (login) => {
      const path = '/17841400000000001/insights';
      const query = { metric: name, period: 'lifetime', metric_type: 'total_value' };

      expect(await requestsOf(stream, { login })).toEqual([
        { path, query: { ...query, breakdown: 'city', timeframe } },
        { path, query: { ...query, breakdown: 'country', timeframe } },
        { path, query: { ...query, breakdown: 'age,gender', timeframe } },
      ]);
    },
  );
});

test.each([userReachedAudienceWeek, userEngagedAudienceWeek])(
  'stream $name: its records have the week as their time span',
  ({ toRecord }) => {
    const keys = ['timeframe', 'country'];
    const results = [{ dimension_values: ['THIS_WEEK', 'DE'], value: 30 }];

    expect(toRecord(metric('country', keys, results), origin)).toMatchObject({
      record: { breakdown: 'country', timeframe: 'this_week', value: { DE: 30 } },
    });
  },
);

describe('record of stream user_reached_audience', () => {
  test.each([
    ['as documented', ['timeframe', 'age', 'gender'], ['THIS_MONTH', '18-24', 'F']],
    ['as recorded without a span', ['age', 'gender'], ['18-24', 'F']],
  ])('joins the dimensions without the timeframe, %s', (_what, keys, values) => {
    const results = [{ dimension_values: values, value: 30 }];

    expect(userReachedAudience.toRecord(metric('age,gender', keys, results), origin)).toEqual(
      mappedTo({
        ...provenance,
        metric: 'reached_audience_demographics',
        breakdown: 'age,gender',
        timeframe: 'this_month',
        value: { '18-24,F': 30 },
      }),
    );
  });

  test('is skipped when the answer has no results', () => {
    expect(userReachedAudience.toRecord(metric('city', ['city'], []), origin)).toEqual({
      kind: 'skipped',
      reason: 'graph.not-enough-users',
    });
  });
});
