import { decode } from '../model/decode.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { required, text } from '../model/fields.ts';
import type { Node, Value } from '../../engine/json.ts';
import { breakdownCounts } from '../model/metric-values.ts';
import { provenance, type Mapped, type Origin } from '../../engine/stream.ts';
import { declareStream, type InstagramStream } from './stream.ts';

/** The extractor adds `breakdown`; the API does not repeat it in the form of the request. */
const fields = { name: required(text), breakdown: required(text) };

/** Known fields of an insights answer that no record holds; they are not reported as unknown. */
const described = ['period', 'title', 'description', 'total_value', 'id'];

const breakdowns = ['city', 'country', 'age,gender'] as const;

/**
 * Creates the mapping of a metric with one breakdown. An answer without results means too few
 * people: no record is published, and the answer is counted.
 * @param parameters - further parameters of the request, which become fields of the record
 */
function demographicsRecord(parameters: Value = {}): (node: Node, origin: Origin) => Mapped {
  return (node, origin) => {
    const { value: metric, unknown } = decode(fields, node);
    const rejected: DeadLetterError[] = [];
    const value = breakdownCounts(node, rejected);
    if (value === undefined) return { kind: 'skipped', reason: 'graph.not-enough-users' };
    return {
      kind: 'record',
      record: {
        ...provenance(origin),
        metric: metric['name'] ?? null,
        breakdown: metric['breakdown'] ?? null,
        ...parameters,
        value,
      },
      unknown: unknown.filter((field) => !described.includes(field)),
      rejected,
    };
  };
}

/**
 * The time spans of the two audiences; their metrics require one. Meta rejects a span with under 100
 * people, and a month reaches 100 sooner than a week. Each has a stream: in one topic, two spans
 * would be two meanings under one key.
 * @see https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights (read 2026-11)
 */
const thisMonth = { timeframe: 'this_month' };
const thisWeek = { timeframe: 'this_week' };

/** @param span - the time span, for a metric that requires one */
const audience = (
  metric: string,
  span: { readonly timeframe?: string } = {},
): Pick<InstagramStream, 'key' | 'request' | 'toRecord'> => ({
  key: ['business_account_id', 'breakdown'],
  request: { kind: 'breakdowns', metric, period: 'lifetime', breakdowns, ...span },
  toRecord: demographicsRecord(span),
});

/** People who liked, commented, shared or saved; under 100 Meta rejects the request (3006). */
export const userEngagedAudience = declareStream({
  name: 'user_engaged_audience',
  interval: '24h',
  publish: 'always',
  doc: 'People who interacted this month, by city, country, age and gender: the top 45 of each.',
  ...audience('engaged_audience_demographics', thisMonth),
});

/** People who saw the content; under 100 Meta rejects the request (3006). */
export const userReachedAudience = declareStream({
  name: 'user_reached_audience',
  interval: '24h',
  publish: 'always',
  doc: 'People reached this month, by city, country, age and gender: the top 45 of each.',
  ...audience('reached_audience_demographics', thisMonth),
});

/** People who interacted within the current week; under 100 Meta rejects the request (3006). */
export const userEngagedAudienceWeek = declareStream({
  name: 'user_engaged_audience_week',
  interval: '24h',
  publish: 'always',
  doc: 'People who interacted this week, by city, country, age and gender: the top 45 of each.',
  ...audience('engaged_audience_demographics', thisWeek),
});

/** People who saw the content within the current week; under 100 Meta rejects the request (3006). */
export const userReachedAudienceWeek = declareStream({
  name: 'user_reached_audience_week',
  interval: '24h',
  publish: 'always',
  doc: 'People reached this week, by city, country, age and gender: the top 45 of each.',
  ...audience('reached_audience_demographics', thisWeek),
});

/** Followers by city, country, and age with gender; under 100 Meta answers without results. */
export const userLifetimeInsights = declareStream({
  name: 'user_lifetime_insights',
  isDefault: true,
  interval: '24h',
  publish: 'always',
  doc: 'Followers by city, country, age and gender: the top 45 of each.',
  ...audience('follower_demographics'),
});
