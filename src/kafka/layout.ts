import { topicName, type TopicRole } from '../engine/stream-name.ts';

/** The current leaders and limits of one topic. */
export interface TopicLayout {
  readonly name: string;
  /** Node id of the leader, by partition; updated from the client's metadata. */
  readonly leaders: number[];
  /** `max.message.bytes`, as last read: the maximum size of a record batch of one partition. */
  maxBatchBytes: number;
}

/** The topics in use, by role. */
export interface Layout {
  topic(role: TopicRole): TopicLayout;
  /** Returns a topic by name, to update its leaders from the metadata of the client. */
  byName(name: string): TopicLayout | undefined;
  readonly statePartitions: number;
  /** The ids of the state topic's partitions. */
  readonly partitions: readonly number[];
}

/** Creates the layout of existing topics; the template maps each name to its role. */
export function createLayout(template: string, topics: readonly TopicLayout[]): Layout {
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  // Called for every record, so the name of each role is computed once.
  const byRole = new Map<TopicRole, TopicLayout>();
  const topic = (role: TopicRole): TopicLayout => {
    const found = byRole.get(role) ?? byName.get(topicName(template, role));
    if (found === undefined) throw new Error(`the topic of "${role}" was not prepared`);
    byRole.set(role, found);
    return found;
  };
  const partitions = [...topic('state').leaders.keys()];
  return {
    topic,
    byName: (name) => byName.get(name),
    statePartitions: partitions.length,
    partitions,
  };
}
