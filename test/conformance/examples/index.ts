import type { InstagramStreamName } from '../../../src/instagram/streams/index.ts';
import type { Example } from './example.ts';
import { collaborativeMedia } from './collaborative-media.ts';
import { comments } from './comments.ts';
import { discoveredMedia, discoveredUsers } from './discovered.ts';
import { hashtagMedia } from './hashtag-media.ts';
import { media } from './media.ts';
import { mediaChildren } from './media-children.ts';
import { mediaInsights } from './media-insights.ts';
import { mentions } from './mentions.ts';
import { stories } from './stories.ts';
import { storyInsights } from './story-insights.ts';
import { tags } from './tags.ts';
import {
  userEngagedAudience,
  userEngagedAudienceWeek,
  userReachedAudience,
  userReachedAudienceWeek,
} from './user-audiences.ts';
import { userDailyBreakdowns } from './user-daily-breakdowns.ts';
import { userDailyTotals } from './user-daily-totals.ts';
import { userInsights } from './user-insights.ts';
import { userLifetimeInsights } from './user-lifetime-insights.ts';
import { users } from './users.ts';

/** One example per stream; a new stream does not compile without one. */
export const examples: Readonly<Record<InstagramStreamName, Example>> = {
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
