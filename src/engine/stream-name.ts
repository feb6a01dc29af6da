/** What can be extracted, in the order in which a short quota is spent. */
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

/** A stream's name as configuration, metrics and state keys have it. */
export type StreamName = (typeof streamNames)[number];

/** Those that are polled when nobody says which; the others cost more or are about other people. */
export const defaultStreamNames = [
  'stories',
  'story_insights',
  'users',
  'media',
  'media_insights',
  'user_insights',
  'user_lifetime_insights',
] as const satisfies readonly StreamName[];

/** Whether a text names a stream. */
export function isStreamName(text: string): text is StreamName {
  return (streamNames as readonly string[]).includes(text);
}

/** A topic's role: a stream's own, or one of the two that all streams share. */
export type TopicRole = StreamName | 'state' | 'dead_letters';

/**
 * A topic's name from the template: `instagram.{stream}` gives `instagram.media-insights`; dots part
 * levels and hyphens part words, because Kafka's metrics cannot tell `.` from `_`.
 */
export function topicName(template: string, role: TopicRole): string {
  return template.replaceAll('{stream}', role.replaceAll('_', '-'));
}
