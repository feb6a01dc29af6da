/** A stream's name in the configuration, metrics and state keys, such as `media_insights`. */
export type StreamName = string;

/**
 * A topic's role: a stream's own, or `state`, `dead_letters`, `notifications` or `webhooks`, which
 * all streams share.
 */
export type TopicRole = string;

/** The topics that all accounts share, whatever the template. */
const sharedRoles: readonly TopicRole[] = ['state', 'notifications', 'webhooks'];

/** True for a template that gives each account topics of its own. */
export function isPerAccount(template: string): boolean {
  return template.includes('{account}');
}

/** True for a topic that all accounts share: the instances share its partitions. */
export function isShared(template: string, role: TopicRole): boolean {
  return sharedRoles.includes(role) || !isPerAccount(template);
}

/**
 * A topic's name: `instagram.{stream}` gives `instagram.media-insights`. Dots separate levels and
 * hyphens words, because `.` and `_` collide in the names of Kafka's metrics. The name of a topic
 * that all accounts share, such as the state topic, lacks `{account}` and a separator beside it.
 * @param accountId - the account of a topic that is not shared; absent: the name keeps `{account}`
 */
export function topicName(template: string, role: TopicRole, accountId = '{account}'): string {
  const own = sharedRoles.includes(role)
    ? template.replaceAll(/[._-]\{account\}|\{account\}[._-]?/g, '')
    : template.replaceAll('{account}', accountId);
  return own.replaceAll('{stream}', role.replaceAll('_', '-'));
}
