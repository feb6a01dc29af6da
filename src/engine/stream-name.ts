/** A stream's name in the configuration, metrics and state keys, such as `media_insights`. */
export type StreamName = string;

/** A topic's role: a stream's own, or `state` or `dead_letters`, which all streams share. */
export type TopicRole = string;

/**
 * A topic's name: `instagram.{stream}` gives `instagram.media-insights`. Dots separate levels and
 * hyphens words, because `.` and `_` collide in the names of Kafka's metrics.
 */
export function topicName(template: string, role: TopicRole): string {
  return template.replaceAll('{stream}', role.replaceAll('_', '-'));
}
