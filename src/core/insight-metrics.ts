import type { Login } from './account.ts';
import type { Node } from './json.ts';
import type { MetricGroup } from './stream.ts';

/**
 * The widest set of metrics that every media of a kind answers; the same for v23.0 to v26.0, since
 * Meta adds and removes metrics on all versions at once. One metric too many fails a whole request.
 *
 * @see https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/insights (read 2026-11)
 */
const shared = ['views', 'reach', 'saved', 'likes', 'comments', 'shares', 'total_interactions'];

const byProduct: Readonly<Record<string, readonly string[]>> = {
  FEED: [...shared, 'reposts', 'follows', 'profile_visits', 'profile_activity'],
  REELS: [
    ...shared,
    'reposts',
    'ig_reels_avg_watch_time',
    'ig_reels_video_view_total_time',
    'reels_skip_rate',
  ],
};

/** The metrics of a listed media; a product type that is new or was not said gets the common set. */
export function mediaMetrics(listed: Node): readonly MetricGroup[] {
  const product = listed['media_product_type'];
  const known = typeof product === 'string' && Object.hasOwn(byProduct, product);
  return [{ metrics: (known ? byProduct[product] : undefined) ?? shared }];
}

const storyMetrics = [
  'reach',
  'replies',
  'follows',
  'profile_visits',
  'shares',
  'total_interactions',
  'views',
  'profile_activity',
];

/**
 * The metrics of a story. `navigation` goes alone, because the API refuses to mix a breakdown with
 * other metrics; `link_clicks` is not known to Instagram Login.
 */
export function storyMetricGroups(_listed: Node, login: Login): readonly MetricGroup[] {
  return [
    { metrics: login === 'facebook' ? [...storyMetrics, 'link_clicks'] : storyMetrics },
    { metrics: ['navigation'], breakdown: 'story_navigation_action_type' },
  ];
}
