import { MEDIA_METRICS } from './insights/media-metrics.ts';
import { isBreakdownRefused } from './conditions.ts';
import type { Json, JsonObject } from './json.ts';
import { FOREIGN_LISTS } from './nodes/foreign-node.ts';
import type { Account, Comment, Day, Media, Total, World } from './world/model.ts';
import { formatTime } from './world/pacific.ts';

/** Optional parts of a truth. */
export interface TruthOptions {
  /** Default: the world's present. */
  readonly nowMs?: number;
  /** Every media with its comments and their replies. */
  readonly comments?: boolean;
  /** Every account with the visible media of other users, by its edge: `tags`. */
  readonly foreign?: boolean;
  /** Every account with its totals of each day of its series. */
  readonly totals?: boolean;
}

interface TruthContext {
  readonly world: World;
  readonly nowMs: number;
  readonly options: TruthOptions;
}

/**
 * Returns everything the world holds at a time, in the API's names: the expected result of a
 * complete extraction. URLs are unsigned; likes that the owner hides are left out as in the lists,
 * and views on Facebook of media that are not on it. Data that the world's conditions remove is left
 * out: deleted media, removed and rejected metrics, vanished accounts. Unreadable accounts are
 * present and marked.
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

function accountTruth(account: Account, truthContext: TruthContext): JsonObject {
  const { world, nowMs, options } = truthContext;
  const days = account.daysAt({ sinceMs: account.seriesFromMs, untilMs: nowMs }, nowMs);
  return {
    id: account.id,
    page_id: account.pageId,
    denied: world.conditions.deniedAccounts.has(account.id),
    user: account.userAt(nowMs),
    media: account.mediaAt(nowMs).map((media) => mediaTruth(media, truthContext)),
    stories: account.storiesAt(nowMs).map((story) => mediaTruth(story, truthContext)),
    days: days.map((day) => dayTruth(day, truthContext)),
    ...(options.totals === true
      ? { totals: days.map((day) => totalsTruth(account, day, truthContext)) }
      : {}),
    ...(options.foreign === true ? { foreign: foreignTruth(account, truthContext) } : {}),
    demographics: account.demographicsAt(nowMs),
    audiences: audiencesTruth(account, truthContext),
    audiences_of_week: audiencesTruth(account, truthContext, 'this_week'),
  };
}

function mediaTruth(media: Media, { world, nowMs, options }: TruthContext): JsonObject {
  const { removedMetrics, brokenChildren, spec } = world.conditions;
  const fields = Object.entries(media.fields(nowMs)).filter(
    ([name]) => !(name === 'like_count' && media.traits.hiddenLikes),
  );
  const refused = spec.refusedMetrics?.[media.id] ?? [];
  const insights = Object.entries(media.insights(nowMs) ?? {}).filter(
    ([name]) =>
      !removedMetrics.has(name) &&
      !refused.includes(name) &&
      (media.traits.onFacebook || MEDIA_METRICS[name]?.onFacebook !== true),
  );
  return {
    fields: Object.fromEntries(fields),
    children: media.children
      .filter(({ id }) => !brokenChildren.has(id))
      .map((child) => child.fields(nowMs)),
    before_conversion: media.traits.beforeConversion,
    insights: media.insights(nowMs) === null ? null : Object.fromEntries(insights),
    navigation: media.productType === 'STORY' ? media.breakdown('navigation', nowMs) : null,
    profile_actions: media.breakdown('profile_activity', nowMs),
    ...(options.comments === true ? { comments: media.comments(nowMs).map(commentTruth) } : {}),
  };
}

/** Returns the lists of other users' media by edge; empty where they are unreadable. */
function foreignTruth(account: Account, { world, nowMs }: TruthContext): JsonObject {
  const denied = world.conditions.spec.deniedEdges?.[account.id] ?? [];
  const lists = [...FOREIGN_LISTS].map(([edge, { readable }]) => {
    const media = denied.includes(edge) ? [] : (account.foreignMediaAt(edge, nowMs) ?? []);
    return [edge, media.map((one) => shownFields(one, readable, nowMs))] as const;
  });
  return Object.fromEntries(lists);
}

function shownFields(media: Media, readable: ReadonlySet<string>, nowMs: number): JsonObject {
  const shown = Object.entries(media.fields(nowMs)).filter(
    ([name]) => readable.has(name) && !(name === 'like_count' && media.traits.hiddenLikes),
  );
  return Object.fromEntries(shown);
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

function dayTruth(day: Day, { world }: TruthContext): JsonObject {
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

/**
 * Returns audiences by metric and breakdown; null where there are no results, absent where they are
 * rejected.
 */
function audiencesTruth(
  account: Account,
  { nowMs }: TruthContext,
  timeframe = 'this_month',
): JsonObject {
  const audiences: Record<string, Json> = {};
  for (const metric of ['engaged_audience_demographics', 'reached_audience_demographics']) {
    const parts: Record<string, Json> = {};
    for (const breakdown of ['age', 'city', 'country', 'gender', 'age,gender']) {
      const audience = account.audienceAt(metric, breakdown, nowMs, timeframe);
      if (audience !== 'refused') parts[breakdown] = audience === 'none' ? null : audience;
    }
    audiences[metric] = parts;
  }
  return audiences;
}

/** Metrics that exist as a total only. */
const TOTALS = [
  ...['views', 'accounts_engaged', 'total_interactions', 'likes', 'comments', 'shares', 'saves'],
  ...['replies', 'reposts', 'profile_links_taps', 'profile_views', 'website_clicks'],
];

/** The breakdowns of totals, and the metrics that have them. */
const BREAKDOWNS = {
  follow_type: ['views', 'reach'],
  media_product_type: [
    ...['views', 'reach', 'total_interactions', 'likes', 'comments', 'shares', 'saves'],
  ],
  contact_button_type: ['profile_links_taps'],
};

/** Returns the cells of a total that are shown: none where it is 0, null where they are unknown. */
function cellsOf({ value, parts = {} }: Total = {}): Json {
  const cells = Object.entries(parts).filter(([, count]) => count > 0);
  return cells.length > 0 || value === 0 ? Object.fromEntries(cells) : null;
}

function totalsTruth(
  account: Account,
  { endTimeMs }: Day,
  { world, nowMs }: TruthContext,
): JsonObject {
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
  const { removedMetrics, spec } = world.conditions;
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
    breakdowns: Object.fromEntries(
      Object.entries(BREAKDOWNS).flatMap(([breakdown, names]) =>
        names
          .filter((name) => !removedMetrics.has(name))
          .filter((name) => !isBreakdownRefused(account.id, [name, breakdown], spec))
          .map((name) => [`${name} ${breakdown}`, cellsOf(total(name, breakdown))]),
      ),
    ),
  };
}
