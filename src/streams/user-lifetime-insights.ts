import { decode } from '../core/decode.ts';
import { required, text } from '../core/fields.ts';
import { breakdownCounts } from '../core/metric-values.ts';
import { provenance } from '../core/record.ts';
import type { Stream } from '../core/stream.ts';

/** `breakdown` was put there by the request; the API does not repeat it as it was asked. */
const fields = { name: required(text), breakdown: required(text) };

/** What else an insights answer says of a metric; none of it is news to anybody. */
const described = ['period', 'title', 'description', 'total_value', 'id'];

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
    const { value: metric, unknown } = decode(fields, node);
    const value = breakdownCounts(node);
    if (value === undefined) return { kind: 'skipped', reason: 'graph.not-enough-users' };
    return {
      kind: 'record',
      record: {
        ...provenance(origin),
        metric: metric['name'] ?? null,
        breakdown: metric['breakdown'] ?? null,
        value,
      },
      unknown: unknown.filter((field) => !described.includes(field)),
    };
  },
};
