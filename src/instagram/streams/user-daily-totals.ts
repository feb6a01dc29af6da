import { detectChangedTotals } from '../model/daily-totals.ts';
import { type Fields, long, metrics, required, text, time } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { longReachMs } from '../model/windows.ts';
import { declareStream } from './stream.ts';

const totals: Fields = {
  views: long,
  accounts_engaged: long,
  total_interactions: long,
  likes: long,
  comments: long,
  shares: long,
  saves: long,
  replies: long,
  reposts: long,
  profile_links_taps: long,
  profile_views: long,
  website_clicks: long,
};

const fields: Fields = {
  date: required(time),
  day: required(text),
  ...metrics({ ...totals, follows: long, unfollows: long }),
};

/**
 * Totals of the requested time. Two requests per day: the API rejects a metric by its parts beside
 * others, and without its parts `follows_and_unfollows` has no value.
 * @see https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights (read 2026-11)
 */
export const userDailyTotals = declareStream({
  name: 'user_daily_totals',
  interval: '12h',
  priority: 'backfill',
  mode: 'incremental',
  doc: 'Views, interactions, likes, saves, taps, follows and unfollows of each day.',
  eventTime: 'date',
  impressions: 'views',
  key: ['business_account_id', 'date'],
  request: {
    kind: 'totals',
    requests: [
      { metrics: Object.keys(totals) },
      {
        metrics: ['follows_and_unfollows'],
        // FOLLOWER counts people who started to follow; NON_FOLLOWER, people who stopped. In other
        // metrics they distinguish viewers.
        parts: {
          breakdown: 'follow_type',
          fields: { FOLLOWER: 'follows', NON_FOLLOWER: 'unfollows' },
        },
      },
    ],
    catchUpMs: longReachMs,
  },
  toRecord: recordOf(fields),
  detectChanges: detectChangedTotals,
});
