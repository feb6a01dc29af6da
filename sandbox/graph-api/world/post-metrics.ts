import type { ProductType } from './model.ts';
import { type Draw, drawInteger } from './draws.ts';
import { grow } from './growth.ts';

/** The input of a media's numbers. */
export interface MetricsPlan {
  readonly draw: Draw;
  readonly productType: ProductType;
  readonly followers: number;
  /** True for a story with hardly any viewers. */
  readonly unseen: boolean;
}

/** The final numbers of a media, before growth. */
export type Finals = Readonly<Record<string, number>>;

/** Half-life of the growth of each product type's numbers. */
export const HALF_LIFE_HOURS: Record<ProductType, number> = { FEED: 20, REELS: 40, STORY: 4 };
const REACH_SHARE: Record<ProductType, number> = { FEED: 0.35, REELS: 0.9, STORY: 0.12 };

/** Draws the final numbers of a media. */
export function drawFinals({ draw, productType, followers, unseen }: MetricsPlan): Finals {
  const part = (name: string, of: number, [low, high]: readonly [number, number]): number =>
    Math.round(of * (low + (high - low) * draw(`metric/${name}`)));
  const reach = unseen ? 3 : 12 + part('reach', followers * REACH_SHARE[productType], [0.3, 1.4]);
  const likes = part('likes', reach, [0.02, 0.12]);
  return {
    reach,
    views: part('views', reach, [1.1, 1.9]),
    likes,
    comments: part('comments', likes, [0.02, 0.15]),
    saved: part('saved', likes, [0.02, 0.25]),
    shares: part('shares', likes, [0.01, 0.2]),
    reposts: part('reposts', likes, [0, 0.05]),
    follows: part('follows', reach, [0, 0.006]),
    profile_visits: part('profile_visits', reach, [0.005, 0.05]),
    bio_link_clicked: part('bio', reach, [0, 0.008]),
    email: part('email', reach, [0, 0.002]),
    direction: part('direction', reach, [0, 0.002]),
    text: part('text', reach, [0, 0.001]),
    replies: part('replies', reach, [0, 0.03]),
    link_clicks: part('link', reach, [0, 0.04]),
    tap_forward: part('forward', reach, [0.5, 0.9]),
    tap_back: part('back', reach, [0.02, 0.1]),
    tap_exit: part('exit', reach, [0.05, 0.2]),
    swipe_forward: part('swipe', reach, [0.02, 0.1]),
    facebook: part('facebook', reach, [0.05, 0.4]),
    watchMs: drawInteger(draw('metric/watch'), 2500, 16_000),
    skipTenths: drawInteger(draw('metric/skip'), 150, 750),
  };
}

const PROFILE_ACTIONS = ['bio_link_clicked', 'direction', 'email', 'text'];
const NAVIGATION_ACTIONS = ['tap_forward', 'tap_back', 'tap_exit', 'swipe_forward'];

/**
 * Returns the parts of a metric by its breakdown's values, at an age; `{}` for a metric without
 * breakdown.
 */
export function partsAt(finals: Finals, metric: string, age: Age): Record<string, number> {
  const names =
    metric === 'navigation'
      ? NAVIGATION_ACTIONS
      : metric === 'profile_activity'
        ? PROFILE_ACTIONS
        : [];
  const parts: Record<string, number> = {};
  for (const name of names) {
    parts[name] = growAt(finals, name, age);
  }
  return parts;
}

/** The age over which a media has collected its numbers. */
export interface Age {
  readonly ageMs: number;
  readonly productType: ProductType;
}

function growAt(finals: Finals, name: string, { ageMs, productType }: Age): number {
  return grow(finals[name] ?? 0, ageMs, HALF_LIFE_HOURS[productType]);
}

/** Returns every metric of the product type, at an age, by Meta's names. */
export function metricsAt(finals: Finals, age: Age): Record<string, number> {
  const at = (name: string): number => growAt(finals, name, age);
  const sum = (names: readonly string[]): number =>
    names.reduce((total, name) => total + at(name), 0);
  const story = age.productType === 'STORY';
  const common = {
    reach: at('reach'),
    views: at('views'),
    shares: at('shares'),
    reposts: at('reposts'),
    facebook_views: at('facebook'),
    total_views: at('views') + at('facebook'),
  };
  const onProfile = {
    follows: at('follows'),
    profile_visits: at('profile_visits'),
    profile_activity: sum(PROFILE_ACTIONS),
  };
  if (story) {
    return {
      ...common,
      ...onProfile,
      total_interactions: sum(['shares', 'reposts', 'replies']),
      replies: at('replies'),
      navigation: sum(NAVIGATION_ACTIONS),
      link_clicks: at('link_clicks'),
    };
  }
  const post = {
    ...common,
    likes: at('likes'),
    comments: at('comments'),
    saved: at('saved'),
    total_interactions: sum(['likes', 'comments', 'saved', 'shares', 'reposts']),
    total_likes: at('likes'),
    total_comments: at('comments'),
  };
  return age.productType === 'FEED'
    ? { ...post, ...onProfile }
    : { ...post, ...watched(finals, post) };
}

/** Returns the metrics of reels; times in milliseconds, the rate in percent with one decimal. */
function watched(
  finals: Finals,
  post: { views: number; facebook_views: number },
): Record<string, number> {
  const averageMs = finals['watchMs'] ?? 0;
  return {
    ig_reels_avg_watch_time: averageMs,
    ig_reels_video_view_total_time: averageMs * post.views,
    reels_skip_rate: (finals['skipTenths'] ?? 0) / 10,
    crossposted_views: post.views + post.facebook_views,
  };
}
