import { describe, expect, test } from '@jest/globals';
import { listFields } from '../../../../src/instagram/streams/media-insights.ts';
import { examples } from '../../../conformance/examples/index.ts';
import {
  extraMetrics,
  mediaMetrics,
  storyMetrics,
} from '../../../../src/instagram/model/insight-metrics.ts';

const common = ['reach', 'views', 'likes', 'comments', 'saved', 'shares', 'total_interactions'];
const post = [...common, 'follows', 'profile_visits', 'profile_activity', 'reposts'];
const reel = [
  ...common,
  'reposts',
  'ig_reels_avg_watch_time',
  'ig_reels_video_view_total_time',
  'reels_skip_rate',
];

describe('mediaMetrics', () => {
  test.each([
    ['FEED', 'IMAGE', post],
    ['FEED', 'CAROUSEL_ALBUM', post],
    ['FEED', 'VIDEO', ['reach', 'saved']],
    ['REELS', 'VIDEO', reel],
    ['AD', 'IMAGE', common],
    ['SOMETHING_NEW', 'VIDEO', common],
    ['constructor', 'IMAGE', common],
    [null, 'IMAGE', common],
    [7, null, common],
  ])('returns the widest set that %s, %s answers in one request', (product, type, metrics) => {
    expect(mediaMetrics({ media_product_type: product, media_type: type })).toEqual(metrics);
  });

  test('returns the common set for a media without types in the list', () => {
    expect(mediaMetrics({ id: '1' })).toEqual(common);
  });
});

describe('metrics of media insights', () => {
  test('are each requested of some kind of media, or in a request of their own', () => {
    const kinds = [
      ['FEED', 'IMAGE'],
      ['FEED', 'VIDEO'],
      ['REELS', 'VIDEO'],
    ].map(([product, type]) => ({ media_product_type: product ?? '', media_type: type ?? '' }));
    const requested = new Set(kinds.flatMap((kind) => mediaMetrics(kind)));
    const declared = Object.keys(examples.media_insights.node);
    const metrics = declared.filter((name) => !(name in listFields) && name !== 'id');
    const apart = [...Object.keys(extraMetrics), 'profile_activity_actions'];
    expect(metrics.filter((name) => !requested.has(name))).toEqual(apart);
  });
});

describe('storyMetrics', () => {
  const metrics = [
    'reach',
    'views',
    'replies',
    'shares',
    'navigation',
    'profile_visits',
    'follows',
    'total_interactions',
    'profile_activity',
  ];

  test('includes link_clicks with Facebook Login', () => {
    expect(storyMetrics({ id: '1' }, 'facebook')).toEqual([...metrics, 'link_clicks']);
  });

  test('omits link_clicks with Instagram Login, which does not know it', () => {
    expect(storyMetrics({ id: '1' }, 'instagram')).toEqual(metrics);
  });
});
