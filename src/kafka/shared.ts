import type { KafkaHealth } from './health.ts';
import type { Layout } from './layout.ts';
import type { KafkaDependencies, KafkaOptions } from './options.ts';
import type { StateEntry } from './state/topic-reader.ts';
import type { TopicDescription, TopicPlan } from './topic-plan.ts';

/** The context that every part of the adapter shares. */
export interface KafkaBase {
  readonly options: KafkaOptions;
  readonly dependencies: KafkaDependencies;
  readonly health: KafkaHealth;
  /** @throws Error before the topics are prepared */
  readonly layout: () => Layout;
  /** Logs the configs of a topic that lose records, when they are new. */
  readonly warnOf: (plan: TopicPlan, description: TopicDescription) => void;
}

/** The context that partition producers share. */
export interface KafkaShared extends KafkaBase {
  /** True while the group assigns a partition to this instance. */
  holds(partition: number): boolean;
  /** Records that another producer has acquired a partition. */
  fence(partition: number, reason: string): void;
  /**
   * Reads a partition of the state topic.
   *
   * @param end - the offset after the fence record; `now` is the end that the leader reports, for a
   * reader that owns no partition
   */
  readState(
    partition: number,
    end: bigint | 'now',
    signal: AbortSignal,
  ): Promise<readonly StateEntry[]>;
}
