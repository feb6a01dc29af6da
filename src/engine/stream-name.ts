/** The streams, in the order in which a short quota is spent. */
export const streamNames = [
  'stories',
  'story_insights',
  'users',
  'media',
  'media_insights',
  'user_insights',
  'user_lifetime_insights',
  'user_engaged_audience',
  'user_reached_audience',
  'user_daily_totals',
  'tags',
  'comments',
] as const;

/** A stream's name in the configuration, metrics and state keys. */
export type StreamName = (typeof streamNames)[number];

/** The streams polled by default; the others cost more requests or are about other people. */
export const defaultStreamNames = [
  'stories',
  'story_insights',
  'users',
  'media',
  'media_insights',
  'user_insights',
  'user_lifetime_insights',
] as const satisfies readonly StreamName[];

/** True for the name of a stream. */
export function isStreamName(text: string): text is StreamName {
  return (streamNames as readonly string[]).includes(text);
}

/** A topic's role: a stream's own, or one of the two that all streams share. */
export type TopicRole = StreamName | 'state' | 'dead_letters';

/**
 * A topic's name: `instagram.{stream}` gives `instagram.media-insights`. Dots separate levels and
 * hyphens words, because `.` and `_` collide in the names of Kafka's metrics.
 */
export function topicName(template: string, role: TopicRole): string {
  return template.replaceAll('{stream}', role.replaceAll('_', '-'));
}
