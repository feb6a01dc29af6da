import type {
  Producer,
  RecordMetadata,
  TopicMessages,
  Transaction,
  ICustomPartitioner,
  PartitionMetadata,
} from 'kafkajs';
import { compressionTypes } from '../client/kafkajs.ts';
import type { Compression } from '../client/compression.ts';
import type { Connection } from '../client/connection.ts';
import { withDeadline, withThrottledDeadline } from '../client/deadline.ts';
import { settled } from '../../engine/shutdown.ts';
import type { Layout } from '../shared.ts';
import type { PlacedRecord, ProduceRequest } from './produce-requests.ts';

interface TransactionOptions {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /** Time limit of opening, and of each transaction, excluding `throttle_time_ms`. */
  readonly deadlineMs: number;
  /** Time limit of each transaction, including `throttle_time_ms`. */
  readonly throttledDeadlineMs: number;
  readonly compression: Compression;
  /** Returns the time limit for the abort; called again for the disconnect. */
  readonly discardLimitMs: () => number;
}

/** A producer of one transactional id, usable until its first error. */
export interface TransactionalProducer {
  /**
   * Sends all requests and commits, or rejects; after a rejection only {@link discard} may be called.
   * @param onCommit called just before the commit is sent: from here on the outcome may be unknown
   * @returns the offset of the last request's first record
   */
  transact(requests: readonly ProduceRequest[], onCommit: () => void): Promise<bigint>;
  /**
   * Closes the producer for good, in bounded time; with `abort` it first aborts the open transaction.
   * @returns true when certainly no transaction is left open
   */
  discard(options: { readonly abort: boolean }): Promise<boolean>;
  /** Returns the last error in a broker's response within half a minute: kafkajs swallows some. */
  lastBrokerError(): string | undefined;
}

