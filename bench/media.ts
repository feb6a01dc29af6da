import type { Value } from '../src/engine/json.ts';

const dayMs = 86_400_000;
const startMs = 1_700_000_000_000;

/** Creates the n-th media of a busy account: every field of a feed video, texts of usual length. */
export function mediaValue(n: number): Value {
  const id = String(17_900_000_000_000_000n + BigInt(n));
  const file = `https://scontent.cdninstagram.com/v/t51.29350-15/${id}_n.jpg`;
  const signature =
    '_nc_cat=101&ccb=1-7&_nc_sid=8ae9d6&_nc_ohc=Q7kNvgHq2&oh=00_AfBq1zXw&oe=65F00000';
  return {
    id,
    business_account_id: '17841400000000000',
    page_id: '100000000000000',
    polled_at: startMs,
    ig_id: id,
    media_type: 'VIDEO',
    media_url: `${file}?${signature}`,
    owner: { id: '17841400000000000' },
    permalink: `https://www.instagram.com/p/C${id}/`,
    shortcode: `C${id}`,
    thumbnail_url: `${file}?stp=dst-jpg&${signature}`,
    timestamp: startMs - (n % 900) * dayMs,
    username: 'a_busy_account',
    caption: `Post ${String(n)}: what a caption says, at its usual length, with #tags and an @mention`,
    comments_count: n % 90,
    is_comment_enabled: true,
    like_count: n % 5000,
    media_product_type: 'FEED',
    alt_text: null,
    media_audio_type: 'ORIGINAL_SOUND',
    is_ai_generated: false,
    is_shared_to_feed: null,
    legacy_instagram_media_id: id,
    reposts_count: n % 7,
    saved_count: n % 11,
    shares_count: n % 13,
    total_like_count: n % 5000,
    total_comments_count: n % 90,
    total_views_count: n % 9000,
    children: null,
  };
}
