import type { JsonObject } from '../json.ts';
import { createDraw } from './draws.ts';
import { mediaId } from './ids.ts';
import type { Media } from './model.ts';
import { drawFinals, metricsAt, partsAt } from './post-metrics.ts';
import { type MediaOwner, identityFields, mediaUrl } from './posts.ts';

/** The parameters of a story. */
export interface StoryPlan {
  readonly seed: string;
  readonly owner: MediaOwner;
  readonly createdAtMs: number;
  readonly unseen: boolean;
}

/** Creates a story: an image, a video, or a video with music (which has no `media_url`). */
export function createStory(plan: StoryPlan): Media {
  const { owner, createdAtMs, unseen } = plan;
  const draw = createDraw(plan.seed);
  const finals = drawFinals({ draw, productType: 'STORY', followers: owner.followers, unseen });
  const id = mediaId(draw);
  const mediaType = draw('type') < 0.45 ? 'VIDEO' : 'IMAGE';
  const withMusic = mediaType === 'VIDEO' && draw('music') < 0.4;
  const identity = identityFields(draw, owner, createdAtMs);
  const fixed: JsonObject = {
    id,
    ...identity,
    ...(draw('caption') < 0.3 ? { caption: 'Swipe up ➡️ only today' } : {}),
    comments_count: 0,
    media_type: mediaType,
    media_product_type: 'STORY',
    ...(withMusic ? {} : { media_url: mediaUrl(draw, mediaType) }),
    permalink: `https://www.instagram.com/stories/${owner.username}/${identity.ig_id}`,
    ...(mediaType === 'VIDEO' ? { thumbnail_url: mediaUrl(draw, 'THUMBNAIL') } : {}),
  };
  const age = (nowMs: number) => ({ ageMs: nowMs - createdAtMs, productType: 'STORY' as const });
  return {
    id,
    accountId: owner.id,
    createdAtMs,
    productType: 'STORY',
    isChild: false,
    traits: { hiddenLikes: false, beforeConversion: false, onFacebook: draw('facebook') < 0.3 },
    children: [],
    fields: (nowMs) => ({ ...fixed, like_count: metricsAt(finals, age(nowMs))['shares'] ?? 0 }),
    insights: (nowMs) => metricsAt(finals, age(nowMs)),
    breakdown: (metric, nowMs) => partsAt(finals, metric, age(nowMs)),
    comments: () => [],
  };
}
