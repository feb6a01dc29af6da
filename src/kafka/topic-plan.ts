import { topicName, type TopicRole } from '../core/stream-name.ts';
import type { KafkaOptions, TopicOptions } from './options.ts';

/** A topic as it must be. */
export interface TopicPlan {
  readonly role: TopicRole;
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** A topic as the broker describes it. */
export interface TopicDescription {
  readonly partitions: number;
  /** Replicas of the partition that has the fewest. */
  readonly replicas: number;
  /** Empty when the broker does not let us read them. */
  readonly configs: Readonly<Record<string, string>>;
}

const dayMs = 86_400_000;
const stateSegmentBytes = 50 * 1024 * 1024;

/**
 * Only the last word on a key counts, so a compacted topic is enough; and what other people wrote can be
 * deleted from it.
 */
const compacted: readonly TopicRole[] = ['media', 'tags', 'comments'];

function configsOf(role: TopicRole, options: TopicOptions): Record<string, string> {
  const configs = retentionOf(role, options);
  if (options.minInSyncReplicas > 0) {
    configs['min.insync.replicas'] = String(options.minInSyncReplicas);
  }
  return configs;
}

function retentionOf(
  role: TopicRole,
  { deadLetterRetentionMs }: TopicOptions,
): Record<string, string> {
  if (role === 'dead_letters') {
    // They hold other people's words, which no tombstone deletes. Only a closed segment expires.
    return {
      'cleanup.policy': 'delete',
      'retention.ms': String(deadLetterRetentionMs),
      'segment.ms': String(Math.min(dayMs, deadLetterRetentionMs)),
    };
  }
  if (role === 'state') {
    // Read whole at every start, so it is kept short: segments roll and are cleaned early.
    return {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.1',
      'segment.ms': String(dayMs),
      // The active segment is never cleaned: hourly news of many media fill a day's with old versions.
      'segment.bytes': String(stateSegmentBytes),
      // Stored as sent: the cluster's default may be a codec that other readers of the topic lack.
      'compression.type': 'producer',
    };
  }
  // The others that are not compacted are history: nothing of it may expire.
  return compacted.includes(role)
    ? { 'cleanup.policy': 'compact' }
    : { 'cleanup.policy': 'delete', 'retention.ms': '-1' };
}

/** The topics that are used, in the order of `options.roles`. */
export function planTopics(
  options: Pick<KafkaOptions, 'roles' | 'topicTemplate' | 'topics'>,
): readonly TopicPlan[] {
  return options.roles.map((role) => ({
    role,
    name: topicName(options.topicTemplate, role),
    partitions: role === 'state' ? options.topics.statePartitions : options.topics.partitions,
    replicationFactor: options.topics.replicationFactor,
    configs: configsOf(role, options.topics),
  }));
}

/** What is wrong with a topic that is there, one sentence each, with the command that mends it. */
export function topicProblems(
  plan: TopicPlan,
  found: TopicDescription,
  brokers: readonly string[],
): readonly string[] {
  const problems: string[] = [];
  const alter = (config: string): string =>
    `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --entity-type topics ` +
    `--entity-name ${plan.name} --add-config ${config}`;

  const policy = found.configs['cleanup.policy'];
  if (plan.role === 'state' && policy !== 'compact') {
    problems.push(
      `${plan.name}: cleanup.policy is ${policy ?? 'not readable'}, expected compact, or the state ` +
        `of the streams is lost when it expires; run: ${alter('cleanup.policy=compact')}`,
    );
  }
  if (plan.role === 'state')
    countProblems(plan, found).forEach((problem) => problems.push(problem));
  if (plan.replicationFactor > 0 && found.replicas < plan.replicationFactor) {
    problems.push(
      `${plan.name}: has ${found.replicas} replicas, expected at least ${plan.replicationFactor}; ` +
        'add replicas with kafka-reassign-partitions.sh or lower the replication factor that is asked for',
    );
  }
  const wanted = plan.configs['min.insync.replicas'];
  const inSync = found.configs['min.insync.replicas'];
  if (wanted !== undefined && inSync !== undefined && Number(inSync) < Number(wanted)) {
    problems.push(
      `${plan.name}: min.insync.replicas is ${inSync}, expected at least ${wanted}; run: ` +
        alter(`min.insync.replicas=${wanted}`),
    );
  }
  return problems;
}

function countProblems(plan: TopicPlan, found: TopicDescription): readonly string[] {
  if (found.partitions === plan.partitions) return [];
  return [
    `${plan.name}: has ${found.partitions} partitions, expected ${plan.partitions} ` +
      '(KAFKA_TOPICS_STATE_PARTITIONS): accounts and their states are found by this number. If the ' +
      'topic was made with as many, set it so, the same for all instances; if partitions were ' +
      'added later, stop all instances, set it so, run "instagram-kafka state move-partitions --apply"',
  ];
}
