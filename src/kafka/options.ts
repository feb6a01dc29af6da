import type { ShutdownBudget } from '../engine/shutdown-budget.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import type { TlsMaterial } from '../engine/tls.ts';
import type { StateCodec, Telemetry } from '../engine/ports.ts';
import type { Compression } from './client/compression.ts';

export type KeyFormat = 'string' | 'avro';

export interface KafkaOptions {
  /** `host:port` of at least one broker. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
  readonly clientId: string;
  /** `instagram.{stream}`; see `topicName`. */
  readonly topicTemplate: string;
  /** A transactional id is `<prefix>-<state partition>`; consumer groups begin with it. */
  readonly transactionalIdPrefix: string;
  /** Age at which the broker aborts an open transaction. */
  readonly transactionTimeoutMs: number;
  /** Deadline of one attempt of a transaction; capped below `transactionTimeoutMs`. */
  readonly sendDeadlineMs: number;
  readonly connectionTimeoutMs: number;
  readonly compression: Compression;
  /** The form of the keys in the topics of streams. */
  readonly keyFormat: KeyFormat;
  readonly group: GroupOptions;
  /** This instance's name in the group. */
  readonly instance: string;
  readonly topics: TopicOptions;
  /** Roles of the topics in use; must include `state`. */
  readonly roles: readonly TopicRole[];
  readonly compacted: readonly TopicRole[];
  /** Roles of the topics whose records carry the time of their event. */
  readonly eventTimed: readonly TopicRole[];
  /** Configured settings of topics, by Kafka's names. */
  readonly topicSettings: Readonly<Record<TopicRole, Readonly<Record<string, string>>>>;
}

/** Transport and login of the connections to the brokers. */
export interface KafkaSecurity {
  /** Called for each connection; null without TLS. */
  readonly tls: (() => TlsMaterial) | null;
  readonly sasl: KafkaSasl | null;
  /** Returns the principal that the brokers see, such as `User:alice`, as far as the client knows it. */
  principal(): string;
}

/** A login; each login calls `password` or `token` again. */
export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: () => string;
    }
  | {
      /** On the wire both are OAUTHBEARER; with `AWS_MSK_IAM` the brokers ask IAM, not ACLs. */
      readonly mechanism: 'OAUTHBEARER' | 'AWS_MSK_IAM';
      readonly token: () => Promise<OauthToken>;
    };

/** A token with its SASL extensions. */
export interface OauthToken {
  readonly value: string;
  readonly extensions: Readonly<Record<string, string>>;
}

/** Timing of the consumer group. */
export interface GroupOptions {
  /** Time without a heartbeat after which an instance loses its partitions. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Time that a rebalance waits for a member to rejoin. */
  readonly rebalanceTimeoutMs: number;
}

/** Settings of created topics and requirements of existing ones. */
export interface TopicOptions {
  /** True when missing topics are created. */
  readonly create: boolean;
  /** True for a command that uses only those topics of streams that exist. */
  readonly skipMissing?: boolean;
  readonly partitions: number;
  /** Partitions of the state topic: the unit in which accounts are assigned to instances. */
  readonly statePartitions: number;
  /** -1 uses the broker's default and disables the check. */
  readonly replicationFactor: number;
  /** -1 uses the broker's default and disables the check. */
  readonly minInSyncReplicas: number;
  readonly deadLetterRetentionMs: number;
}

export interface KafkaDependencies {
  readonly codec: StateCodec;
  readonly telemetry: Telemetry;
  /** Receives the log lines of the Kafka client. */
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields: Record<string, unknown>,
  ) => void;
  /** Returns by how many milliseconds this machine's clock is ahead of another one; null when unknown. */
  readonly clockAheadMs?: () => number | null;
  readonly shutdown: ShutdownBudget;
}
