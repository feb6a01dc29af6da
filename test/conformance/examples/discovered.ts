import type { Example } from './example.ts';

export const discoveredUsers: Example = {
  node: {
    id: '17841400000000333',
    username: 'brand.invented',
    name: 'Invented Brand',
    biography: 'New things every week 📍',
    website: 'https://brand.example.com/',
    followers_count: 267_788,
    follows_count: 120,
    media_count: 1205,
    profile_picture_url: 'https://scontent.cdninstagram.com/v/1.jpg?ccb=7-5&oe=6A247B54',
  },
  minimal: { id: '17841400000000333' },
  key: '17841400000000333',
  required: ['id'],
};

export const discoveredMedia: Example = {
  node: {
    id: '18000000000000001',
    user_id: '17841400000000333',
    media_type: 'VIDEO',
    media_product_type: 'REELS',
    media_url: 'https://scontent.cdninstagram.com/v/1.mp4?_nc_rid=abc&oe=6A247B54',
    permalink: 'https://www.instagram.com/reel/AAAAAAAAAAA/',
    shortcode: 'AAAAAAAAAAA',
    thumbnail_url: 'https://scontent.cdninstagram.com/v/1-thumb.jpg?oe=6A247B54',
    timestamp: '2026-05-12T05:26:06+0000',
    username: 'brand.invented',
    caption: 'An invented reel',
    alt_text: 'A table',
    media_audio_type: 'ORIGINAL_SOUND',
    is_shared_to_feed: true,
    comments_count: 4,
    like_count: 31,
    view_count: 1830,
    reposts_count: 2,
    total_comments_count: 5,
    total_like_count: 40,
  },
  minimal: { id: '18000000000000001', user_id: '17841400000000333' },
  key: '18000000000000001',
  required: ['id', 'user_id'],
};
