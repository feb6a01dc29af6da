import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { startCluster, type Cluster } from '../../sandbox/cluster/start.ts';
import type { Account } from '../../src/engine/account.ts';
import { emptyCheckpoint } from '../../src/engine/state.ts';
import { topicName, type TopicRole } from '../../src/engine/stream-name.ts';
import { openKafka, type KafkaAdapter, type KafkaOptions } from '../../src/kafka/index.ts';
import type { Batch, OutgoingRecord, Restored, TelemetryEvent } from '../../src/engine/ports.ts';
import { jsonStateCodec } from './json-state-codec.ts';
import { readTopic, type ReadRecord } from './topic-reader.ts';
import { usualShutdown } from './shutdown.ts';

/** Topics and a transactional id prefix of a test's own, on a cluster that tests may share. */
export interface KafkaWorld extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly options: KafkaOptions;
  /** What every adapter of this world reported. */
  readonly events: TelemetryEvent[];
  /** Opens an adapter as one more instance of the program; it is closed with the world. */
  open(changes?: Partial<KafkaOptions>): KafkaAdapter;
  /** An adapter whose topics are prepared. */
  openReady(changes?: Partial<KafkaOptions>): Promise<KafkaAdapter>;
  nameOf(role: TopicRole): string;
  /** A connected administrator; it is closed with the world. */
  openAdmin(): Promise<Admin>;
  /** What a read_committed consumer sees of a topic once it has at least `atLeast` records. */
  read(role: TopicRole, atLeast: number): Promise<readonly ReadRecord[]>;
}

/** Never aborted. */
export const noSignal = new AbortController().signal;

/** Starts, or joins, a cluster and makes a world on it. */
export async function createKafkaWorld(
  startOptions?: Parameters<typeof startCluster>[0],
): Promise<KafkaWorld> {
  const cluster = await startCluster(startOptions);
  const id = `t-${randomUUID().slice(0, 8)}`;
  const options: KafkaOptions = {
    brokers: cluster.brokers,
    security: { tls: null, sasl: null, principal: () => 'User:ANONYMOUS' },
    clientId: 'test',
    topicTemplate: `${id}.{stream}`,
    transactionalIdPrefix: id,
    transactionTimeoutMs: 15_000,
    sendDeadlineMs: 4_500,
    connectionTimeoutMs: 2_000,
    compression: 'none',
    group: { sessionTimeoutMs: 6_000, heartbeatMs: 500, rebalanceTimeoutMs: 10_000 },
    instance: 'test',
    topics: {
      create: true,
      partitions: 3,
      statePartitions: 4,
      replicationFactor: -1,
      minInSyncReplicas: -1,
      deadLetterRetentionMs: 2_592_000_000,
    },
    roles: ['media', 'users', 'state'],
    compacted: ['media'],
    topicSettings: {},
    keyFormat: 'string',
    eventTimed: [],
  };
  const events: TelemetryEvent[] = [];
  const adapters: KafkaAdapter[] = [];
  const admins: Admin[] = [];
  const open: KafkaWorld['open'] = (changes = {}) => {
    const adapter = openKafka(
      { ...options, ...changes },
      {
        codec: jsonStateCodec,
        telemetry: { report: (event) => events.push(event) },
        log: () => undefined,
        shutdown: usualShutdown,
      },
    );
    adapters.push(adapter);
    return adapter;
  };
  return {
    cluster,
    options,
    events,
    open,
    async openReady(changes) {
      const adapter = open(changes);
      await adapter.prepareTopics(noSignal);
      return adapter;
    },
    nameOf: (role) => topicName(options.topicTemplate, role),
    async openAdmin() {
      const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      admins.push(admin);
      return admin;
    },
    read: (role, atLeast) =>
      readTopic(cluster.brokers, topicName(options.topicTemplate, role), atLeast),
    async [Symbol.asyncDispose]() {
      for (const admin of admins) await admin.disconnect();
      for (const adapter of adapters) await adapter[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** Restores every partition, as the one instance of a group does. */
export async function restoreAll(
  { group, stateStore }: Pick<KafkaAdapter, 'group' | 'stateStore'>,
  signal = noSignal,
): Promise<ReadonlyMap<string, Restored>> {
  const partitions = Array.from({ length: group.partitions }, (_, partition) => partition);
  const restored = partitions.map((partition) => stateStore.restore(partition, signal));
  return new Map((await Promise.all(restored)).flatMap((one) => [...one]));
}

/** An account that needs nothing but its id. */
function accountOf(id: string): Account {
  return { id, pageId: null, username: null };
}

/** A media record of the given size. */
export function mediaRecord(key: string, bytes = 20): OutgoingRecord {
  const headers = { stream: 'media', account: '17841', poll: 'p1', schema: '1' };
  return { role: 'media', key, value: Buffer.alloc(bytes, key), headers };
}

/** A batch of the media stream of one account. */
export function mediaBatch(
  accountId: string,
  sequence: number,
  records: readonly OutgoingRecord[],
): Batch {
  return {
    account: accountOf(accountId),
    records,
    state: {
      stream: 'media',
      accountId,
      sequence,
      writtenAtMs: 1_700_000_000_000,
      writtenBy: 'test',
      pause: null,
      ...emptyCheckpoint,
    },
  };
}
