import type { Producer, RecordMetadata, TopicMessages, Transaction } from 'kafkajs';
import { compressionTypes } from '../client/kafkajs.ts';
import type { Compression } from '../client/compression.ts';
import type { Connection } from '../client/connection.ts';
import {
  settleWithin,
  succeedsWithin,
  withDeadline,
  withThrottledDeadline,
} from '../client/deadline.ts';
import { createLeaderWatch, type LeaderWatch } from './leader-watch.ts';
import type { Layout } from '../layout.ts';
import type { PlacedRecord, ProduceRequest } from './produce-requests.ts';

/** How a transactional producer is set up. */
interface TransactionOptions {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /** For opening, and again for each transaction, throttled time not counted. */
  readonly deadlineMs: number;
  /** For each transaction, throttled time counted. */
  readonly limitMs: number;
  readonly compression: Compression;
  /** For the abort of a producer that is discarded, and again for its disconnection. */
  readonly discardLimitMs: () => number;
}

/** A producer of one transactional id, good until the first error. */
export interface TransactionalProducer {
  /**
   * Sends everything and commits, or rejects; after that only {@link discard} may be called.
   *
   * @param onCommit called just before the commit is sent: from here on the outcome may be unknown
   * @returns the offset of the last send's first record
   */
  transact(sends: readonly ProduceRequest[], onCommit: () => void): Promise<bigint>;
  /**
   * Ends it for good, bounded in time; aborts the open transaction first when `abort` is given.
   *
   * @returns whether it is known that no transaction is left open
   */
  discard(how: { readonly abort: boolean }): Promise<boolean>;
  lastRefusal(): string | undefined;
}

/** No broker has this node id. */
const nobody = -2;

function toMessages(records: readonly PlacedRecord[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages['messages']>();
  for (const { topic, key, value, headers, partition } of records) {
    const messages = topics.get(topic) ?? [];
    messages.push({ key, value, headers, partition });
    topics.set(topic, messages);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** A send that failed, and to which topics it went. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly topics: readonly string[];
  constructor({ records }: ProduceRequest, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.topics = [...new Set(records.map(({ topic }) => topic))];
  }
}

async function sendOne(
  transaction: Transaction,
  send: ProduceRequest,
  { timeoutMs, compression }: { readonly timeoutMs: number; readonly compression: Compression },
): Promise<readonly RecordMetadata[]> {
  try {
    return await transaction.sendBatch({
      acks: -1,
      timeout: timeoutMs,
      compression: compressionTypes[compression],
      topicMessages: toMessages(send.records),
    });
  } catch (error) {
    throw new SendError(send, error);
  }
}

/** kafkajs leaves out what it finds no leader for, without a word. */
function checkAcknowledged(send: ProduceRequest, acknowledged: readonly RecordMetadata[]): void {
  const known = new Set(acknowledged.map((one) => `${one.topicName}/${String(one.partition)}`));
  const lost = send.records.find(
    ({ topic, partition }) => !known.has(`${topic}/${String(partition)}`),
  );
  if (lost !== undefined) {
    throw new Error(`kafkajs did not send to partition ${lost.partition} of ${lost.topic}`);
  }
}

function createProducer(
  connection: Connection,
  watch: LeaderWatch,
  options: TransactionOptions,
): Producer {
  return connection.kafka.producer({
    transactionalId: options.transactionalId,
    transactionTimeout: options.transactionTimeoutMs,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: watch.createPartitioner,
    // Each transaction may wait a moment for the markers of the last: 5 ms at first, not 300.
    retry: { initialRetryTime: 5, factor: 0, multiplier: 1.2, maxRetryTime: 1000, retries: 40 },
  });
}

/** Connects, takes over the transactional id and so aborts what another producer of it left open. */
async function connect(producer: Producer): Promise<Transaction> {
  await producer.connect();
  // Only here does kafkajs ask for the transactional producer id; nothing is open at the broker yet.
  return producer.transaction();
}

/**
 * Opens a producer. When this resolves, every transaction that was begun under the same id before
 * is either committed or aborted, and can no longer change.
 *
 * @throws errors of kafkajs, DeadlineError; the connection is then destroyed
 */
export async function openTransactionalProducer(
  connection: Connection,
  layout: Layout,
  options: TransactionOptions,
): Promise<TransactionalProducer> {
  const watch = createLeaderWatch(layout);
  const producer = createProducer(connection, watch, options);
  let next: Transaction | undefined;
  let ended = false;
  const { throttle, requestTimeoutMs: timeoutMs } = connection;
  try {
    next = await withDeadline(connect(producer), options.deadlineMs, 'opening a producer');
  } catch (error) {
    connection.destroy();
    throw error;
  }

  const sendAll = async (sends: readonly ProduceRequest[], onCommit: () => void) => {
    const transaction = (next ??= await producer.transaction());
    let offset = -1n;
    for (const send of sends) {
      // A deadline cannot stop this loop; the flag does.
      if (ended) throw new Error('this producer was thrown away');
      watch.expect(send.leader);
      const acknowledged = await sendOne(transaction, send, { ...options, timeoutMs });
      checkAcknowledged(send, acknowledged);
      offset = BigInt(acknowledged[0]?.baseOffset ?? -1);
    }
    if (ended) throw new Error('this producer was thrown away');
    onCommit();
    // Invariant 1: the records and their state become visible by this one request, or never.
    await transaction.commit();
    next = undefined;
    return offset;
  };

  return {
    lastRefusal: () => connection.lastRefusal(),
    transact: (sends, onCommit) =>
      withThrottledDeadline(sendAll(sends, onCommit), { ...options, throttle }, 'a transaction'),
    async discard({ abort }) {
      ended = true;
      // kafkajs goes on with a send that nobody waits for any more; here it ends.
      watch.expect(nobody);
      let isOver = next?.isActive() !== true;
      if (abort && next !== undefined && !isOver) {
        // An abort would queue behind a request that is not answered; on a new connection it does not.
        await connection.cut();
        isOver = await succeedsWithin(next.abort(), options.discardLimitMs());
      }
      await settleWithin(producer.disconnect(), options.discardLimitMs());
      connection.destroy();
      return isOver;
    },
  };
}
