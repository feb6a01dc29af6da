import {
  type Fields,
  counts,
  double,
  id,
  long,
  metrics,
  required,
  text,
  time,
} from '../model/fields.ts';
import {
  extraMetrics,
  mediaMetrics,
  profileActions,
  sparseMetrics,
} from '../model/insight-metrics.ts';
import { movingCounts } from '../model/freshness.ts';
import { recordOf } from '../model/decode.ts';
import { facebookFields } from './media.ts';
import { declareStream } from './stream.ts';

/** The listed fields that determine the kind and age of a media. */
export const listFields: Fields = {
  id: required(id),
  media_type: text,
  media_product_type: text,
  timestamp: time,
};

const fields: Fields = {
  ...listFields,
  ...metrics({
    views: long,
    reach: long,
    saved: long,
    likes: long,
    comments: long,
    shares: long,
    total_interactions: long,
    reposts: long,
    follows: long,
    profile_visits: long,
    profile_activity: long,
    // Milliseconds, whatever Meta's older pages say.
    ig_reels_avg_watch_time: double,
    ig_reels_video_view_total_time: long,
    // Percent.
    reels_skip_rate: double,
    crossposted_views: long,
    facebook_views: long,
    total_views: long,
    total_likes: long,
    total_comments: long,
    profile_activity_actions: counts,
  }),
};

/** The listed counts whose change shows that a media has changed; every list scan requests them. */
export const listedCounts: Fields = Object.fromEntries(movingCounts.map((name) => [name, long]));

/** The listed counts that only Facebook Login has. */
export const facebookCounts = movingCounts.filter((name) => name in facebookFields);

export const mediaInsights = declareStream({
  name: 'media_insights',
  isDefault: true,
  interval: '1h',
  publish: 'changes',
  doc: 'Views, reach, likes, saves, watch time and other metrics of each media, by its kind.',
  key: ['id'],
  request: {
    kind: 'insights',
    edge: 'media',
    listFields,
    besides: listedCounts,
    facebookOnly: facebookCounts,
    metrics: mediaMetrics,
    sparse: sparseMetrics,
    separate: { ...extraMetrics, profile_activity_actions: profileActions },
  },
  toRecord: recordOf(fields),
});
