import type { ShutdownBudget } from '../engine/shutdown-budget.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import type { TlsMaterial } from '../engine/tls.ts';
import type { StateCodec, Telemetry } from '../engine/ports.ts';
import type { Compression } from './client/compression.ts';

/** Where Kafka is and how it is used. */
export interface KafkaOptions {
  /** `host:port` of at least one broker. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
  readonly clientId: string;
  /** `instagram.{stream}`; see `topicName`. */
  readonly topicTemplate: string;
  /** A transactional id is `<prefix>-<state partition>`; consumer groups begin with it. */
  readonly transactionalIdPrefix: string;
  /** After this long the broker aborts an open transaction by itself. */
  readonly transactionTimeoutMs: number;
  /** How long one try of one transaction may take; capped below `transactionTimeoutMs`. */
  readonly sendDeadlineMs: number;
  readonly connectionTimeoutMs: number;
  readonly compression: Compression;
  readonly group: GroupOptions;
  /** This instance's name, as the others see it in the group. */
  readonly instance: string;
  readonly topics: TopicOptions;
  /** The topics that are used; `state` must be among them. */
  readonly roles: readonly TopicRole[];
  /** Those whose topics are compacted, of the streams. */
  readonly compacted: readonly TopicRole[];
}

/** How the brokers are reached. */
export interface KafkaSecurity {
  /** Asked for each connection; null without TLS. */
  readonly tls: (() => TlsMaterial) | null;
  readonly sasl: KafkaSasl | null;
  /** Whom the brokers see, as `User:alice`, as far as it can be known here. */
  principal(): string;
}

/** A login; password and token are asked for each time that it is gone through. */
export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: () => string;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: () => Promise<OauthToken> };

/** A token as kafkajs sends it. */
export interface OauthToken {
  readonly value: string;
  readonly extensions: Readonly<Record<string, string>>;
}

/** How instances notice each other. */
export interface GroupOptions {
  /** After this long without a heartbeat an instance has lost what it owned. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How long the others wait for an instance to join again when the group changes. */
  readonly rebalanceTimeoutMs: number;
}

/** How topics are made and what is asked of those that are there. */
export interface TopicOptions {
  /** Whether missing topics are created. */
  readonly create: boolean;
  readonly partitions: number;
  /** Partitions of the state topic: the unit in which accounts are shared out. */
  readonly statePartitions: number;
  /** -1 leaves it to the broker, and then it is not verified. */
  readonly replicationFactor: number;
  /** -1 leaves it to the broker, and then it is not verified. */
  readonly minInSyncReplicas: number;
  /** Retention of a dead-letter topic that is created. */
  readonly deadLetterRetentionMs: number;
}

/** Where the Kafka client's own words go. */
type KafkaLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Record<string, unknown>,
) => void;

/** What the adapter is given. */
export interface KafkaDependencies {
  readonly codec: StateCodec;
  readonly telemetry: Telemetry;
  readonly log: KafkaLog;
  /** Milliseconds by which this machine's clock is ahead of another one; null, and by default, unknown. */
  readonly clockAheadMs?: () => number | null;
  readonly shutdown: ShutdownBudget;
}
