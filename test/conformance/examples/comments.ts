import type { Example } from './example.ts';

export const comments: Example = {
  node: {
    id: '17865799348089039',
    timestamp: '2026-05-12T05:26:06+0000',
    text: 'Where is this? 😍',
    like_count: 3,
    hidden: false,
    username: 'lena_1',
    from: { id: '17841400000000077', username: 'lena_1' },
    media_id: '18000000000000001',
    parent_id: '17865799348089038',
  },
  minimal: { id: '17865799348089039', media_id: '18000000000000001' },
  key: '17865799348089039',
  required: ['id', 'media_id', 'from.id'],
};
