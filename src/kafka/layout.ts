import { topicName, type TopicRole } from '../engine/stream-name.ts';

/** What is known of one topic. */
export interface TopicLayout {
  readonly name: string;
  /** The leader's node id by partition; the client's metadata keeps it fresh. */
  readonly leaders: number[];
  /** `max.message.bytes`, as last read: the most that a record batch of one partition may weigh. */
  maxBatchBytes: number;
}

/** The topics in use, by role. */
export interface Layout {
  topic(role: TopicRole): TopicLayout;
  /** By name, for what the client observes while it sends. */
  byName(name: string): TopicLayout | undefined;
  readonly statePartitions: number;
}

/** Indexes the topics that were found; the template says which role each serves. */
export function createLayout(template: string, topics: readonly TopicLayout[]): Layout {
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  // Asked for every record: the template is filled in once a role.
  const byRole = new Map<TopicRole, TopicLayout>();
  const topic = (role: TopicRole): TopicLayout => {
    const found = byRole.get(role) ?? byName.get(topicName(template, role));
    if (found === undefined) throw new Error(`the topic of "${role}" was not prepared`);
    byRole.set(role, found);
    return found;
  };
  return {
    topic,
    byName: (name) => byName.get(name),
    statePartitions: topic('state').leaders.length,
  };
}
