import type { ProductType } from '../world/model.ts';

/** What a media metric is and who has it. */
export interface MediaMetric {
  readonly title: string;
  readonly description: string;
  readonly products: readonly ProductType[];
  readonly breakdown?: string;
  /** Refused for media that is not on Facebook too. */
  readonly onFacebook?: boolean;
  /** Unknown to Instagram Login. */
  readonly facebookLoginOnly?: boolean;
}

const ALL = ['FEED', 'REELS', 'STORY'] as const;
const POSTS = ['FEED', 'REELS'] as const;
const FEED_STORY = ['FEED', 'STORY'] as const;

/** In the order in which the server lists them; `impressions` and `content_views` answer for nothing. */
export const MEDIA_METRICS: Readonly<Record<string, MediaMetric>> = {
  impressions: { title: 'Impressions', description: '', products: [] },
  reach: {
    title: 'Reach',
    description: 'The number of unique accounts that viewed your content.',
    products: ALL,
  },
  replies: {
    title: 'Replies',
    description: 'The number of replies to your story.',
    products: ['STORY'],
  },
  saved: {
    title: 'Saved',
    description: 'The number of unique accounts that saved your content.',
    products: POSTS,
  },
  likes: { title: 'Likes', description: 'The number of likes of your content.', products: POSTS },
  comments: {
    title: 'Comments',
    description: 'The number of comments on your content.',
    products: POSTS,
  },
  shares: { title: 'Shares', description: 'The number of shares of your content.', products: ALL },
  total_interactions: {
    title: 'Content interactions',
    description: 'The number of interactions with your content.',
    products: ALL,
  },
  follows: {
    title: 'Follows',
    description: 'The number of accounts that followed you from this content.',
    products: FEED_STORY,
  },
  profile_visits: {
    title: 'Profile visits',
    description: 'The number of visits of your profile from this content.',
    products: FEED_STORY,
  },
  profile_activity: {
    title: 'Profile activity',
    description:
      'The number of actions people take when they visit your profile after engaging with your post.',
    products: FEED_STORY,
    breakdown: 'action_type',
  },
  navigation: {
    title: 'Navigation',
    description:
      'This is the total number of actions taken from your story. These are made up of metrics like exited, forward, back and next story.',
    products: ['STORY'],
    breakdown: 'story_navigation_action_type',
  },
  ig_reels_video_view_total_time: {
    title: 'Watch time',
    description: 'The total time that your reel was played, replays included.',
    products: ['REELS'],
  },
  ig_reels_avg_watch_time: {
    title: 'Average watch time',
    description: 'The average time that your reel was played.',
    products: ['REELS'],
  },
  views: {
    title: 'Views',
    description: 'The number of times that your content was played or displayed.',
    products: ALL,
  },
  reels_skip_rate: {
    title: 'Skip rate',
    description: 'The share of views that were skipped in the first seconds.',
    products: ['REELS'],
  },
  reposts: {
    title: 'Reposts',
    description: 'The number of reposts of your content.',
    products: ALL,
  },
  facebook_views: {
    title: 'Facebook views',
    description: 'The number of views of your content on Facebook.',
    products: ALL,
    onFacebook: true,
  },
  crossposted_views: {
    title: 'Crossposted views',
    description: 'The number of views of your reel on Instagram and Facebook.',
    products: ['REELS'],
    onFacebook: true,
  },
  content_views: { title: 'Content views', description: '', products: [] },
  total_views: {
    title: 'Total views',
    description: 'The number of views of your content on all apps.',
    products: ALL,
    facebookLoginOnly: true,
  },
  total_likes: {
    title: 'Total likes',
    description: 'The number of likes of your content on all apps.',
    products: POSTS,
    facebookLoginOnly: true,
  },
  total_comments: {
    title: 'Total comments',
    description: 'The number of comments on your content on all apps.',
    products: POSTS,
    facebookLoginOnly: true,
  },
  link_clicks: {
    title: 'Link clicks',
    description: 'The number of taps on the links of your story.',
    products: ['STORY'],
    facebookLoginOnly: true,
  },
};

/** The breakdowns that media insights know, in the server's order. */
export const MEDIA_BREAKDOWNS = [
  'follow_type',
  'surface_type',
  'action_type',
  'story_navigation_action_type',
] as const;
