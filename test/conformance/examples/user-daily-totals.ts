import type { Example } from './example.ts';

export const userDailyTotals: Example = {
  node: {
    date: '2026-05-12T07:00:00Z',
    day: '2026-05-11',
    views: 2100,
    accounts_engaged: 90,
    total_interactions: 120,
    likes: 80,
    comments: 10,
    shares: 12,
    saves: 15,
    replies: 3,
    reposts: 2,
    profile_links_taps: 6,
    profile_views: 50,
    website_clicks: 11,
    follows: 9,
    unfollows: 4,
  },
  minimal: { date: '2026-05-12T07:00:00Z', day: '2026-05-11' },
  key: '17841400000000001/2026-05-12T07:00:00Z',
  required: ['date', 'day'],
};
