import { AGES, CITIES, COUNTRIES, GENDERS } from './content.ts';
import type { Draw } from './draws.ts';
import type { Audience, Demographics } from './model.ts';
import { FOLLOWERS_FOR_DETAIL } from './series.ts';

/** Meta lists at most this many entries of a breakdown. */
const TOP = 45;
/** Share of the followers whose demographics Meta knows. */
const KNOWN_SHARE = 0.89;

/** Spreads the followers over countries, cities, ages and genders; entries of zero are left out. */
export function spreadFollowers(draw: Draw, followers: number): Demographics {
  const known = Math.floor(followers * KNOWN_SHARE);
  const pairs = AGES.flatMap((age) => GENDERS.map((gender) => `${age},${gender}`));
  const byPair = spread({ draw, names: pairs, total: known, steepness: 0.4 });
  return {
    country: spread({ draw, names: COUNTRIES, total: known, steepness: 1.2 }),
    city: spread({ draw, names: CITIES, total: Math.floor(known * 0.7), steepness: 0.9 }),
    'age,gender': byPair,
    age: sumBy(byPair, 0),
    gender: sumBy(byPair, 1),
  };
}

interface Spread {
  readonly draw: Draw;
  readonly names: readonly string[];
  readonly total: number;
  readonly steepness: number;
}

function spread({ draw, names, total, steepness }: Spread): Record<string, number> {
  const weights = names
    .map((name) => ({ name, order: draw(`demographics/${name}`) }))
    .sort((a, b) => a.order - b.order)
    .map(({ name }, rank) => ({ name, weight: 1 / (rank + 1) ** steepness }));
  const sum = weights.reduce((all, { weight }) => all + weight, 0);
  const parts: Record<string, number> = {};
  for (const { name, weight } of weights.slice(0, TOP)) {
    const value = Math.floor((total * weight) / sum);
    if (value > 0) {
      parts[name] = value;
    }
  }
  return parts;
}

function sumBy(pairs: Readonly<Record<string, number>>, position: number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [pair, value] of Object.entries(pairs)) {
    const key = pair.split(',')[position] ?? '';
    sums[key] = (sums[key] ?? 0) + value;
  }
  return sums;
}

/** Share of the followers' numbers that the engaged and the reached audience show. */
const SHARES: Readonly<Record<string, number>> = {
  follower_demographics: 1,
  engaged_audience_demographics: 0.2,
  reached_audience_demographics: 1.6,
};

/** The part of a month's audience that a week has. */
const WEEK_SHARE = 0.3;

/** A request of an audience, and the account's followers. */
export interface AudienceRequest {
  readonly metric: string;
  readonly breakdown: string;
  readonly timeframe?: string | undefined;
  readonly followers: number;
}

/**
 * Returns the audience of a metric. Under a hundred followers `follower_demographics` has no
 * results and the other two are rejected.
 */
export function audienceOf(
  demographics: Demographics,
  { metric, breakdown, timeframe, followers }: AudienceRequest,
): Audience {
  if (followers < FOLLOWERS_FOR_DETAIL) {
    return metric === 'follower_demographics' ? 'none' : 'refused';
  }
  const share = (SHARES[metric] ?? 0) * (timeframe === 'this_week' ? WEEK_SHARE : 1);
  const spread = Object.entries(demographics[breakdown] ?? {});
  return Object.fromEntries(spread.map(([name, value]) => [name, Math.ceil(value * share)]));
}
