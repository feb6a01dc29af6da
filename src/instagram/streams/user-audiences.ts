import { declareStream, type InstagramStream } from './stream.ts';
import { demographicBreakdowns, demographicsRecord } from './demographics.ts';

/**
 * The time span that these two metrics require: the longer one. Meta rejects a span with under 100
 * people, and a month reaches 100 sooner than a week.
 *
 * @see https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights (read 2026-11)
 */
const timeframe = 'this_month';

const audience = (
  metric: string,
): Pick<InstagramStream, 'mode' | 'key' | 'request' | 'toRecord'> => ({
  mode: 'full',
  key: ['business_account_id', 'breakdown'],
  request: {
    kind: 'breakdowns',
    metric,
    period: 'lifetime',
    breakdowns: demographicBreakdowns,
    timeframe,
  },
  toRecord: demographicsRecord({ timeframe }),
});

/**
 * People who liked, commented, shared or saved. Under 100 such people Meta rejects the request
 * (3006): no record is published, and the rejection is counted.
 */
export const userEngagedAudience = declareStream({
  name: 'user_engaged_audience',
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  doc: 'Demographics of who interacted with the content this month: the top 45 of each breakdown.',
  ...audience('engaged_audience_demographics'),
});

/**
 * People who saw the content. Under 100 such people Meta rejects the request (3006): no record is
 * published, and the rejection is counted.
 */
export const userReachedAudience = declareStream({
  name: 'user_reached_audience',
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  doc: 'Demographics of who was reached by the content this month: the top 45 of each breakdown.',
  ...audience('reached_audience_demographics'),
});
