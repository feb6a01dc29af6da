import type { Example } from './example.ts';

export const mentions: Example = {
  node: {
    id: '17967008497439572',
    caption: '@shop.invented hey',
    comments_count: 2,
    like_count: 4,
    media_type: 'IMAGE',
    media_url: 'https://scontent.cdninstagram.com/v/t51/1.jpg',
    timestamp: '2026-08-19T09:14:16+0000',
    username: 'lena_1',
    text: '@shop.invented good',
    media_id: '17889114512354744',
    comment_id: '17967008497439572',
  },
  minimal: { id: '17967008497439572', media_id: '17889114512354744' },
  key: '17841400000000001/17967008497439572',
  required: ['id', 'media_id'],
};
