import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, EachBatchPayload, PartitionAssigner } from 'kafkajs';
import { RetryError } from '../../engine/errors.ts';
import { AssignerProtocol, createHighWatermarkAdmin } from '../client/kafkajs.ts';
import { correctCommittedReads } from '../client/aborted-records.ts';
import type { Connection } from '../client/connection.ts';
import { DeadlineError, settleWithin, unlessAborted, withDeadline } from '../client/deadline.ts';
import { createPartitionRead, type PartitionRead, type StateEntry } from './partition-read.ts';

/** What is read, and how patiently. */
export interface StateTopicOptions {
  readonly topic: string;
  /** How many partitions the topic has. */
  readonly partitions: number;
  /** The reader's own consumer group's id begins with it. */
  readonly groupPrefix: string;
  /** How long the broker may bring nothing new before a read is given up. */
  readonly stallMs: number;
  /** For the clean-up of the client: where brokers answer nothing, the stop waits for this too. */
  readonly closeLimitMs: () => number;
}

/** For the look at an open transaction, and again for the end of its client. */
const lookLimitMs = 3000;

/** Gives this consumer, alone in its group, every partition: which of them it fetches changes. */
function assignAll(topic: string, partitions: readonly number[]): PartitionAssigner {
  return () => ({
    name: 'all-partitions',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'all-partitions',
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: 1,
        topics,
        userData: Buffer.alloc(0),
      }),
    }),
    assign: ({ members }) =>
      Promise.resolve(
        members.map(({ memberId }) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 1,
            assignment: { [topic]: [...partitions] },
            userData: Buffer.alloc(0),
          }),
        })),
      ),
  });
}

/** The transaction of another producer that a read cannot pass. */
export class OpenTransactionError extends Error {
  override readonly name = 'OpenTransactionError';
  readonly topic: string;
  readonly partition: number;
  /** The offset at which the transaction begins: the partition's last stable one. */
  readonly stableOffset: string;
  readonly stallMs: number;
  constructor(at: { topic: string; partition: number; stableOffset: string; stallMs: number }) {
    super(`a transaction is open at offset ${at.stableOffset} of partition ${at.partition}`);
    this.topic = at.topic;
    this.partition = at.partition;
    this.stableOffset = at.stableOffset;
    this.stallMs = at.stallMs;
  }
}

/** The offsets of a partition's first record and after its last, as `fetchTopicOffsets` reports them. */
async function findSpan(
  admin: Admin,
  topic: string,
  partition: number,
): Promise<{ readonly low: string; readonly end: string }> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const found = offsets.find((offset) => offset.partition === partition);
  // kafkajs leaves out a partition without a leader; taken for empty, its state would be lost.
  if (found === undefined) {
    const where = `partition ${String(partition)} of ${topic}`;
    throw new RetryError('kafka.unavailable', `Kafka names no leader of ${where}.`);
  }
  return { low: found.low, end: found.high };
}

/**
 * Reads partitions of the state topic. It stays open between reads, because joining a group takes
 * the broker's initial rebalance delay, three seconds where nobody has lowered it, which a hand-over
 * must not wait for. Good until its first error, or until a read is given up in the middle.
 */
export class StateTopicReader {
  readonly #connection: Connection;
  readonly #options: StateTopicOptions;
  readonly #groupId: string;
  readonly #admin: Admin;
  readonly #consumer: Consumer;
  readonly #all: readonly number[];
  readonly #reads = new Map<number, PartitionRead>();
  /** A partition is read by one at a time. */
  readonly #tails = new Map<number, Promise<unknown>>();
  readonly #over = Promise.withResolvers<never>();
  #joined: Promise<void> | undefined;
  #closed = false;
  /** A read was given up in the middle. kafkajs may still tell of its batches, as if they were the next one's. */
  #spoiled = false;

