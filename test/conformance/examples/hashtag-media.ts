import type { Example } from './example.ts';

const found = {
  hashtag_id: '17841593698074073',
  hashtag: 'coke',
  list: 'recent',
};

export const hashtagMedia: Example = {
  node: {
    id: '18000000000000095',
    media_type: 'IMAGE',
    media_url: 'https://scontent.cdninstagram.com/v/1.jpg?_nc_rid=abc&oe=6A247B54',
    permalink: 'https://www.instagram.com/p/INVENTED095/',
    timestamp: '2026-11-29T03:00:00+0000',
    caption: 'An invented #coke',
    comments_count: 1,
    like_count: 3,
    ...found,
  },
  minimal: { id: '18000000000000095', ...found },
  key: '17841593698074073/recent/18000000000000095',
  required: ['id', 'hashtag_id', 'hashtag', 'list'],
};
