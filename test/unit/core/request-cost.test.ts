import { describe, expect, test } from '@jest/globals';
import { describeCost, requestCost } from '../../../src/core/request-cost.ts';
import { streams } from '../../../src/streams/index.ts';

const costOf = (name: keyof typeof streams, login: 'facebook' | 'instagram' = 'facebook') =>
  describeCost(requestCost(streams[name].source, login));

describe('requestCost', () => {
  test('counts the requests that each kind of source makes', () => {
    expect(costOf('users')).toBe('1 per 50 accounts that are due together');
    expect(costOf('media')).toBe('1 a page');
    expect(costOf('user_insights')).toBe('4 a window of 30 days');
    expect(costOf('user_daily_totals')).toBe('2 a day');
    expect(costOf('user_lifetime_insights')).toBe('3 a poll');
    expect(costOf('comments')).toBe('1 per 50 media with another comments_count, and the list');
  });

  test('takes the kind of media that has most sets of metrics', () => {
    const source = {
      kind: 'insights',
      edge: 'media',
      listFields: {},
      groups: (listed: object) =>
        'media_product_type' in listed && listed.media_product_type === 'REELS'
          ? [{ metrics: ['a'] }, { metrics: ['b'] }, { metrics: ['c'] }]
          : [{ metrics: ['a'] }],
    } as const;

    expect(requestCost(source, 'facebook')).toEqual({
      requests: 3,
      per: '50 media of a kind',
      list: true,
    });
  });
});
