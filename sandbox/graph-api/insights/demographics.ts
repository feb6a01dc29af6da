import type { Context } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { UserInsightsRequest } from './user-insights.ts';
import { userMetric } from './user-metrics.ts';

const DEMOGRAPHICS = new Set([
  'follower_demographics',
  'engaged_audience_demographics',
  'reached_audience_demographics',
]);

/** True when a metric is one of the three demographics of Instagram accounts. */
export function isDemographics(name: string): boolean {
  return DEMOGRAPHICS.has(name);
}

/** Returns the entry of a demographic metric; throws where there are too few people. */
export function demographicsEntry(
  { account, breakdowns, period, parameters }: UserInsightsRequest,
  name: string,
  context: Context,
): JsonObject[] {
  const timeframe = parameters.get('timeframe');
  const audience = account.audienceAt(name, breakdowns.join(','), context.nowMs, timeframe);
  if (audience === 'refused') {
    throw graphError('not-enough-users');
  }
  const { title, description } = userMetric(name);
  // As documented: a requested time span is a dimension of its own, in capitals.
  const span = timeframe === undefined ? [] : [timeframe.toUpperCase()];
  const breakdown: Record<string, Json> = {
    dimension_keys: [...span.map(() => 'timeframe'), ...breakdowns],
  };
  if (audience !== 'none') {
    const results = resultsOf(audience, span);
    const twice = context.world.conditions.spec.demographicsTwice === true;
    breakdown['results'] =
      twice && breakdowns.join() === 'city' ? results.flatMap(splitFirst) : results;
  }
  const total = breakdowns.length === 0 ? {} : { total_value: { breakdowns: [breakdown] } };
  return [
    { name, period, title, description, ...total, id: `${account.id}/insights/${name}/${period}` },
  ];
}

interface Result {
  readonly dimension_values: readonly string[];
  readonly value: number;
}

/** Splits an entry into two cities of one name. */
function splitFirst({ dimension_values, value }: Result, index: number): JsonObject[] {
  const one = Math.floor(value / 3);
  const values = index === 0 ? [value - one, one] : [value];
  return values.map((part) => ({ dimension_values, value: part }));
}

function resultsOf(
  audience: Readonly<Record<string, number>>,
  span: readonly string[],
): (JsonObject & Result)[] {
  return Object.entries(audience).map(([key, value]) => ({
    // A city's own comma is followed by a space.
    dimension_values: [...span, ...key.split(/,(?! )/)],
    value,
  }));
}
