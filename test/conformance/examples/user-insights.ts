import type { Example } from './example.ts';

export const userInsights: Example = {
  node: {
    date: '2026-05-12T07:00:00+0000',
    follower_count: 4,
    reach: 100,
    reach_week: 650,
    reach_days_28: 2400,
    online_followers: { '0': 12, '13': 80, '23': 40 },
  },
  minimal: { date: '2026-05-12T07:00:00+0000' },
  key: '17841400000000001/2026-05-12T07:00:00Z',
  required: ['date'],
};
