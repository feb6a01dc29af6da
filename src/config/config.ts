import type { PublishMode } from '../core/changes.ts';
import type { Login } from '../core/account.ts';
import type { StreamName } from '../core/stream-name.ts';

/** The codecs for produce requests, by the names of Kafka's `compression.type`. */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Every compatibility level that a Confluent registry knows. */
export const compatibilities = [
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
  'NONE',
] as const;

/** How a subject's versions must fit each other. */
export type Compatibility = (typeof compatibilities)[number];

/** From the most talkative to silence. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The least important line that is still written. */
export type LogLevel = (typeof logLevels)[number];

/** How the brokers are reached, as every Kafka client calls it. */
export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/** How the login at the brokers goes. */
export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

/** A secret, and the file that it came from, to be read again; null when it was no file. */
export interface Secret {
  readonly text: string;
  readonly file: string | null;
}

/** PEM files of a TLS client; null where none is set. Certificate and key are both set or both null. */
export interface TlsConfig {
  readonly caLocation: string | null;
  readonly certificateLocation: string | null;
  readonly keyLocation: string | null;
  readonly keyPassword: Secret | null;
}

/** A login at the brokers; what the mechanism needs is set, what it does not need is null. */
export interface SaslConfig {
  readonly mechanism: (typeof saslMechanisms)[number] | null;
  readonly username: string | null;
  readonly password: Secret | null;
  readonly oauthbearer: {
    readonly tokenEndpointUrl: string | null;
    readonly clientId: string | null;
    readonly clientSecret: Secret | null;
    readonly scope: string | null;
    /** Each `name=value`. */
    readonly extensions: readonly string[];
  };
}

/** What may order something over HTTP. */
export const orderToken = /^[\x21-\x7e]{16,500}$/;

/** How lines are written; `auto` is pretty on a terminal. */
export const logFormats = ['auto', 'json', 'pretty'] as const;

/** One of them. */
export type LogFormat = (typeof logFormats)[number];

/** What the program is told, whole and valid. Deep-frozen; holds secrets, so never log it as it is. */
export interface Config {
  readonly instagram: InstagramConfig;
  readonly kafka: KafkaConfig;
  readonly schemaRegistry: SchemaRegistryConfig;
  readonly streams: Readonly<Record<StreamName, StreamConfig>>;
  readonly polling: PollingConfig;
  readonly http: {
    readonly enabled: boolean;
    readonly host: string;
    /** 0 takes any free port. */
    readonly port: number;
    /** Further names that requests may have as their Host; empty beyond loopback: any. */
    readonly allowedHosts: readonly string[];
    /** What orders must carry; null turns them off. */
    readonly token: Secret | null;
  };
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

/** Where the Graph API is and how much is asked of it. */
export interface InstagramConfig {
  /** One or more, no two alike. */
  readonly accessTokens: readonly string[];
  /** Where they came from, to be read again; null when it was no file. */
  readonly accessTokenFile: string | null;
  /** As in the path: `v26.0`. */
  readonly apiVersion: string;
  /** Without a slash at its end; null means the login's own host. */
  readonly baseUrl: string | null;
  readonly login: Login;
  /** The ids that may be polled; empty means all that the token reaches. */
  readonly accounts: readonly string[];
  /** Epoch milliseconds; null means as far back as every metric goes. */
  readonly startDateMs: number | null;
  readonly requestTimeoutMs: number;
  readonly maxConcurrentRequests: number;
  readonly accountsRefreshMs: number;
  /** 1 to 100. */
  readonly pageSize: number;
  /** The app's id; null when none is given. */
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly redirectUri: string;
  /** Empty means what the enabled streams need. */
  readonly scope: readonly string[];
}

/** Where Kafka is and how it is used. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly securityProtocol: (typeof securityProtocols)[number];
  readonly ssl: TlsConfig & { readonly serverName: string | null };
  readonly sasl: SaslConfig;
  readonly clientId: string;
  /** Holds `{stream}`. */
  readonly topicTemplate: string;
  readonly transactionalIdPrefix: string;
  readonly transactionTimeoutMs: number;
  readonly sendDeadlineMs: number;
  readonly connectionTimeoutMs: number;
  readonly compression: (typeof compressions)[number];
  readonly maxBatchRecords: number;
  /** Whether what is gone is deleted by tombstones. */
  readonly tombstones: boolean;
  readonly group: {
    readonly sessionTimeoutMs: number;
    readonly heartbeatMs: number;
    readonly rebalanceTimeoutMs: number;
  };
  readonly topics: {
    readonly create: boolean;
    readonly partitions: number;
    readonly statePartitions: number;
    /** -1 leaves it to the broker. */
    readonly replicationFactor: number;
    /** -1 leaves it to the broker. */
    readonly minInSyncReplicas: number;
    readonly deadLetterRetentionMs: number;
  };
}

/** Where schemas are kept; of `username` with `password` and `bearerToken` one is set, or none. */
export interface SchemaRegistryConfig {
  /** Without a slash at its end. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly compatibility: Compatibility;
  /** `verify` takes only schemas that are there already. */
  readonly mode: 'register' | 'verify';
  readonly username: string | null;
  readonly password: Secret | null;
  readonly bearerToken: Secret | null;
  readonly ssl: TlsConfig;
}

/** Whether and how often a stream is polled. */
export interface StreamConfig {
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** Whether records that say nothing new are published; user_insights never does. */
  readonly publish: PublishMode;
}

/** How polls are paced, repeated and ended. */
export interface PollingConfig {
  readonly concurrency: number;
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
  readonly lookbackMs: number;
  readonly newMediaAgeMs: number;
  readonly recentMediaAgeMs: number;
  readonly recentMediaIntervalMs: number;
  readonly oldMediaIntervalMs: number;
  readonly mediaListIntervalMs: number;
  readonly maxAttempts: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** How long `once` waits for what is away. */
  readonly onceTimeoutMs: number;
  readonly shutdownGraceMs: number;
  /** The name in the state, the group and the log; null means the host's name. */
  readonly instance: string | null;
}
