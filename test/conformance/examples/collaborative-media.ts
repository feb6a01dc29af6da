import type { Example } from './example.ts';

export const collaborativeMedia: Example = {
  node: {
    id: '18000000000000001',
    media_type: 'VIDEO',
    media_product_type: 'REELS',
    media_url: 'https://scontent.cdninstagram.com/v/1.mp4?_nc_rid=abc&oe=6A247B54',
    permalink: 'https://www.instagram.com/reel/AAAAAAAAAAA/',
    thumbnail_url: 'https://scontent.cdninstagram.com/v/1-thumb.jpg?oe=6A247B54',
    timestamp: '2026-05-12T05:26:06+0000',
    username: 'friend',
    caption: 'Made together',
    comments_count: 4,
    like_count: 31,
    reposts_count: 1,
    saved_count: 9,
    shares_count: 3,
    total_like_count: 33,
    total_comments_count: 5,
    total_views_count: 870,
  },
  minimal: { id: '18000000000000001' },
  key: '17841400000000001/18000000000000001',
  required: ['id'],
};
