import type { StreamName } from '../../engine/stream-name.ts';
import { comments } from './comments.ts';
import { userEngagedAudience, userLifetimeInsights, userReachedAudience } from './demographics.ts';
import { media } from './media.ts';
import { mediaInsights } from './media-insights.ts';
import { stories } from './stories.ts';
import type { InstagramStream } from './stream.ts';
import { storyInsights } from './story-insights.ts';
import { tags } from './tags.ts';
import { userDailyTotals } from './user-daily-totals.ts';
import { userInsights } from './user-insights.ts';
import { users } from './users.ts';

/** All streams. A new stream is added here; see CONTRIBUTING. */
export const streams: Readonly<Record<StreamName, InstagramStream>> = {
  stories,
  story_insights: storyInsights,
  users,
  media,
  media_insights: mediaInsights,
  user_insights: userInsights,
  user_lifetime_insights: userLifetimeInsights,
  user_engaged_audience: userEngagedAudience,
  user_reached_audience: userReachedAudience,
  user_daily_totals: userDailyTotals,
  tags,
  comments,
};

export const compactedStreams: readonly StreamName[] = Object.values(streams)
  .filter(({ isCompacted }) => isCompacted)
  .map(({ name }) => name);
