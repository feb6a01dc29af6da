import type { Example } from './example.ts';

export const userLifetimeInsights: Example = {
  node: {
    name: 'follower_demographics',
    period: 'lifetime',
    title: 'Follower demographics',
    description: 'The demographic characteristics of followers.',
    total_value: {
      breakdowns: [
        {
          dimension_keys: ['age', 'gender'],
          results: [
            { dimension_values: ['18-24', 'F'], value: 30 },
            { dimension_values: ['18-24', 'U'], value: 90 },
          ],
        },
      ],
    },
    id: '17841400000000001/insights/follower_demographics/lifetime',
    breakdown: 'age,gender',
  },
  minimal: {
    name: 'follower_demographics',
    total_value: { breakdowns: [{ results: [{ dimension_values: ['DE'], value: 3 }] }] },
    breakdown: 'age,gender',
  },
  key: '17841400000000001/age,gender',
  required: [
    'name',
    'breakdown',
    'total_value.breakdowns[0].results[0].dimension_values',
    'total_value.breakdowns[0].results[0].value',
  ],
};
