import { isShared, topicName, type TopicRole } from '../engine/stream-name.ts';
import type { Telemetry } from '../engine/ports.ts';
import type { KafkaDependencies, KafkaOptions, KeyFormat } from './options.ts';
import type { TopicDescription, TopicPlan } from './topic-plan.ts';

/** The context that every part of the adapter shares. */
export interface KafkaBase {
  readonly options: KafkaOptions;
  readonly dependencies: KafkaDependencies;
  readonly health: KafkaHealth;
  /** @throws Error before the topics are prepared */
  readonly layout: () => Layout;
  /** Logs the warnings about the configs of a topic, when they are new. */
  readonly warnOf: (plan: TopicPlan, description: TopicDescription) => void;
}

/** The last value of a key in one partition. */
export interface StateEntry {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
  /** The topic's partition count as its writer knew it; undefined without the header. */
  readonly partitionCount?: number | undefined;
  /** The form of the keys of the stream's records, as its writer knew it; undefined: `string`. */
  readonly keyFormat?: KeyFormat | undefined;
}

/** The context that partition producers share. */
export interface KafkaShared extends KafkaBase {
  /**
   * True while this instance owns the partition: assigned, with a live lease. Before a group is
   * joined, true for every partition.
   */
  readonly owns: (partition: number) => boolean;
  /** Records that another producer has acquired a partition. */
  readonly onFenced: (partition: number, reason: string) => void;
  /**
   * Reads a partition of the state topic up to `end`, the offset after the restore marker;
   * `now` is the end that the leader reports, for a reader that owns no partition.
   */
  readonly readState: (
    partition: number,
    end: bigint | 'now',
    signal: AbortSignal,
  ) => Promise<readonly StateEntry[]>;
}

/**
 * The readiness of Kafka; a part is the topics, the state, the group or the producer of a partition.
 */
export type KafkaHealth = ReturnType<typeof createHealth>;

/** Creates the health: Kafka is ready while every reported part works. Reports changes. */
export function createHealth(telemetry: Telemetry) {
  const problems = new Map<string, string>();
  let reported: string | undefined;
  const report = (): void => {
    const [reason = ''] = problems.values();
    if (reported === reason) return;
    reported = reason;
    telemetry.report({ type: 'dependency', name: 'kafka', ready: reason === '', reason });
  };
  return {
    /** Reports that a part works. */
    up(part: string): void {
      problems.delete(part);
      report();
    },
    /** Reports that a part does not work at present, with the reason. */
    down(part: string, reason: string): void {
      problems.set(part, reason);
      report();
    },
  };
}

/** The current leaders and limits of one topic. */
export interface TopicLayout {
  readonly name: string;
  /** Node id of the leader, by partition; updated from the client's metadata. */
  readonly leaders: number[];
  /** `max.message.bytes`, as last read: the maximum size of a record batch of one partition. */
  maxBatchBytes: number;
}

/** The topics in use, by role. */
export type Layout = ReturnType<typeof createLayout>;

/** Creates the layout of existing topics; the template maps each name to its role. */
export function createLayout(
  template: string,
  topics: readonly TopicLayout[],
  keyFormat: KeyFormat = 'string',
) {
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  // Called for every record, so the name of each role is computed once.
  const byRole = new Map<string, TopicLayout>();
  const topic = (role: TopicRole, accountId?: string): TopicLayout => {
    const place = isShared(template, role) ? role : `${role} ${accountId ?? ''}`;
    const found = byRole.get(place) ?? byName.get(topicName(template, role, accountId));
    if (found === undefined) throw new Error(`the topic of "${place}" was not prepared`);
    byRole.set(place, found);
    return found;
  };
  const partitions: readonly number[] = [...topic('state').leaders.keys()];
  const accountIds = new Set<string>();
  return {
    topic,
    /** Returns a topic by name, to update its leaders from the metadata of the client. */
    byName: (name: string) => byName.get(name),
    /** Adds the topics of an account. */
    addAccount(accountId: string, own: readonly TopicLayout[]): void {
      for (const one of own) byName.set(one.name, one);
      accountIds.add(accountId);
    },
    /** The accounts with topics of their own. */
    accountIds,
    keyFormat,
    statePartitions: partitions.length,
    /** The ids of the state topic's partitions. */
    partitions,
  };
}
