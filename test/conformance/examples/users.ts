import type { Example } from './example.ts';

export const users: Example = {
  node: {
    id: '17841400000000001',
    // A number here, but a string on media: the API differs.
    ig_id: 2500000001,
    biography: 'We make tables',
    followers_count: 280,
    follows_count: 78,
    media_count: 160,
    name: 'First',
    profile_picture_url: 'https://scontent.xx.fbcdn.net/v/p.jpg?ccb=1-7&oe=6A247B54',
    username: 'first',
    website: 'http://www.example.com/',
    has_profile_pic: true,
    is_published: true,
  },
  minimal: { id: '17841400000000001' },
  key: '17841400000000001',
  required: ['id'],
};
