import type { Json, JsonObject } from './json.ts';
import type { Account, Day, Media, World } from './world/model.ts';
import { formatTime } from './world/pacific.ts';

/**
 * Everything the world holds at a time, in the API's names: what a complete extraction must have
 * found. URLs stand unsigned; likes that the owner hides are left out as the lists leave them out.
 */
export function truthOf(world: World, nowMs = world.clock.now()): JsonObject {
  return {
    now: formatTime(nowMs),
    accounts: world.accounts.map((account) => accountTruth(account, nowMs)),
  };
}

function accountTruth(account: Account, nowMs: number): JsonObject {
  return {
    id: account.id,
    page_id: account.pageId,
    user: account.userAt(nowMs),
    media: account.mediaAt(nowMs).map((media) => mediaTruth(media, nowMs)),
    stories: account.storiesAt(nowMs).map((story) => mediaTruth(story, nowMs)),
    days: account
      .daysAt({ sinceMs: account.seriesFromMs, untilMs: nowMs }, nowMs)
      .map((day) => dayTruth(day)),
    demographics: account.demographicsAt(nowMs),
  };
}

function mediaTruth(media: Media, nowMs: number): JsonObject {
  const fields = Object.entries(media.fields(nowMs)).filter(
    ([name]) => !(name === 'like_count' && media.traits.hiddenLikes),
  );
  return {
    fields: Object.fromEntries(fields),
    children: media.children.map((child) => child.fields(nowMs)),
    before_conversion: media.traits.beforeConversion,
    insights: media.insights(nowMs),
    navigation: media.productType === 'STORY' ? media.breakdown('navigation', nowMs) : null,
  };
}

function dayTruth(day: Day): JsonObject {
  const values: Record<string, Json | undefined> = {
    follower_count: day.followerCount,
    reach: day.reach,
    reach_week: day.reachWeek,
    reach_days_28: day.reachDays28,
    online_followers: day.onlineFollowers,
  };
  const known = Object.entries(values).filter((entry): entry is [string, Json] => {
    return entry[1] !== undefined;
  });
  return { end_time: formatTime(day.endTimeMs), ...Object.fromEntries(known) };
}
