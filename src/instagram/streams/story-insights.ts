import type { Node } from '../../engine/json.ts';
import type { Mapped, Origin } from '../../engine/stream.ts';
import {
  type Fields,
  counts,
  flag,
  id,
  long,
  metrics,
  required,
  text,
  time,
} from '../model/fields.ts';
import { profileActions, sparseMetrics, storyMetrics } from '../model/insight-metrics.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';

const listFields: Fields = { id: required(id), timestamp: time };

const fields: Fields = {
  ...listFields,
  ...metrics({
    reach: long,
    replies: long,
    follows: long,
    profile_visits: long,
    shares: long,
    total_interactions: long,
    views: long,
    navigation: long,
    navigation_actions: counts,
    link_clicks: long,
    profile_activity: long,
    profile_activity_actions: counts,
  }),
  // Set by the extractor in the last record of a story.
  is_final: flag,
  final_source: text,
  not_final_reason: text,
  measured_at: time,
};

const toRecord = recordOf(fields);

/** Maps a story; its record is not final unless the node says so. */
function storyRecord(node: Node, origin: Origin): Mapped {
  const mapped = toRecord(node, origin);
  if (mapped.kind === 'skipped') return mapped;
  const { record } = mapped;
  return { ...mapped, record: { ...record, is_final: record['is_final'] === true } };
}

/** Metrics of live stories; under five viewers the API has none (counted as skipped). */
export const storyInsights = declareStream({
  name: 'story_insights',
  isDefault: true,
  interval: '15m',
  publish: 'changes',
  priority: 'urgent',
  webhookFields: ['story_insights'],
  doc: 'Reach, replies, navigation by action and other metrics of live stories.',
  key: ['id'],
  request: {
    kind: 'insights',
    edge: 'stories',
    listFields,
    metrics: storyMetrics,
    sparse: sparseMetrics,
    separate: {
      navigation_actions: {
        metric: 'navigation',
        breakdown: 'story_navigation_action_type',
        isOptIn: false,
      },
      profile_activity_actions: profileActions,
    },
  },
  toRecord: storyRecord,
});