function toMessages(records: readonly PlacedRecord[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages['messages']>();
  for (const { topic, key, keyBytes = key, value, headers, partition, timestampMs } of records) {
    const messages = topics.get(topic) ?? [];
    // kafkajs writes the last time as the batch's highest one; the broker corrects it.
    const timestamp = timestampMs !== undefined && { timestamp: String(timestampMs) };
    messages.push({ key: keyBytes, value, headers, partition, ...timestamp });
    topics.set(topic, messages);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** The failure of a produce request, with the topics of its records. */
export class ProduceRequestError extends Error {
  override readonly name = 'ProduceRequestError';
  readonly topics: readonly string[];
  constructor({ records }: ProduceRequest, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.topics = [...new Set(records.map(({ topic }) => topic))];
  }
}

/** Sends one request; verifies that every partition acknowledged it. */
async function produce(
  transaction: Transaction,
  request: ProduceRequest,
  { requestTimeoutMs }: Connection,
  { compression }: TransactionOptions,
): Promise<readonly RecordMetadata[]> {
  try {
    const acknowledged = await transaction.sendBatch({
      acks: -1,
      timeout: requestTimeoutMs,
      compression: compressionTypes[compression],
      topicMessages: toMessages(request.records),
    });
    const keys = new Set(acknowledged.map((one) => `${one.topicName}/${String(one.partition)}`));
    const missing = request.records.find(
      ({ topic, partition }) => !keys.has(`${topic}/${String(partition)}`),
    );
    if (missing === undefined) return acknowledged;
    // kafkajs silently skips partitions without a leader.
    throw new Error(
      `Partition ${missing.partition} of ${missing.topic} has no leader, so kafkajs sent nothing to ` +
        'it; list such partitions with kafka-topics.sh --describe --unavailable-partitions',
    );
  } catch (error) {
    throw new ProduceRequestError(request, error);
  }
}

function createProducer(
  connection: Connection,
  { createPartitioner }: ReturnType<typeof createLeaderGuardPartitioner>,
  options: TransactionOptions,
): Producer {
  return connection.kafka.producer({
    transactionalId: options.transactionalId,
    transactionTimeout: options.transactionTimeoutMs,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner,
    // CONCURRENT_TRANSACTIONS until the previous transaction's markers are written: the first retry
    // comes after 5 ms, not 300.
    retry: { initialRetryTime: 5, factor: 0, multiplier: 1.2, maxRetryTime: 1000, retries: 40 },
  });
}

async function isAborted(transaction: Transaction, limitMs: number): Promise<boolean> {
  try {
    await withDeadline(transaction.abort(), limitMs, 'an abort');
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens a producer. When this resolves, every earlier transaction of the same id is committed or
 * aborted, and can no longer change.
 * @throws errors of kafkajs, DeadlineError; the connection is then destroyed
 */
export async function openTransactionalProducer(
  connection: Connection,
  layout: Layout,
  options: TransactionOptions,
): Promise<TransactionalProducer> {
  const leaderGuard = createLeaderGuardPartitioner(layout);
  const producer = createProducer(connection, leaderGuard, options);
  let transaction: Transaction | undefined;
  let ended = false;
  const { throttle } = connection;
  try {
    // kafkajs sends InitProducerId with `transaction`; no transaction is open at the broker yet.
    const acquired = producer.connect().then(() => producer.transaction());
    transaction = await withDeadline(acquired, options.deadlineMs, 'opening a producer');
  } catch (error) {
    connection.destroy();
    throw error;
  }

  const sendAll = async (requests: readonly ProduceRequest[], onCommit: () => void) => {
    const current = (transaction ??= await producer.transaction());
    let offset = -1n;
    for (const request of requests) {
      // A deadline cannot stop this loop; this flag does.
      if (ended) throw new Error('this producer was discarded');
      leaderGuard.setExpectedLeader(request.leader);
      const acknowledged = await produce(current, request, connection, options);
      offset = BigInt(acknowledged[0]?.baseOffset ?? -1);
    }
    if (ended) throw new Error('this producer was discarded');
    onCommit();
    // Invariant 1: this one request makes the records and their state visible together, or never.
    await current.commit();
    transaction = undefined;
    return offset;
  };

  return {
    lastBrokerError: () => connection.lastBrokerError(),
    transact: (requests, onCommit) =>
      withThrottledDeadline(sendAll(requests, onCommit), { ...options, throttle }, 'a transaction'),
    async discard({ abort }) {
      ended = true;
      // kafkajs would continue a produce request that no caller awaits; this ends it.
      leaderGuard.rejectAll();
      let hasNoOpenTransaction = transaction?.isActive() !== true;
      if (abort && transaction !== undefined && !hasNoOpenTransaction) {
        // An abort would queue behind a request without a response; on a new connection it does not.
        await connection.cut();
        hasNoOpenTransaction = await isAborted(transaction, options.discardLimitMs());
      }
      await settled(producer.disconnect(), options.discardLimitMs());
      connection.destroy();
      return hasNoOpenTransaction;
    },
  };
}

/** Thrown when a partition is gone or has another leader than its produce request was planned for. */
class LeaderMovedError extends Error {
  override readonly name = 'LeaderMovedError';
  /** Read by kafkajs, which would otherwise retry the same produce request. */
  readonly retriable = false;
}

function updateLeaders(layout: Layout, name: string, metadata: readonly PartitionMetadata[]): void {
  const leaders = layout.byName(name)?.leaders ?? [];
  for (const { partitionId, leader } of metadata) {
    // Partitions added later stay unused until the next start, so that keys keep their partitions.
    if (partitionId < leaders.length) leaders[partitionId] = leader;
  }
}

/** A node id that no broker has; kafkajs uses -1 for a partition without a leader. */
const noBroker = -2;

/**
 * Creates a partitioner that throws unless the expected broker leads the partition. kafkajs calls it
 * for each message, with fresh metadata, before each attempt of a produce request. This is the only
 * hook that can stop two faults of kafkajs: it silently drops a record whose partition it does not
 * know, and it spreads a request over two brokers.
 */
export function createLeaderGuardPartitioner(layout: Layout) {
  let expectedLeader = -1;
  const partitioner: ReturnType<ICustomPartitioner> = ({ topic, partitionMetadata, message }) => {
    const { partition } = message;
    const found = partitionMetadata.find(({ partitionId }) => partitionId === partition);
    if (partition === undefined || found?.leader !== expectedLeader) {
      updateLeaders(layout, topic, partitionMetadata);
      throw new LeaderMovedError(
        `partition ${String(partition)} of ${topic} ` +
          (found === undefined
            ? 'is gone; restart this program if the topic was made again with fewer partitions'
            : `is led by broker ${found.leader}, not by ${expectedLeader}`),
      );
    }
    return partition;
  };
  return {
    /** Sets the broker that must lead the partitions of every record from now on. */
    setExpectedLeader(leader: number): void {
      expectedLeader = leader;
    },
    /** Rejects every record from now on. */
    rejectAll(): void {
      expectedLeader = noBroker;
    },
    createPartitioner: () => partitioner,
  };
}
