import { describe, expect, test } from '@jest/globals';
import { detectChangedDays } from '../../../../src/instagram/model/days.ts';
import { userInsights } from '../../../../src/instagram/streams/user-insights.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

describe('stream user_insights', () => {
  test.each(['facebook', 'instagram'] as const)(
    'sends four requests per window with %s login',
    async (login) => {
      const path = '/17841400000000001/insights';
      // 2026-05-09T12:00Z, the cursor less the look-back, to 2026-05-13T12:00Z, a day ahead.
      const window = { since: '1778328000', until: '1778673600' };

      expect(await requestsOf(userInsights, { login })).toEqual([
        { path, query: { metric: 'follower_count,reach', period: 'day', ...window } },
        { path, query: { metric: 'reach', period: 'week', ...window } },
        { path, query: { metric: 'reach', period: 'days_28', ...window } },
        { path, query: { metric: 'online_followers', period: 'lifetime', ...window } },
      ]);
    },
  );

  test('is incremental and settles by day', () => {
    expect(userInsights.mode).toBe('incremental');
    expect(userInsights.detectChanges).toBe(detectChangedDays);
  });

  test('maps a day', () => {
    const node = {
      date: '2026-01-12T08:00:00+0000',
      follower_count: 4,
      reach: 100,
      reach_week: 650,
      reach_days_28: 2400,
      online_followers: { '0': 12, '23': 40 },
    };

    expect(userInsights.toRecord(node, origin)).toEqual(
      mappedTo({ ...provenance, ...node, date: Date.UTC(2026, 0, 12, 8) }),
    );
  });

  test('maps a day that has only the metric reach and empty online_followers, an empty list in PHP', () => {
    const node = { date: '2026-05-12T07:00:00+0000', reach: 0, online_followers: [] };

    expect(userInsights.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        date: Date.UTC(2026, 4, 12, 7),
        follower_count: null,
        reach: 0,
        reach_week: null,
        reach_days_28: null,
        online_followers: {},
      }),
    );
  });
});
