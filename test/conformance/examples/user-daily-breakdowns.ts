import type { Example } from './example.ts';

export const userDailyBreakdowns: Example = {
  node: {
    date: '2026-05-12T07:00:00Z',
    day: '2026-05-11',
    views_by_follow_type: { FOLLOWER: 1155, NON_FOLLOWER: 840, UNKNOWN: 105 },
    reach_by_follow_type: { FOLLOWER: 500, NON_FOLLOWER: 400 },
    views_by_media_product_type: { POST: 630, REEL: 840, STORY: 210, AD: 420 },
    reach_by_media_product_type: { POST: 300, REEL: 600 },
    total_interactions_by_media_product_type: { POST: 36, REEL: 84 },
    likes_by_media_product_type: { POST: 24, REEL: 56 },
    comments_by_media_product_type: { REEL: 10 },
    shares_by_media_product_type: { REEL: 12 },
    saves_by_media_product_type: {},
    profile_links_taps_by_contact_button_type: { EMAIL: 3, CALL: 2, BOOK_NOW: 1 },
  },
  minimal: { date: '2026-05-12T07:00:00Z', day: '2026-05-11' },
  key: '17841400000000001/2026-05-12T07:00:00Z',
  required: ['date', 'day'],
};
