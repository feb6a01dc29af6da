import type { Login } from '../../engine/account.ts';
import type { Node } from '../../engine/json.ts';
import type { SeparateMetric } from '../streams/stream.ts';

/**
 * The widest set of metrics that a media of a kind answers in one request, on every API version.
 * One unsupported metric fails a whole request.
 * @see https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/insights (read 2026-11)
 */
const shared = ['reach', 'views', 'likes', 'comments', 'saved', 'shares', 'total_interactions'];

const post = [...shared, 'follows', 'profile_visits', 'profile_activity', 'reposts'];

const byKind: Readonly<Record<string, readonly string[]>> = {
  'FEED/IMAGE': post,
  'FEED/CAROUSEL_ALBUM': post,
  // Feed videos, which exist up to 2022, answer these two only (observed 2026-07 and 2026-10).
  'FEED/VIDEO': ['reach', 'saved'],
  'REELS/VIDEO': [
    ...shared,
    'reposts',
    'ig_reels_avg_watch_time',
    'ig_reels_video_view_total_time',
    'reels_skip_rate',
  ],
};

/** Returns the metrics of a listed media; the common set for an unknown or missing kind. */
export function mediaMetrics({
  media_product_type: product,
  media_type: type,
}: Node): readonly string[] {
  const kind = typeof product === 'string' && typeof type === 'string' ? `${product}/${type}` : '';
  return (Object.hasOwn(byKind, kind) ? byKind[kind] : undefined) ?? shared;
}

/**
 * Metrics that only some media of a kind have: the API rejects `shares` for some images, and the
 * views on Facebook for media that are not on Facebook.
 */
export const sparseMetrics = ['shares', 'facebook_views', 'crossposted_views'];

const optIn = (metric: string, limits: Pick<SeparateMetric, 'login' | 'product'> = {}) => ({
  metric,
  isOptIn: true,
  ...limits,
});

/**
 * Metrics that reject the whole request where a media lacks them: each is requested alone. Feed
 * media reject `crossposted_views` by their kind; the others are rejected by single media.
 */
export const extraMetrics: Readonly<Record<string, SeparateMetric>> = {
  crossposted_views: optIn('crossposted_views', { product: 'REELS' }),
  facebook_views: optIn('facebook_views'),
  total_views: optIn('total_views', { login: 'facebook' }),
  total_likes: optIn('total_likes', { login: 'facebook' }),
  total_comments: optIn('total_comments', { login: 'facebook' }),
};

/** The actions on the profile after a media; they cost a call whenever their number has changed. */
export const profileActions: SeparateMetric = {
  ...optIn('profile_activity'),
  breakdown: 'action_type',
};

const story = [
  'reach',
  'views',
  'replies',
  'shares',
  'navigation',
  'profile_visits',
  'follows',
  'total_interactions',
  'profile_activity',
];

/** Returns the metrics of a story; Instagram Login does not support `link_clicks`. */
export function storyMetrics(_listed: Node, login: Login): readonly string[] {
  return login === 'facebook' ? [...story, 'link_clicks'] : story;
}
