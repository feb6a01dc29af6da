import { describe, expect, test } from '@jest/globals';
import { storyInsights } from '../../../../src/instagram/streams/story-insights.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

const metrics =
  'reach,views,replies,shares,navigation,profile_visits,follows,total_interactions,profile_activity';

/** The fields of the last record of a story, in every other record. */
const notLast = {
  is_final: false,
  final_source: null,
  not_final_reason: null,
  measured_at: null,
};

describe('stream story_insights', () => {
  test.each([
    ['facebook', `${metrics},link_clicks`],
    ['instagram', metrics],
  ] as const)('requests with %s login the metrics of each story', async (login, asked) => {
    expect(await requestsOf(storyInsights, { login, listed: [{ id: '1' }, { id: '2' }] })).toEqual([
      { path: '/17841400000000001/stories', query: { fields: 'id,timestamp', limit: '100' } },
      { path: '/1/insights', query: { metric: asked } },
      { path: '/2/insights', query: { metric: asked } },
    ]);
  });

  test('maps a story with its four navigation actions', () => {
    const values = {
      reach: 90,
      replies: 0,
      follows: 1,
      profile_visits: 2,
      shares: 3,
      total_interactions: 6,
      views: 120,
      navigation: 25,
      navigation_actions: { tap_forward: 19, tap_back: 4, tap_exit: 1, swipe_forward: 1 },
      link_clicks: 7,
      profile_activity: 8,
      profile_activity_actions: { email: 6, text: 2 },
    };
    const node = { id: '1', timestamp: '2026-05-12T05:26:06+0000', ...values };

    expect(storyInsights.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        ...values,
        id: '1',
        timestamp: Date.UTC(2026, 4, 12, 5, 26, 6),
        ...notLast,
      }),
    );
  });

  test('maps a story that has only the metric reach', () => {
    expect(storyInsights.toRecord({ id: '1', reach: 5 }, origin)).toEqual(
      mappedTo({
        ...provenance,
        id: '1',
        timestamp: null,
        reach: 5,
        replies: null,
        follows: null,
        profile_visits: null,
        shares: null,
        total_interactions: null,
        views: null,
        navigation: null,
        navigation_actions: null,
        link_clicks: null,
        profile_activity: null,
        ...notLast,
        profile_activity_actions: null,
      }),
    );
  });
});
