import type { Conditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { Clock } from './clock.ts';
import { accountUnderConditions } from './conditioned.ts';
import { type PostKind, FEED_VIDEO, NAMES, POST_KINDS } from './content.ts';
import { type Draw, createDraw, drawDigits, drawInteger, drawText } from './draws.ts';
import { audienceOf, spreadFollowers } from './demographics.ts';
import type { Account, Media } from './model.ts';
import { createForeignMedia } from './foreign-media.ts';
import { DAY_MS } from './pacific.ts';
import { type MediaOwner, createPost, mediaUrl } from './posts.ts';
import { type TimelessAccount, showPresent } from './present.ts';
import { createSeries } from './series.ts';
import { createStory } from './stories.ts';
import { type Timeline, createTimeline } from './timeline.ts';
import { totalOfDays } from './totals.ts';

const MINUTE_MS = 60_000;
/** Age of the oldest post at the world's start. */
const OLDEST_MS = 4 * 365 * DAY_MS;
/** Stories are listed for 24 hours. */
export const STORY_LIFETIME_MS = DAY_MS;

/** The parameters of an account. */
export interface AccountPlan {
  readonly seed: string;
  readonly index: number;
  readonly pageId: string;
  readonly clock: Clock;
  readonly startMs: number;
  readonly mediaCount: number;
  /** Children of all albums at the start; drawn for each when undefined. */
  readonly childCount: number | undefined;
  readonly storyCount: number;
  /** Number of the oldest posts that precede the account's conversion to a business account. */
  readonly preConversionMedia: number;
  /** Number of the next oldest posts that are feed videos. */
  readonly oldFeedVideos: number;
  readonly postsPerDay: number;
  readonly unseenStories: number;
  readonly insightsDays: number;
  /** True for fewer than a hundred followers. */
  readonly small: boolean;
  readonly onMedia: (media: Media) => void;
  readonly conditions: Conditions;
}

/** Creates an account whose every number follows from the seed and the requested time. */
export function createAccount(plan: AccountPlan): Account {
  const { clock, startMs } = plan;
  const draw = createDraw(plan.seed);
  const owner = drawOwner(plan, draw);
  const seriesFromMs = startMs - plan.insightsDays * DAY_MS;
  const series = createSeries({ draw, followers: owner.followers, fromMs: seriesFromMs });
  const posts = createPosts(plan, owner, draw);
  const stories = createStories(plan, owner, draw);
  const foreignMedia = createForeignMedia(plan, owner, draw);
  const followersAt = (nowMs: number) => owner.followers + series.gained(startMs, nowMs);
  const fixed = userFields(plan, owner, draw);
  const account: TimelessAccount = {
    id: owner.id,
    pageId: plan.pageId,
    appScopedId: `2${drawDigits(draw, 'app-scoped', 16)}`,
    instagramToken: `IGAA${drawText(draw, 'token', 60)}`,
    seriesFromMs,
    userAt: (nowMs) => ({
      ...fixed,
      followers_count: followersAt(nowMs),
      media_count: posts.until(nowMs).length,
    }),
    mediaAt: (nowMs) => posts.until(nowMs),
    storiesAt: (nowMs) =>
      stories.until(nowMs).filter((story) => nowMs - story.createdAtMs < STORY_LIFETIME_MS),
    storiesEnded: ({ sinceMs, untilMs }) =>
      stories.until(untilMs).filter(({ createdAtMs }) => {
        const endMs = createdAtMs + STORY_LIFETIME_MS;
        return endMs > sinceMs && endMs <= untilMs;
      }),
    foreignMediaAt: (edge, nowMs) => foreignMedia.get(edge)?.until(nowMs),
    daysAt: (window, nowMs) => series.daysAt(window, nowMs),
    demographicsAt: (nowMs) => spreadFollowers(draw, followersAt(nowMs)),
    audienceAt: (metric, breakdown, nowMs, timeframe) => {
      const followers = followersAt(nowMs);
      const request = { metric, breakdown, timeframe, followers };
      return audienceOf(spreadFollowers(draw, followers), request);
    },
    total: (request) => totalOfDays(series.daysAt(request, request.nowMs), request),
  };
  return showPresent(accountUnderConditions(account, plan.conditions), clock);
}

function drawOwner(plan: AccountPlan, draw: Draw): MediaOwner {
  const name = NAMES[plan.index % NAMES.length] ?? 'Account';
  const slug = name.toLowerCase().replace(/[^a-z]+/g, '_');
  return {
    id: `17841${drawDigits(draw, 'id', 12)}`,
    username: `${slug}.${plan.index + 1}`,
    followers: plan.small ? 57 : drawInteger(draw('followers') ** 2, 900, 180_000),
  };
}

function userFields(plan: AccountPlan, owner: MediaOwner, draw: Draw): JsonObject {
  const igId = drawInteger(draw('ig_id'), 1_000_000_000, 69_999_999_999);
  return {
    id: owner.id,
    ig_id: igId,
    username: owner.username,
    name: NAMES[plan.index % NAMES.length] ?? 'Account',
    ...(plan.index % 3 === 2
      ? {}
      : { biography: 'Open daily 8–18 📍 Old Harbour\nNew things every week & more…' }),
    ...(plan.index % 4 === 3 ? {} : { website: `https://shop-${plan.index + 1}.example.com/` }),
    follows_count: drawInteger(draw('follows'), 10, 900),
    profile_picture_url: mediaUrl(draw, 'PROFILE'),
    has_profile_pic: true,
    is_published: true,
    legacy_instagram_user_id: String(igId),
    account_type: 'BUSINESS',
  };
}

function createPosts(plan: AccountPlan, owner: MediaOwner, draw: Draw): Timeline {
  const childrenOf = shareChildren(plan);
  const create = (index: number, createdAtMs: number, beforeConversion: boolean): Media =>
    createPost({
      seed: `${plan.seed}/post/${index}`,
      owner,
      kind: kindOf(index, plan),
      childCount: childrenOf(index),
      createdAtMs,
      beforeConversion,
    });
  const initial = Array.from({ length: plan.mediaCount }, (_, index) => {
    // Ages from minutes to years: dense among the newest, as in an account that posts regularly.
    const share = (index + 0.5 * draw(`age/${index}`)) / Math.max(1, plan.mediaCount - 0.5);
    const ageMs = 7 * MINUTE_MS + OLDEST_MS * share ** 2.2;
    const beforeConversion = index >= plan.mediaCount - plan.preConversionMedia;
    return create(index, wholeSecond(plan.startMs - ageMs), beforeConversion);
  });
  return createTimeline({
    startMs: plan.startMs,
    initial,
    perDay: plan.postsPerDay,
    jitter: (index) => draw(`post/${index}/jitter`),
    create: (index, createdAtMs) =>
      create(plan.mediaCount + index, wholeSecond(createdAtMs), false),
    onCreate: plan.onMedia,
  });
}

type KindCounts = Pick<AccountPlan, 'mediaCount' | 'preConversionMedia' | 'oldFeedVideos'>;

/**
 * @param index - 0 for the newest post at the start; later posts continue from the number of posts
 */
function kindOf(index: number, plan: KindCounts): PostKind {
  const converted = plan.mediaCount - plan.preConversionMedia;
  if (index >= converted - plan.oldFeedVideos && index < converted) return FEED_VIDEO;
  return POST_KINDS[index % POST_KINDS.length] ?? POST_KINDS[0];
}

/** Returns the number of children of each of the first posts; undefined where it is drawn. */
function shareChildren(plan: AccountPlan): (index: number) => number | undefined {
  const { mediaCount, childCount } = plan;
  if (childCount === undefined) return () => undefined;
  const indices = Array.from({ length: mediaCount }, (_, index) => index);
  const albums = indices.filter((index) => kindOf(index, plan).mediaType === 'CAROUSEL_ALBUM');
  const until = (nth: number): number => Math.floor((nth * childCount) / albums.length);
  return (index) => {
    const nth = albums.indexOf(index);
    return nth < 0 ? undefined : until(nth + 1) - until(nth);
  };
}

function createStories(plan: AccountPlan, owner: MediaOwner, draw: Draw): Timeline {
  const slotMs = STORY_LIFETIME_MS / Math.max(1, plan.storyCount);
  const create = (index: number, createdAtMs: number): Media =>
    createStory({
      seed: `${plan.seed}/story/${index}`,
      owner,
      createdAtMs: wholeSecond(createdAtMs),
      unseen: index % Math.max(1, plan.storyCount) < plan.unseenStories,
    });
  return createTimeline({
    startMs: plan.startMs,
    initial: Array.from({ length: plan.storyCount }, (_, index) =>
      create(index, plan.startMs - (index + 0.2 + 0.6 * draw(`story/${index}`)) * slotMs),
    ),
    perDay: plan.storyCount,
    jitter: (index) => draw(`story/${index}/jitter`),
    create: (index, createdAtMs) => create(plan.storyCount + index, createdAtMs),
    onCreate: plan.onMedia,
  });
}

/** The API shows whole seconds. */
function wholeSecond(atMs: number): number {
  return Math.floor(atMs / 1000) * 1000;
}
