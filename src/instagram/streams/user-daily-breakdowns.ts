import { detectChangedTotals } from '../model/daily-totals.ts';
import { type Fields, counts, metrics, required, text, time } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream, type TotalsRequest } from './stream.ts';

/**
 * The metrics of each breakdown. `follows_and_unfollows` by follow type is in `user_daily_totals`.
 * @see https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights (read 2026-11)
 */
const metricsBy: Readonly<Record<string, readonly string[]>> = {
  follow_type: ['views', 'reach'],
  media_product_type: [
    'views',
    'reach',
    'total_interactions',
    'likes',
    'comments',
    'shares',
    'saves',
  ],
  contact_button_type: ['profile_links_taps'],
};

/** Each metric by each breakdown, alone: the API rejects it beside other metrics. */
const requests = Object.entries(metricsBy).flatMap(([breakdown, names]) =>
  names.map((metric) => ({ metric, breakdown, field: `${metric}_by_${breakdown}` })),
);

const fields: Fields = {
  date: required(time),
  day: required(text),
  ...metrics(Object.fromEntries(requests.map(({ field }) => [field, counts]))),
};

/**
 * The state holds all parts of incomplete days, 3 KB a day: two years of them would exceed the
 * largest message of a topic (Invariant 10). A rejected metric is requested again after a week.
 */
const catchUpMs = 14 * 24 * 3_600_000;

export const userDailyBreakdowns = declareStream({
  name: 'user_daily_breakdowns',
  interval: '24h',
  priority: 'backfill',
  mode: 'incremental',
  doc: 'Views, reach, interactions and profile taps of each day, by type of viewer, media or button.',
  eventTime: 'date',
  key: ['business_account_id', 'date'],
  request: {
    kind: 'totals',
    requests: requests.map(({ metric, breakdown, field }): TotalsRequest => ({
      metrics: [metric],
      parts: { breakdown, fields: field },
    })),
    catchUpMs,
  },
  toRecord: recordOf(fields),
  detectChanges: (records, context) => detectChangedTotals(records, context, catchUpMs),
});
