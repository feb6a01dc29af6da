/** A media metric; the media define the metrics that they have. */
export interface MediaMetric {
  readonly title: string;
  readonly description: string;
  readonly breakdown?: string;
  /** Rejected for media that is not on Facebook too. */
  readonly onFacebook?: boolean;
  /** Unknown to Instagram Login. */
  readonly facebookLoginOnly?: boolean;
}

/** Metrics in the server's order; `impressions` and `content_views` have no value for any media. */
export const MEDIA_METRICS: Readonly<Record<string, MediaMetric>> = {
  impressions: { title: 'Impressions', description: '' },
  reach: {
    title: 'Reach',
    description: 'The number of unique accounts that viewed your content.',
  },
  replies: {
    title: 'Replies',
    description: 'The number of replies to your story.',
  },
  saved: {
    title: 'Saved',
    description: 'The number of unique accounts that saved your content.',
  },
  likes: { title: 'Likes', description: 'The number of likes of your content.' },
  comments: {
    title: 'Comments',
    description: 'The number of comments on your content.',
  },
  shares: { title: 'Shares', description: 'The number of shares of your content.' },
  total_interactions: {
    title: 'Content interactions',
    description: 'The number of interactions with your content.',
  },
  follows: {
    title: 'Follows',
    description: 'The number of accounts that followed you from this content.',
  },
  profile_visits: {
    title: 'Profile visits',
    description: 'The number of visits of your profile from this content.',
  },
  profile_activity: {
    title: 'Profile activity',
    description:
      'The number of actions people take when they visit your profile after engaging with your post.',
    breakdown: 'action_type',
  },
  navigation: {
    title: 'Navigation',
    description:
      'This is the total number of actions taken from your story. These are made up of metrics like exited, forward, back and next story.',
    breakdown: 'story_navigation_action_type',
  },
  ig_reels_video_view_total_time: {
    title: 'Watch time',
    description: 'The total time that your reel was played, replays included.',
  },
  ig_reels_avg_watch_time: {
    title: 'Average watch time',
    description: 'The average time that your reel was played.',
  },
  views: {
    title: 'Views',
    description: 'The number of times that your content was played or displayed.',
  },
  reels_skip_rate: {
    title: 'Skip rate',
    description: 'The share of views that were skipped in the first seconds.',
  },
  reposts: {
    title: 'Reposts',
    description: 'The number of reposts of your content.',
  },
  facebook_views: {
    title: 'Facebook views',
    description: 'The number of views of your content on Facebook.',
    onFacebook: true,
  },
  crossposted_views: {
    title: 'Crossposted views',
    description: 'The number of views of your reel on Instagram and Facebook.',
    onFacebook: true,
  },
  content_views: { title: 'Content views', description: '' },
  total_views: {
    title: 'Total views',
    description: 'The number of views of your content on all apps.',
    facebookLoginOnly: true,
  },
  total_likes: {
    title: 'Total likes',
    description: 'The number of likes of your content on all apps.',
    facebookLoginOnly: true,
  },
  total_comments: {
    title: 'Total comments',
    description: 'The number of comments on your content on all apps.',
    facebookLoginOnly: true,
  },
  link_clicks: {
    title: 'Link clicks',
    description: 'The number of taps on the links of your story.',
    facebookLoginOnly: true,
  },
};

/** The breakdowns of media insights, in the server's order. */
export const MEDIA_BREAKDOWNS = [
  'follow_type',
  'surface_type',
  'action_type',
  'story_navigation_action_type',
] as const;
