import { describe, expect, test } from '@jest/globals';
import { mediaInsights } from '../../../../src/instagram/streams/media-insights.ts';
import { mappedTo, origin, provenance, requestsOf } from './requests.ts';

const common = 'reach,views,likes,comments,saved,shares,total_interactions';
const feed = `${common},follows,profile_visits,profile_activity,reposts`;
const reels = `${common},reposts,ig_reels_avg_watch_time,ig_reels_video_view_total_time,reels_skip_rate`;

/** Every metric with the value null. */
const nothing = {
  media_type: null,
  media_product_type: null,
  timestamp: null,
  views: null,
  reach: null,
  saved: null,
  likes: null,
  comments: null,
  shares: null,
  total_interactions: null,
  reposts: null,
  follows: null,
  profile_visits: null,
  profile_activity: null,
  ig_reels_avg_watch_time: null,
  ig_reels_video_view_total_time: null,
  reels_skip_rate: null,
  crossposted_views: null,
  facebook_views: null,
  total_views: null,
  total_likes: null,
  total_comments: null,
  profile_activity_actions: null,
};

describe('stream media_insights', () => {
  test.each(['facebook', 'instagram'] as const)(
    'requests with %s login the metrics of each media type',
    async (login) => {
      const listed = [
        { id: '1', media_type: 'IMAGE', media_product_type: 'FEED' },
        { id: '2', media_type: 'VIDEO', media_product_type: 'REELS' },
        { id: '3', media_type: 'CAROUSEL_ALBUM', media_product_type: 'FEED' },
        { id: '4', media_type: 'VIDEO', media_product_type: 'AD' },
        { id: '5', media_type: 'VIDEO', media_product_type: 'FEED' },
      ];

      expect(await requestsOf(mediaInsights, { login, listed })).toEqual([
        {
          path: '/17841400000000001/media',
          query: {
            fields: `id,media_type,media_product_type,timestamp,like_count,comments_count${login === 'facebook' ? ',saved_count,shares_count,reposts_count,total_views_count' : ''}`,
            limit: '100',
          },
        },
        { path: '/1/insights', query: { metric: feed } },
        { path: '/2/insights', query: { metric: reels } },
        { path: '/3/insights', query: { metric: feed } },
        { path: '/4/insights', query: { metric: common } },
        { path: '/5/insights', query: { metric: 'reach,saved' } },
      ]);
    },
  );

  test('maps a reel with its times in milliseconds and its rate in percent', () => {
    const metrics = {
      views: 2257,
      reach: 1408,
      likes: 76,
      comments: 23,
      saved: 2,
      shares: 15,
      total_interactions: 119,
      reposts: 1,
      ig_reels_avg_watch_time: 11768,
      ig_reels_video_view_total_time: 18547084,
      reels_skip_rate: 48.4,
    };
    const listed = { id: '1', media_type: 'VIDEO', media_product_type: 'REELS' };
    const node = { ...listed, timestamp: '2026-05-12T05:26:06+0000', ...metrics };

    expect(mediaInsights.toRecord(node, origin)).toEqual(
      mappedTo({
        ...provenance,
        ...nothing,
        ...listed,
        ...metrics,
        timestamp: Date.UTC(2026, 4, 12, 5, 26, 6),
      }),
    );
  });

  test('maps a post that lacks some metrics', () => {
    const node = { id: '1', reach: 5, follows: 0, profile_visits: 2, profile_activity: 1 };

    expect(mediaInsights.toRecord(node, origin)).toEqual(
      mappedTo({ ...provenance, ...nothing, ...node }),
    );
  });

  // Invariant 5
  test('reports a breakdown that was not requested as unknown (Invariant 5)', () => {
    const node = { id: '1', navigation_actions: { tap_exit: 1 } };

    expect(mediaInsights.toRecord(node, origin)).toMatchObject({
      kind: 'record',
      unknown: ['navigation_actions'],
    });
  });
});
