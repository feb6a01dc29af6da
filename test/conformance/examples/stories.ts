import type { Example } from './example.ts';

export const stories: Example = {
  node: {
    id: '18000000000000011',
    ig_id: '3900000000000000011',
    media_type: 'VIDEO',
    media_url: 'https://scontent.cdninstagram.com/v/story.mp4?_nc_rid=abc&oe=6A247B54',
    owner: { id: '17841400000000001' },
    permalink: 'https://www.instagram.com/stories/first/3900000000000000011',
    shortcode: 'CCCCCCCCCCC',
    thumbnail_url: 'https://scontent.cdninstagram.com/v/story.jpg',
    timestamp: '2026-05-12T05:26:06+0000',
    username: 'first',
    caption: 'Today',
    like_count: 3,
    media_product_type: 'STORY',
  },
  minimal: { id: '18000000000000011' },
  key: '18000000000000011',
  required: ['id', 'owner.id'],
};
