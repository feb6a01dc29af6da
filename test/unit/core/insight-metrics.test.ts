import { describe, expect, test } from '@jest/globals';
import { mediaMetrics, storyMetricGroups } from '../../../src/core/insight-metrics.ts';

const common = ['views', 'reach', 'saved', 'likes', 'comments', 'shares', 'total_interactions'];

describe('the metrics of a media', () => {
  test.each([
    ['FEED', [...common, 'reposts', 'follows', 'profile_visits', 'profile_activity']],
    [
      'REELS',
      [
        ...common,
        'reposts',
        'ig_reels_avg_watch_time',
        'ig_reels_video_view_total_time',
        'reels_skip_rate',
      ],
    ],
    ['AD', common],
    ['SOMETHING_NEW', common],
    ['constructor', common],
    [null, common],
    [7, common],
  ])('of the product type %s are those that it answers', (product, metrics) => {
    expect(mediaMetrics({ media_product_type: product })).toEqual([{ metrics }]);
  });

  test('are the common ones when no product type was said', () => {
    expect(mediaMetrics({ id: '1' })).toEqual([{ metrics: common }]);
  });

  test.each(['IMAGE', 'VIDEO', 'CAROUSEL_ALBUM'])(
    'do not depend on the media type: %s of the feed',
    (type) => {
      expect(mediaMetrics({ media_type: type, media_product_type: 'FEED' })).toEqual(
        mediaMetrics({ media_product_type: 'FEED' }),
      );
    },
  );
});

describe('the metrics of a story', () => {
  const metrics = [
    'reach',
    'replies',
    'follows',
    'profile_visits',
    'shares',
    'total_interactions',
    'views',
    'profile_activity',
  ];
  const navigation = { metrics: ['navigation'], breakdown: 'story_navigation_action_type' };

  test('count clicks on links with Facebook Login, and navigation by itself', () => {
    expect(storyMetricGroups({ id: '1' }, 'facebook')).toEqual([
      { metrics: [...metrics, 'link_clicks'] },
      navigation,
    ]);
  });

  test('leave out link_clicks with Instagram Login, which does not know it', () => {
    expect(storyMetricGroups({ id: '1' }, 'instagram')).toEqual([{ metrics }, navigation]);
  });
});
