import { collaborativeMedia } from './collaborative-media.ts';
import { comments } from './comments.ts';
import {
  userEngagedAudience,
  userEngagedAudienceWeek,
  userLifetimeInsights,
  userReachedAudience,
  userReachedAudienceWeek,
} from './demographics.ts';
import { discoveredMedia, discoveredUsers } from './discovered.ts';
import { hashtagMedia } from './hashtag-media.ts';
import { media } from './media.ts';
import { mediaChildren } from './media-children.ts';
import { mediaInsights } from './media-insights.ts';
import { mentions } from './mentions.ts';
import { stories } from './stories.ts';
import type { InstagramStream } from './stream.ts';
import { storyInsights } from './story-insights.ts';
import { tags } from './tags.ts';
import { userDailyBreakdowns } from './user-daily-breakdowns.ts';
import { userDailyTotals } from './user-daily-totals.ts';
import { userInsights } from './user-insights.ts';
import { users } from './users.ts';

/** The declared streams, in the order in which a short quota is spent; see CONTRIBUTING. */
const declared = {
  stories,
  story_insights: storyInsights,
  users,
  media,
  media_insights: mediaInsights,
  user_insights: userInsights,
  user_lifetime_insights: userLifetimeInsights,
  user_engaged_audience: userEngagedAudience,
  user_reached_audience: userReachedAudience,
  user_engaged_audience_week: userEngagedAudienceWeek,
  user_reached_audience_week: userReachedAudienceWeek,
  user_daily_totals: userDailyTotals,
  user_daily_breakdowns: userDailyBreakdowns,
  media_children: mediaChildren,
  tags,
  collaborative_media: collaborativeMedia,
  comments,
  mentions,
  discovered_users: discoveredUsers,
  discovered_media: discoveredMedia,
  hashtag_media: hashtagMedia,
};

export type InstagramStreamName = keyof typeof declared;

export const streams: Readonly<Record<InstagramStreamName, InstagramStream>> = declared;

export const streamNames = Object.keys(declared) as readonly InstagramStreamName[];

/** The streams polled by default; the others cost more requests or are about other people. */
export const defaultStreamNames = streamNames.filter((name) => streams[name].isDefault);

/** The streams of public content, which one account polls for all. */
export const publicStreams = streamNames.filter((name) => streams[name].limit === 'platform');

export const compactedStreams = streamNames.filter((name) => streams[name].isCompacted);

export function isStreamName(text: string): text is InstagramStreamName {
  return Object.hasOwn(declared, text);
}
