import { detectChangedDays } from '../model/days.ts';
import { type Fields, counts, long, metrics, required, time } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';

const fields: Fields = {
  date: required(time),
  ...metrics({
    follower_count: long,
    reach: long,
    reach_week: long,
    reach_days_28: long,
    online_followers: counts,
  }),
};

/**
 * Daily values; four requests per window are merged by the day's `end_time`.
 * @see https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights (read 2026-11)
 */
export const userInsights = declareStream({
  name: 'user_insights',
  isDefault: true,
  interval: '3h',
  mode: 'incremental',
  doc: 'Reach, new followers and hours online of each day; corrections are published again.',
  eventTime: 'date',
  key: ['business_account_id', 'date'],
  request: {
    kind: 'series',
    requests: [
      {
        period: 'day',
        metrics: { follower_count: 'follower_count', reach: 'reach' },
        recentOnly: ['follower_count'],
      },
      { period: 'week', metrics: { reach: 'reach_week' }, recentOnly: [] },
      { period: 'days_28', metrics: { reach: 'reach_days_28' }, recentOnly: [] },
      {
        period: 'lifetime',
        metrics: { online_followers: 'online_followers' },
        recentOnly: ['online_followers'],
      },
    ],
  },
  toRecord: recordOf(fields),
  detectChanges: detectChangedDays,
});