  constructor(connection: Connection, options: StateTopicOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#groupId = `${options.groupPrefix}-${randomUUID()}`;
    this.#all = Array.from({ length: options.partitions }, (_, partition) => partition);
    correctCommittedReads();
    this.#admin = createHighWatermarkAdmin(connection.kafka);
    this.#consumer = connection.kafka.consumer({
      groupId: this.#groupId,
      partitionAssigners: [assignAll(options.topic, this.#all)],
      readUncommitted: false,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 100,
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    // Heard by whoever reads; nobody may.
    this.#over.promise.catch(() => undefined);
  }

  /**
   * Reads a partition, committed records only, to `end` or later; compaction is finished here: one
   * entry a key.
   *
   * @param end - the offset after the last that must be read; `now` is the high watermark that the
   * leader reports
   * @throws errors of kafkajs, DeadlineError, OpenTransactionError, or the signal's reason
   */
  read(
    partition: number,
    end: bigint | 'now',
    signal: AbortSignal,
  ): Promise<readonly StateEntry[]> {
    const before = this.#tails.get(partition) ?? Promise.resolve();
    const turn = before.then(() => this.#readNow(partition, end, signal));
    this.#tails.set(
      partition,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** Joins its group, once; a read does so by itself. */
  join(): Promise<void> {
    const joining = (this.#joined ??= withDeadline(
      Promise.race([this.#join(), this.#over.promise]),
      this.#options.stallMs,
      'joining a group to read the state topic',
    ));
    joining.catch(() => undefined);
    return joining;
  }

  /** Leaves no group behind; the broker drops it later by itself if this fails. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#over.reject(new RetryError('kafka.unavailable', 'The connection to Kafka was closed.'));
    await settleWithin(this.#cleanUp(), this.#options.closeLimitMs());
    this.#connection.destroy();
  }

  async #cleanUp(): Promise<void> {
    await this.#consumer.disconnect();
    await this.#admin.deleteGroups([this.#groupId]);
    await this.#admin.disconnect();
  }

  async #join(): Promise<void> {
    const { topic } = this.#options;
    const joined = Promise.withResolvers<undefined>();
    this.#consumer.on('consumer.group_join', () => {
      // Partition by partition: to pause one of them ends kafkajs' pause of a whole topic.
      const idle = this.#all.filter((partition) => !this.#reads.has(partition));
      if (!this.#closed) this.#consumer.pause([{ topic, partitions: idle }]);
      joined.resolve(undefined);
    });
    this.#consumer.on('consumer.end_batch_process', (event) => {
      this.#reads.get(event.payload.partition)?.onBatch(event);
    });
    this.#consumer.on('consumer.crash', (event) => {
      this.#closed = true;
      this.#over.reject(event.payload.error);
    });
    await Promise.all([this.#admin.connect(), this.#consumer.connect()]);
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatch: (payload: EachBatchPayload) => {
        this.#reads.get(payload.batch.partition)?.collect(payload);
        return Promise.resolve();
      },
    });
    await joined.promise;
  }

  async #readNow(
    partition: number,
    wanted: bigint | 'now',
    signal: AbortSignal,
  ): Promise<readonly StateEntry[]> {
    signal.throwIfAborted();
    if (this.#spoiled) throw spoiled(this.#options.topic);
    await unlessAborted(this.join(), signal);
    const { topic, stallMs } = this.#options;
    const looking = findSpan(this.#admin, topic, partition);
    const span = await unlessAborted(
      withDeadline(looking, stallMs, `looking for the end of ${topic}`),
      signal,
    );
    const end = wanted === 'now' ? BigInt(span.end) : wanted;
    // No record at all, open transactions included. After an acquisition there is one: its fence.
    if (end <= BigInt(span.low)) return [];
    const read = createPartitionRead(`partition ${partition} of ${topic}`, end, stallMs);
    this.#reads.set(partition, read);
    try {
      if (!this.#closed) {
        this.#consumer.seek({ topic, partition, offset: span.low });
        this.#consumer.resume([{ topic, partitions: [partition] }]);
      }
      await unlessAborted(Promise.race([read.done, this.#over.promise]), signal);
      return read.entries();
    } catch (error) {
      this.#spoiled = true;
      if (error instanceof DeadlineError) await this.#throwIfBlocked(partition, end);
      throw error;
    } finally {
      this.#reads.delete(partition);
      read.stop();
      if (!this.#closed) this.#consumer.pause([{ topic, partitions: [partition] }]);
    }
  }

  /** @throws OpenTransactionError when the last stable offset lies before the end of the read */
  async #throwIfBlocked(partition: number, end: bigint): Promise<void> {
    const { topic, stallMs } = this.#options;
    const admin = this.#connection.kafka.admin();
    const looking = admin.connect().then(() => findSpan(admin, topic, partition));
    const found = await withDeadline(looking, lookLimitMs, 'looking for open transactions').catch(
      () => undefined,
    );
    await settleWithin(admin.disconnect(), lookLimitMs);
    if (found === undefined || BigInt(found.end) >= end) return;
    throw new OpenTransactionError({ topic, partition, stableOffset: found.end, stallMs });
  }
}

function spoiled(topic: string): RetryError {
  const message = `A read of ${topic} was given up; the next one needs another client.`;
  return new RetryError('kafka.unavailable', message);
}
