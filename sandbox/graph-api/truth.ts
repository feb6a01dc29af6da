import type { Json, JsonObject } from './json.ts';
import { isPublic } from './nodes/foreign-node.ts';
import type { Account, Comment, Day, Media, World } from './world/model.ts';
import { formatTime } from './world/pacific.ts';

/** What a truth includes beyond what always is in it. */
export interface TruthOptions {
  /** Default: the world's present. */
  readonly nowMs?: number;
  /** Every media with its comments and their replies. */
  readonly comments?: boolean;
  /** Every account with the media of others that tag it, as far as others may see them. */
  readonly tags?: boolean;
  /** Every account with its totals of each day of its series. */
  readonly totals?: boolean;
}

interface Telling {
  readonly world: World;
  readonly nowMs: number;
  readonly options: TruthOptions;
}

/**
 * Everything the world holds at a time, in the API's names: what a complete extraction must have
 * found. URLs stand unsigned; likes that the owner hides are left out as the lists leave them out.
 * What the world's conditions take away is left out: deleted media, removed and refused metrics,
 * accounts that vanished. Accounts that may not be read are there, and say so.
 */
export function truthOf(world: World, options: TruthOptions = {}): JsonObject {
  const nowMs = options.nowMs ?? world.clock.now();
  const { vanishedAccounts } = world.conditions;
  return {
    now: formatTime(nowMs),
    accounts: world.accounts
      .filter(({ id }) => !vanishedAccounts.has(id))
      .map((account) => accountTruth(account, { world, nowMs, options })),
  };
}

function accountTruth(account: Account, telling: Telling): JsonObject {
  const { world, nowMs, options } = telling;
  const days = account.daysAt({ sinceMs: account.seriesFromMs, untilMs: nowMs }, nowMs);
  return {
    id: account.id,
    page_id: account.pageId,
    denied: world.conditions.deniedAccounts.has(account.id),
    user: account.userAt(nowMs),
    media: account.mediaAt(nowMs).map((media) => mediaTruth(media, telling)),
    stories: account.storiesAt(nowMs).map((story) => mediaTruth(story, telling)),
    days: days.map((day) => dayTruth(day, telling)),
    ...(options.totals === true
      ? { totals: days.map((day) => totalsTruth(account, day, telling)) }
      : {}),
    ...(options.tags === true ? { tags: tagsTruth(account, telling) } : {}),
    demographics: account.demographicsAt(nowMs),
    audiences: audiencesTruth(account, telling),
  };
}

function mediaTruth(media: Media, { world, nowMs, options }: Telling): JsonObject {
  const { removedMetrics, brokenChildren, spec } = world.conditions;
  const fields = Object.entries(media.fields(nowMs)).filter(
    ([name]) => !(name === 'like_count' && media.traits.hiddenLikes),
  );
  const refused = spec.refusedMetrics?.[media.id] ?? [];
  const insights = Object.entries(media.insights(nowMs) ?? {}).filter(
    ([name]) => !removedMetrics.has(name) && !refused.includes(name),
  );
  return {
    fields: Object.fromEntries(fields),
    children: media.children
      .filter(({ id }) => !brokenChildren.has(id))
      .map((child) => child.fields(nowMs)),
    before_conversion: media.traits.beforeConversion,
    insights: media.insights(nowMs) === null ? null : Object.fromEntries(insights),
    navigation: media.productType === 'STORY' ? media.breakdown('navigation', nowMs) : null,
    ...(options.comments === true ? { comments: media.comments(nowMs).map(commentTruth) } : {}),
  };
}

/** Empty where they may not be read. */
function tagsTruth(account: Account, { world, nowMs }: Telling): Json {
  if (world.conditions.spec.deniedEdges?.[account.id]?.includes('tags') === true) return [];
  return (account.taggedAt(nowMs) ?? []).map((media) => {
    const shown = Object.entries(media.fields(nowMs)).filter(
      ([name]) => isPublic(name) && !(name === 'like_count' && media.traits.hiddenLikes),
    );
    return Object.fromEntries(shown);
  });
}

function commentTruth({
  id,
  text,
  createdAtMs,
  username,
  userId,
  likeCount,
  replies,
}: Comment): JsonObject {
  return {
    id,
    text,
    timestamp: formatTime(createdAtMs),
    username,
    from: { id: userId, username },
    like_count: likeCount,
    replies: replies.map(commentTruth),
  };
}

function dayTruth(day: Day, { world }: Telling): JsonObject {
  const { removedMetrics } = world.conditions;
  const reach = removedMetrics.has('reach') ? undefined : day;
  const values: Record<string, Json | undefined> = {
    follower_count: removedMetrics.has('follower_count') ? undefined : day.followerCount,
    reach: reach?.reach,
    reach_week: reach?.reachWeek,
    reach_days_28: reach?.reachDays28,
    online_followers: removedMetrics.has('online_followers') ? undefined : day.onlineFollowers,
  };
  const known = Object.entries(values).filter((entry): entry is [string, Json] => {
    return entry[1] !== undefined;
  });
  return { end_time: formatTime(day.endTimeMs), ...Object.fromEntries(known) };
}

/** By metric and breakdown; null where there are no results, absent where they are refused. */
function audiencesTruth(account: Account, { nowMs }: Telling): JsonObject {
  const audiences: Record<string, Json> = {};
  for (const metric of ['engaged_audience_demographics', 'reached_audience_demographics']) {
    const parts: Record<string, Json> = {};
    for (const breakdown of ['age', 'city', 'country', 'gender', 'age,gender']) {
      const audience = account.audienceAt(metric, breakdown, nowMs);
      if (audience !== 'refused') parts[breakdown] = audience === 'none' ? null : audience;
    }
    audiences[metric] = parts;
  }
  return audiences;
}

/** What comes as a total only. */
const TOTALS = [
  ...['views', 'accounts_engaged', 'total_interactions', 'likes', 'comments', 'shares', 'saves'],
  ...['replies', 'reposts', 'profile_links_taps', 'profile_views', 'website_clicks'],
];

function totalsTruth(account: Account, { endTimeMs }: Day, { world, nowMs }: Telling): JsonObject {
  const total = (metric: string, breakdown = '') =>
    account.total({
      metric,
      breakdown,
      sinceMs: endTimeMs,
      untilMs: endTimeMs,
      sinceText: '',
      untilText: '',
      nowMs,
    });
  const { removedMetrics } = world.conditions;
  const values = TOTALS.filter((name) => !removedMetrics.has(name)).flatMap((name) => {
    const value = total(name)?.value;
    return value === undefined ? [] : [[name, value] as const];
  });
  const follows = removedMetrics.has('follows_and_unfollows')
    ? undefined
    : total('follows_and_unfollows', 'follow_type')?.parts;
  return {
    end_time: formatTime(endTimeMs),
    ...Object.fromEntries(values),
    ...(follows === undefined ? {} : { follows_and_unfollows: follows }),
  };
}
