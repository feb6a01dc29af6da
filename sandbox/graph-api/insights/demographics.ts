import type { Context } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { FOLLOWERS_FOR_DETAIL } from '../world/series.ts';
import type { UserInsightsRequest } from './user-insights.ts';
import { userMetric } from './user-metrics.ts';

/** Share of the followers' numbers that the engaged and the reached audience show. */
const SHARES: Readonly<Record<string, number>> = {
  follower_demographics: 1,
  engaged_audience_demographics: 0.2,
  reached_audience_demographics: 1.6,
};

/** Whether a metric is one of the three demographics that Instagram accounts have. */
export function isDemographics(name: string): boolean {
  return name in SHARES;
}

/**
 * The entry of a demographic metric. Under a hundred followers `follower_demographics` comes
 * without results, the other two are refused.
 */
export function demographicsEntry(
  { account, breakdowns, period }: UserInsightsRequest,
  name: string,
  context: Context,
): JsonObject[] {
  const followers = Number(account.userAt(context.nowMs)['followers_count'] ?? 0);
  const small = followers < FOLLOWERS_FOR_DETAIL;
  if (small && name !== 'follower_demographics') {
    throw graphError('not-enough-users');
  }
  const { title, description } = userMetric(name);
  const spread = small ? undefined : account.demographicsAt(context.nowMs)[breakdowns.join(',')];
  const breakdown: Record<string, Json> = { dimension_keys: breakdowns };
  if (spread !== undefined) {
    breakdown['results'] = resultsOf(spread, SHARES[name] ?? 0);
  }
  const total = breakdowns.length === 0 ? {} : { total_value: { breakdowns: [breakdown] } };
  return [
    { name, period, title, description, ...total, id: `${account.id}/insights/${name}/${period}` },
  ];
}

function resultsOf(spread: Readonly<Record<string, number>>, share: number): JsonObject[] {
  return Object.entries(spread).map(([key, value]) => ({
    // A city has a comma of its own, after which comes a space.
    dimension_values: key.split(/,(?! )/),
    value: Math.ceil(value * share),
  }));
}
