import { counts, required, text } from '../core/fields.ts';
import { breakdownCounts } from '../core/metric-values.ts';
import { recordOf } from '../core/record.ts';
import type { Stream } from '../core/stream.ts';

const mapped = recordOf({
  metric: required(text),
  breakdown: required(text),
  value: required(counts),
});

/**
 * Who follows the account, by city, country, and age with gender. Under 100 followers Meta answers
 * without results: no record, counted.
 */
export const userLifetimeInsights: Stream = {
  name: 'user_lifetime_insights',
  mode: 'full',
  doc: 'Follower demographics: the top 45 of each breakdown.',
  key: ['business_account_id', 'breakdown'],
  source: {
    kind: 'breakdowns',
    metric: 'follower_demographics',
    period: 'lifetime',
    breakdowns: ['city', 'country', 'age,gender'],
  },
  toRecord: (node, origin) => {
    const value = breakdownCounts(node);
    if (value === undefined) return { kind: 'skipped', reason: 'graph.not-enough-users' };
    return mapped(
      { metric: node['name'] ?? null, breakdown: node['breakdown'] ?? null, value },
      origin,
    );
  },
};
