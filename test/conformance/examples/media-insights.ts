import type { Example } from './example.ts';

export const mediaInsights: Example = {
  node: {
    id: '18000000000000001',
    media_type: 'VIDEO',
    media_product_type: 'REELS',
    timestamp: '2026-05-12T05:26:06+0000',
    views: 2257,
    reach: 1408,
    saved: 2,
    likes: 76,
    comments: 23,
    shares: 15,
    total_interactions: 119,
    reposts: 3,
    follows: 4,
    profile_visits: 5,
    profile_activity: 6,
    ig_reels_avg_watch_time: 11768,
    ig_reels_video_view_total_time: 18547084,
    reels_skip_rate: 48.4,
  },
  minimal: { id: '18000000000000001' },
  key: '18000000000000001',
  required: ['id'],
};
