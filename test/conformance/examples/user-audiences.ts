import type { Example } from './example.ts';

const audience = (name: string, timeframe = 'THIS_MONTH'): Example => ({
  node: {
    name,
    period: 'lifetime',
    title: 'Audience demographics',
    description: 'The demographic characteristics of an audience.',
    total_value: {
      breakdowns: [
        {
          dimension_keys: ['timeframe', 'age', 'gender'],
          results: [
            { dimension_values: [timeframe, '18-24', 'F'], value: 30 },
            { dimension_values: [timeframe, '18-24', 'U'], value: 90 },
          ],
        },
      ],
    },
    id: `17841400000000001/insights/${name}/lifetime`,
    breakdown: 'age,gender',
  },
  minimal: {
    name,
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
});

export const userEngagedAudience = audience('engaged_audience_demographics');
export const userReachedAudience = audience('reached_audience_demographics');
export const userEngagedAudienceWeek = audience('engaged_audience_demographics', 'THIS_WEEK');
export const userReachedAudienceWeek = audience('reached_audience_demographics', 'THIS_WEEK');
