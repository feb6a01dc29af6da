import type { Example } from './example.ts';

export const storyInsights: Example = {
  node: {
    id: '18000000000000011',
    timestamp: '2026-05-12T05:26:06+0000',
    reach: 90,
    replies: 1,
    follows: 2,
    profile_visits: 3,
    shares: 4,
    total_interactions: 5,
    views: 120,
    navigation: 25,
    navigation_actions: { tap_forward: 19, tap_back: 4, tap_exit: 1, swipe_forward: 1 },
    link_clicks: 6,
    profile_activity: 7,
    is_final: true,
    final_source: 'poll',
    not_final_reason: 'deleted',
    measured_at: '2026-05-13T05:20:00Z',
    profile_activity_actions: { bio_link_clicked: 5, text: 2 },
  },
  minimal: { id: '18000000000000011' },
  key: '18000000000000011',
  required: ['id'],
};
