import { declareStream, type InstagramStream } from './stream.ts';
import { demographicBreakdowns, demographicsRecord } from './demographics.ts';

/**
 * These two metrics must be asked with a span. The longer one: Meta refuses it under 100 people, and a
 * month has them sooner than a week.
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

/** Who liked, commented, shared or saved; under 100 such people Meta refuses (3006): no record, counted. */
export const userEngagedAudience = declareStream({
  name: 'user_engaged_audience',
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  doc: 'Demographics of who interacted with the content this month: the top 45 of each breakdown.',
  ...audience('engaged_audience_demographics'),
});

/** Who saw the content; under 100 such people Meta refuses (3006): no record, counted. */
export const userReachedAudience = declareStream({
  name: 'user_reached_audience',
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  doc: 'Demographics of who was reached by the content this month: the top 45 of each breakdown.',
  ...audience('reached_audience_demographics'),
});
