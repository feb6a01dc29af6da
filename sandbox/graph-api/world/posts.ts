import type { JsonObject } from '../json.ts';
import { createComments } from './comments.ts';
import { type PostKind, CAPTIONS } from './content.ts';
import { type Draw, createDraw, drawDigits, drawInteger, drawOne } from './draws.ts';
import { instagramId, mediaId, shortcode } from './ids.ts';
import type { Media, MediaTraits } from './model.ts';
import { formatTime } from './pacific.ts';
import { type Finals, drawFinals, HALF_LIFE_HOURS, metricsAt, partsAt } from './post-metrics.ts';

/** The account of a media, as far as the media's fields show it. */
export interface MediaOwner {
  readonly id: string;
  readonly username: string;
  /** Followers at the world's start, which scale the numbers. */
  readonly followers: number;
}

/** The parameters of a post. */
export interface PostPlan {
  readonly seed: string;
  readonly owner: MediaOwner;
  readonly kind: PostKind;
  /** Number of an album's children; drawn when undefined. */
  readonly childCount?: number | undefined;
  readonly createdAtMs: number;
  readonly beforeConversion: boolean;
}

const NO_TRAITS: MediaTraits = { hiddenLikes: false, beforeConversion: false, onFacebook: false };

/** Creates a post with its children; all its numbers follow from the seed and its age. */
export function createPost(plan: PostPlan): Media {
  const { owner, kind, createdAtMs } = plan;
  const draw = createDraw(plan.seed);
  const { productType } = kind;
  const finals: Finals = {
    ...drawFinals({ draw, productType, followers: owner.followers, unseen: false }),
    ...(kind.commentsDisabled === true ? { comments: 0 } : {}),
  };
  const id = mediaId(draw);
  const fixed = postFields(plan, draw, id);
  const age = (nowMs: number) => ({ ageMs: nowMs - createdAtMs, productType });
  return {
    id,
    accountId: owner.id,
    createdAtMs,
    productType,
    isChild: false,
    traits: {
      hiddenLikes: kind.hiddenLikes === true,
      beforeConversion: plan.beforeConversion,
      onFacebook: draw('facebook') < 0.3,
    },
    children: kind.mediaType === 'CAROUSEL_ALBUM' ? createChildren(plan, draw, id) : [],
    fields: (nowMs) => ({ ...fixed, ...countsAt(kind, metricsAt(finals, age(nowMs))) }),
    insights: (nowMs) => metricsOfKind(kind, metricsAt(finals, age(nowMs))),
    breakdown: (metric, nowMs) => partsAt(finals, metric, age(nowMs)),
    comments: createComments({
      draw,
      createdAtMs,
      final: finals['comments'] ?? 0,
      halfLifeHours: HALF_LIFE_HOURS[productType],
    }),
  };
}

type Metrics = Readonly<Record<string, number>>;

/** The API has two metrics for feed videos, and no other. */
function metricsOfKind({ mediaType, productType }: PostKind, metrics: Metrics): Metrics {
  const { reach = 0, saved = 0 } = metrics;
  return mediaType === 'VIDEO' && productType === 'FEED' ? { reach, saved } : metrics;
}

/** Returns a media's counts, which change together with its metrics. */
function countsAt(kind: PostKind, metrics: Metrics): JsonObject {
  const count = (name: string): number => metrics[name] ?? 0;
  return {
    comments_count: count('comments'),
    like_count: count('likes'),
    reposts_count: count('reposts'),
    saved_count: count('saved'),
    shares_count: count('shares'),
    total_like_count: count('likes'),
    total_comments_count: count('comments'),
    ...(kind.mediaType === 'VIDEO' ? { total_views_count: count('total_views') } : {}),
  };
}

function postFields(plan: PostPlan, draw: Draw, id: string): JsonObject {
  const { owner, kind, createdAtMs } = plan;
  const identity = identityFields(draw, owner, createdAtMs);
  const reel = kind.productType === 'REELS';
  const code = identity.shortcode;
  return {
    id,
    ...identity,
    ...(kind.withoutCaption === true ? {} : { caption: drawOne(draw('caption'), CAPTIONS) }),
    is_comment_enabled: kind.commentsDisabled !== true,
    media_type: kind.mediaType,
    media_product_type: kind.productType,
    ...(kind.copyrighted === true ? {} : { media_url: mediaUrl(draw, kind.mediaType) }),
    permalink: `https://www.instagram.com/${reel ? 'reel' : 'p'}/${code}/`,
    ...(kind.mediaType === 'VIDEO' ? { thumbnail_url: mediaUrl(draw, 'THUMBNAIL') } : {}),
    ...(kind.altText === true ? { alt_text: 'A described picture: “bread” on a table 🥖' } : {}),
    ...(reel
      ? {
          is_shared_to_feed: draw('shared') < 0.8,
          media_audio_type: draw('audio') < 0.5 ? 'MUSIC' : 'ORIGINAL_SOUND',
        }
      : {}),
    is_ai_generated: draw('ai') < 0.1,
    legacy_instagram_media_id: identity.ig_id,
  };
}

/** The fields that posts, stories and children have in common. */
interface MediaIdentity {
  readonly ig_id: string;
  readonly owner: { readonly id: string };
  readonly shortcode: string;
  readonly timestamp: string;
  readonly username: string;
}

/** Draws the identifying fields of a media. */
export function identityFields(draw: Draw, owner: MediaOwner, createdAtMs: number): MediaIdentity {
  const igId = instagramId(draw, createdAtMs);
  return {
    ig_id: igId,
    owner: { id: owner.id },
    shortcode: shortcode(igId),
    timestamp: formatTime(createdAtMs),
    username: owner.username,
  };
}

/** Returns a CDN address without its signature. */
export function mediaUrl(draw: Draw, kind: string): string {
  const host = `https://scontent-iad3-${1 + Math.floor(draw(`${kind}/host`) * 3)}.cdninstagram.com`;
  const name = `${drawDigits(draw, `${kind}/1`, 9)}_${drawDigits(draw, `${kind}/2`, 17)}`;
  return kind === 'VIDEO'
    ? `${host}/o1/v/t2/f2/m86/${name}.mp4`
    : `${host}/v/t51.82787-15/${name}_${drawDigits(draw, `${kind}/3`, 19)}_n.jpg`;
}

function createChildren(plan: PostPlan, draw: Draw, albumId: string): Media[] {
  const count = plan.childCount ?? drawInteger(draw('children'), 2, 10);
  return Array.from({ length: count }, (_, index) => {
    const childDraw = createDraw(`${plan.seed}/child/${index}`);
    const id = mediaId(childDraw);
    const mediaType = childDraw('type') < 0.25 ? 'VIDEO' : 'IMAGE';
    const identity = identityFields(childDraw, plan.owner, plan.createdAtMs);
    const fields: JsonObject = {
      id,
      ...identity,
      media_type: mediaType,
      media_url: mediaUrl(childDraw, mediaType),
      permalink: `https://www.instagram.com/p/${identity.shortcode}/`,
      ...(mediaType === 'VIDEO' ? { thumbnail_url: mediaUrl(childDraw, 'THUMBNAIL') } : {}),
    };
    return {
      id,
      accountId: plan.owner.id,
      createdAtMs: plan.createdAtMs,
      productType: 'FEED',
      isChild: true,
      albumId,
      traits: NO_TRAITS,
      children: [],
      fields: () => fields,
      insights: () => null,
      breakdown: () => ({}),
      comments: () => [],
    };
  });
}
