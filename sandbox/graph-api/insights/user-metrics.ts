/** An account metric and its allowed requests. */
export interface UserMetric {
  readonly title: string;
  readonly description: string;
  /** Available as a series of days, as one total, as either, or never for Instagram. */
  readonly kind: 'series' | 'total' | 'both' | 'none';
  readonly periods: readonly string[];
  readonly breakdowns: readonly string[];
  /** Title of a series, where it differs. */
  readonly seriesTitle?: string;
  readonly seriesDescription?: string;
}

/** Metrics in the server's order; texts verbatim from the API where recorded. */
export const USER_METRICS: Readonly<Record<string, UserMetric>> = {
  reach: {
    title: 'Accounts reached',
    description:
      'The number of unique accounts that have seen your content, at least once, including in ads. Content includes posts, stories, reels, videos and live videos. Reach is different from impressions, which may include multiple views of your content by the same accounts. This metric is estimated and in development.',
    kind: 'both',
    periods: ['day', 'week', 'days_28'],
    breakdowns: ['media_product_type', 'follow_type'],
    seriesTitle: 'Reach',
    seriesDescription:
      "The total number of times that the business account's media objects have been uniquely viewed.",
  },
  follower_count: {
    title: 'Follower count',
    description: 'The number of new followers on each day of the period.',
    kind: 'series',
    periods: ['day'],
    breakdowns: [],
  },
  website_clicks: {
    title: 'Website clicks',
    description: 'The number of taps on the website of the profile.',
    kind: 'total',
    periods: ['day'],
    breakdowns: [],
  },
  profile_views: {
    title: 'Profile views',
    description: 'The number of visits of the profile.',
    kind: 'total',
    periods: ['day'],
    breakdowns: [],
  },
  online_followers: {
    title: 'Online followers',
    description: 'The number of followers who were online, by hour.',
    kind: 'series',
    periods: ['lifetime'],
    breakdowns: [],
  },
  accounts_engaged: {
    title: 'Accounts engaged',
    description:
      'The number of accounts that have interacted with your content, including in ads. Content includes posts, stories, reels, videos and live videos. Interactions can include actions such as likes, saves, comments, shares or replies. These metrics are estimated and in development.',
    kind: 'total',
    periods: ['day'],
    breakdowns: [],
  },
  total_interactions: {
    title: 'Content interactions',
    description:
      'The total number of post interactions, story interactions, reels interactions, video interactions and live video interactions, including any interactions on boosted content.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['media_product_type'],
  },
  likes: {
    title: 'Likes',
    description: 'The number of likes on your posts, reels and videos.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['media_product_type'],
  },
  comments: {
    title: 'Comments',
    description: 'The number of comments on your posts, reels, videos and live videos.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['media_product_type'],
  },
  shares: {
    title: 'Shares',
    description: 'The number of shares of your posts, stories, reels, videos and live videos.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['media_product_type'],
  },
  saves: {
    title: 'Saves',
    description: 'The number of saves of your posts, reels and videos.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['media_product_type'],
  },
  replies: {
    title: 'Replies',
    description:
      'The number of replies that you received from your story, including text replies and quick reaction replies.',
    kind: 'total',
    periods: ['day'],
    breakdowns: [],
  },
  engaged_audience_demographics: {
    title: 'Engaged audience demographics',
    description:
      'The demographic characteristics of the engaged audience, including countries, cities and gender distribution.',
    kind: 'total',
    periods: ['lifetime'],
    breakdowns: ['age', 'city', 'country', 'gender'],
  },
  reached_audience_demographics: {
    title: 'Reached audience demographics',
    description:
      'The demographic characteristics of the reached audience, including countries, cities and gender distribution.',
    kind: 'total',
    periods: ['lifetime'],
    breakdowns: ['age', 'city', 'country', 'gender'],
  },
  follower_demographics: {
    title: 'Follower demographics',
    description:
      'The demographic characteristics of followers, including countries, cities and gender distribution.',
    kind: 'total',
    periods: ['lifetime'],
    breakdowns: ['age', 'city', 'country', 'gender'],
  },
  follows_and_unfollows: {
    title: 'Follows and unfollows',
    description:
      'The number of accounts that followed you and the number of accounts that unfollowed you or left Instagram in the selected time period.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['follow_type'],
  },
  profile_links_taps: {
    title: 'Profile links taps',
    description:
      'The number of taps on your business address, call button, email button and text button.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['contact_button_type'],
  },
  views: {
    title: 'Views',
    description:
      'The number of times your content was played or displayed. Content includes reels, posts, stories.',
    kind: 'total',
    periods: ['day'],
    breakdowns: ['follow_type', 'media_product_type'],
  },
  threads_likes: {
    title: 'Threads likes',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  threads_replies: {
    title: 'Threads replies',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  reposts: {
    title: 'Reposts',
    description:
      'The total number of times that your content was reposted. A repost occurs when another account shares your content to their own profile.',
    kind: 'total',
    periods: ['day'],
    breakdowns: [],
  },
  quotes: {
    title: 'Quotes',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  threads_followers: {
    title: 'Threads followers',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  threads_follower_demographics: {
    title: 'Threads follower demographics',
    description: '',
    kind: 'none',
    periods: ['lifetime'],
    breakdowns: ['age', 'city', 'country', 'gender'],
  },
  content_views: {
    title: 'Content views',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  threads_views: {
    title: 'Threads views',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  threads_clicks: {
    title: 'Threads clicks',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
  threads_reposts: {
    title: 'Threads reposts',
    description: '',
    kind: 'none',
    periods: ['day'],
    breakdowns: [],
  },
};

/** The breakdowns of account insights, in the server's order. */
export const USER_BREAKDOWNS = [
  'country',
  'city',
  'age',
  'gender',
  'follow_type',
  'media_product_type',
  'contact_button_type',
] as const;

export const PERIODS = ['day', 'days_28', 'lifetime', 'month', 'total_over_range', 'week'] as const;
export const TIMEFRAMES = [
  ...['last_14_days', 'last_30_days', 'last_90_days', 'prev_month', 'this_month', 'this_week'],
] as const;
export const METRIC_TYPES = ['default', 'time_series', 'total_value'] as const;

/** Returns the metric of that name, which must be in the list. */
export function userMetric(name: string): UserMetric {
  return (
    USER_METRICS[name] ?? {
      title: name,
      description: '',
      kind: 'none',
      periods: [],
      breakdowns: [],
    }
  );
}
