import { declareStream } from './stream.ts';
import { demographicBreakdowns, demographicsRecord } from './demographics.ts';

/**
 * Followers of the account by city, country, and age with gender. Under 100 followers Meta answers
 * without results: no record is published, and the answer is counted.
 */
export const userLifetimeInsights = declareStream({
  name: 'user_lifetime_insights',
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  mode: 'full',
  doc: 'Follower demographics: the top 45 of each breakdown.',
  key: ['business_account_id', 'breakdown'],
  request: {
    kind: 'breakdowns',
    metric: 'follower_demographics',
    period: 'lifetime',
    breakdowns: demographicBreakdowns,
  },
  toRecord: demographicsRecord(),
});
