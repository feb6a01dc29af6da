import type { Example } from './example.ts';

export const mediaChildren: Example = {
  node: {
    id: '18000000000000002',
    media_id: '18000000000000001',
    position: 1,
    ig_id: '3900000000000000002',
    media_type: 'VIDEO',
    media_url: 'https://scontent.cdninstagram.com/v/2.mp4?_nc_rid=def&oe=6A247B54',
    owner: { id: '17841400000000001' },
    permalink: 'https://www.instagram.com/p/BBBBBBBBBBB/',
    shortcode: 'BBBBBBBBBBB',
    thumbnail_url: 'https://scontent.cdninstagram.com/v/2-thumb.jpg',
    timestamp: '2026-05-12T05:26:05+0000',
    username: 'first',
  },
  minimal: { id: '18000000000000002', media_id: '18000000000000001', position: 1 },
  key: '18000000000000002',
  required: ['id', 'media_id', 'position', 'owner.id'],
};
