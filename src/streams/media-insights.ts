import type { Fields } from '../core/fields.ts';
import { double, id, long, metrics, required, text, time } from '../core/fields.ts';
import { mediaMetrics } from '../core/insight-metrics.ts';
import { recordOf } from '../core/record.ts';
import type { Stream } from '../core/stream.ts';

const listFields: Fields = {
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
  }),
};

/** Lifetime metrics of posts and reels, asked by `?ids=` within groups of equal metrics. */
export const mediaInsights: Stream = {
  name: 'media_insights',
  mode: 'full',
  doc: 'Lifetime metrics of each media, by product type.',
  key: ['id'],
  source: {
    kind: 'insights',
    edge: 'media',
    listFields,
    // For the comments, which are asked for where this changes.
    besides: { comments_count: long },
    groups: mediaMetrics,
  },
  toRecord: recordOf(fields),
};
