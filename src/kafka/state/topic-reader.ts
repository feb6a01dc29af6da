import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, ConsumerEndBatchProcessEvent, EachBatchPayload } from 'kafkajs';
import { RetryError } from '../../engine/errors.ts';
import { settled } from '../../engine/shutdown.ts';
import { type Connection, openConnection } from '../client/connection.ts';
import { DeadlineError, unlessAborted, withDeadline } from '../client/deadline.ts';
import { createHighWatermarkAdmin } from '../client/kafkajs.ts';
import { createTopicAssignor } from '../group/assignor.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsOf } from '../client/acls.ts';
import { isTransient, translate } from '../client/errors.ts';
import type { KafkaBase, StateEntry } from '../shared.ts';

/** The header of a state that holds the topic's partition count. */
export const partitionCountHeader = 'partitions';

/** The header of a state whose stream has Avro records as keys, with the value `avro`. */
export const keyFormatHeader = 'keys';

interface StateTopicOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  /** Prefix of the reader's own consumer group id. */
  readonly groupPrefix: string;
  /** Time without a new batch after which a read fails. */
  readonly stallMs: number;
  /** Returns the time limit of the client's clean-up: a shutdown waits for it when brokers do not answer. */
  readonly closeLimitMs: () => number;
}

/** Time limit of the search for an open transaction, and again of the disconnection after it. */
const searchLimitMs = 3000;

/** The read of one partition up to an end. */
export type PartitionRead = ReturnType<typeof createPartitionRead>;

/** Creates the read of a partition to `end`, the offset after the last one; its stall timer starts at once. */
export function createPartitionRead(description: string, end: bigint, stallMs: number) {
  const finish = Promise.withResolvers<undefined>();
  const entries = new Map<string, StateEntry>();
  const stall = (): void => {
    finish.reject(new DeadlineError(`reading ${description} stood still for ${stallMs} ms`));
  };
  let timer = setTimeout(stall, stallMs);
  return {
    /** Resolves at the end; rejects when no batch arrives for too long. */
    done: finish.promise,
    collect({ batch: { messages, partition } }: EachBatchPayload): void {
      for (const { key, value, headers } of messages) {
        if (key === null) continue;
        const text = key.toString('utf8');
        // A tombstone deletes the state.
        if (value === null) entries.delete(text);
        else {
          const partitionCount = readCount(headers?.[partitionCountHeader]);
          // A copy: the value of kafkajs is a view that keeps the whole fetched megabyte in memory.
          const keyFormat = headers?.[keyFormatHeader]?.toString() === 'avro' ? 'avro' : undefined;
          const entry = { key: text, partition, value: Buffer.from(value) };
          entries.set(text, { ...entry, partitionCount, keyFormat });
        }
      }
    },
    // Transaction markers take offsets, so the batch reports the end, not its records. A lag of 0 does
    // not prove the end: a stale leader or a follower answers with its own, old high watermark.
    onBatch({ payload }: ConsumerEndBatchProcessEvent): void {
      clearTimeout(timer);
      timer = setTimeout(stall, stallMs);
      if (BigInt(payload.lastOffset) >= end - 1n) finish.resolve(undefined);
    },
    entries: (): readonly StateEntry[] => [...entries.values()],
    stop(): void {
      clearTimeout(timer);
    },
  };
}

/** Reads the partition count of a header; returns undefined when another program wrote it. */
function readCount(header: unknown): number | undefined {
  const text = Buffer.isBuffer(header) ? header.toString('utf8') : '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The error of a read that cannot pass an open transaction, which another client cannot pass either. */
class OpenTransactionError extends RetryError {}

/** Reads the offsets of a partition's first record and after its last one. */
async function findSpan(admin: Admin, topic: string, partition: number) {
  const offsets = await admin.fetchTopicOffsets(topic);
  const found = offsets.find((offset) => offset.partition === partition);
  // kafkajs omits a partition without a leader; treated as empty, its states would be lost.
  if (found === undefined) {
    const where = `partition ${String(partition)} of ${topic}`;
    throw new RetryError('kafka.unavailable', `Kafka names no leader of ${where}.`);
  }
  return { low: found.low, end: found.high };
}

/**
 * A reader of partitions of the state topic. It stays open between reads: a join takes the broker's
 * initial rebalance delay (three seconds by default), for which a hand-over must not wait. It is unusable
 * after its first error or an interrupted read.
 */
export class StateTopicReader {
  readonly #connection: Connection;
  readonly #options: StateTopicOptions;
  readonly #groupId: string;
  readonly #admin: Admin;
  readonly #consumer: Consumer;
  readonly #all: readonly number[];
  readonly #reads = new Map<number, PartitionRead>();
  /** The last read of each partition: reads of one partition run one after another. */
  readonly #tails = new Map<number, Promise<unknown>>();
  readonly #over = Promise.withResolvers<never>();
  #joined: Promise<void> | undefined;
  #closed = false;
  /**
   * True after an interrupted read: kafkajs may still deliver its batches, which the next read would take
   * for its own.
   */
  #isInterrupted = false;

  constructor(connection: Connection, options: StateTopicOptions) {
    const { topic, partitions, groupPrefix } = options;
    this.#connection = connection;
    this.#options = options;
    this.#groupId = `${groupPrefix}-${randomUUID()}`;
    this.#all = Array.from({ length: partitions }, (_, partition) => partition);
    this.#admin = createHighWatermarkAdmin(connection.kafka);
    this.#consumer = connection.kafka.consumer({
      groupId: this.#groupId,
      // Gives every partition to the single consumer of the group.
      partitionAssigners: [
        createTopicAssignor('all-partitions', topic, {
          userData: () => '',
          assign: () => () => this.#all,
        }),
      ],
      readUncommitted: false,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 100,
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    // Handled by reads; without one, the rejection must not count as unhandled.
    this.#over.promise.catch(() => undefined);
  }

  /** Returns the last error in a broker's response within half a minute. */
  lastBrokerError(): string | undefined {
    return this.#connection.lastBrokerError();
  }

  /**
   * Reads the committed records of a partition to `end` or later; returns only the last entry of each key.
   * `now` is the high watermark that the leader reports.
   * @throws errors of kafkajs, DeadlineError, OpenTransactionError, or the signal's reason
   */
  read(
    partition: number,
    end: bigint | 'now',
    signal: AbortSignal,
  ): Promise<readonly StateEntry[]> {
    const before = this.#tails.get(partition) ?? Promise.resolve();
    const result = before.then(() => this.#readNow(partition, end, signal));
    const settledRead = result.catch(() => undefined);
    this.#tails.set(partition, settledRead);
    return result;
  }

  /** Joins the group once; reads call it themselves. */
  join(): Promise<void> {
    const joining = (this.#joined ??= withDeadline(
      Promise.race([this.#join(), this.#over.promise]),
      this.#options.stallMs,
      'joining a group to read the state topic',
    ));
    joining.catch(() => undefined);
    return joining;
  }

  /** Closes the client and deletes its group; if that fails, the broker removes the group later. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#over.reject(new RetryError('kafka.unavailable', 'The connection to Kafka was closed.'));
    await settled(this.#cleanUp(), this.#options.closeLimitMs());
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
      // Partitions are paused one by one: pausing one of them cancels the kafkajs pause of a whole topic.
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
    target: bigint | 'now',
    signal: AbortSignal,
  ): Promise<readonly StateEntry[]> {
    const { topic, stallMs } = this.#options;
    signal.throwIfAborted();
    if (this.#isInterrupted) {
      const message = `A read of ${topic} was given up; the next one needs another client.`;
      throw new RetryError('kafka.unavailable', message);
    }
    await unlessAborted(this.join(), signal);
    const search = findSpan(this.#admin, topic, partition);
    const bounded = withDeadline(search, stallMs, `looking for the end of ${topic}`);
    const span = await unlessAborted(bounded, signal);
    const end = target === 'now' ? BigInt(span.end) : target;
    // The partition has no record, not even of an open transaction. An acquired one has its end
    // record.
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
      this.#isInterrupted = true;
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
    const { topic, stallMs, brokers } = this.#options;
    const admin = this.#connection.kafka.admin();
    const search = admin.connect().then(() => findSpan(admin, topic, partition));
    const bounded = withDeadline(search, searchLimitMs, 'looking for open transactions');
    const found = await bounded.catch(() => undefined);
    await settled(admin.disconnect(), searchLimitMs);
    if (found === undefined || BigInt(found.end) >= end) return;
    // States behind an open transaction are neither absent nor older (Invariant 2).
    const tool = `kafka-transactions.sh --bootstrap-server ${brokers.join(',')}`;
    const place = `--topic ${topic} --partition ${partition}`;
    throw new OpenTransactionError(
      'kafka.transaction-open',
      `Partition ${partition} of ${topic} cannot be read to its end: another producer has held a ` +
        `transaction open at offset ${found.end} for ${stallMs} ms, which hides every state ` +
        'committed after it. Nothing is published until it ends. The producer may be another program, or ' +
        'an instance with another KAFKA_TRANSACTIONAL_ID_PREFIX. To find it, run ' +
        `"${tool} describe-producers ${place}" (its CurrentTransactionStartOffset is ${found.end}) and ` +
        `"${tool} find-hanging ${place}". Stop it, or run ` +
        `"${tool} abort ${place} --start-offset ${found.end}".`,
    );
  }
}

/** Lower bound of the stall limit: a join may take longer than the broker's initial rebalance delay. */
const minStallMs = 15_000;
/** Maximum attempts of a read: a broker that has just started still loads its coordinator. */
const maxAttempts = 6;
const pauseMs = 300;

/** Creates a reader of the state topic with one client, which is replaced after an error. */
export function createStateReader(shared: KafkaBase) {
  const { options, dependencies } = shared;
  let current: StateTopicReader | undefined;
  let closed = false;
  const open = (): StateTopicReader => {
    const layout = shared.layout();
    return (current = new StateTopicReader(openConnection(options, dependencies), {
      brokers: options.brokers,
      topic: layout.topic('state').name,
      partitions: layout.statePartitions,
      groupPrefix: options.transactionalIdPrefix,
      stallMs: Math.max(minStallMs, options.sendDeadlineMs),
      closeLimitMs: () => dependencies.shutdown.leftMs('reader'),
    }));
  };
  const discard = async (reader: StateTopicReader): Promise<void> => {
    if (current === reader) current = undefined;
    await reader.close();
  };
  return {
    /** Starts to connect, so that the first read does not wait for it. Never throws. */
    prepare(): void {
      void (current ?? open()).join().catch(() => undefined);
    },
    /** Reads a partition to a proven end. @throws errors of `translate`, the signal's reason */
    read: async (partition: number, end: bigint | 'now', signal: AbortSignal) => {
      for (let attempt = 1; ; attempt += 1) {
        const reader = current ?? open();
        try {
          return await reader.read(partition, end, signal);
        } catch (error) {
          signal.throwIfAborted();
          void discard(reader);
          const lastBrokerError = reader.lastBrokerError();
          if (closed || attempt === maxAttempts || !isRetryable(error, lastBrokerError)) {
            const topic = shared.layout().topic('state').name;
            const needs = needsOf.reading(options, topic);
            throw translate(error, { options, doing: `reading ${topic}`, needs, lastBrokerError });
          }
          await sleep(pauseMs, undefined, { signal });
        }
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      closed = true;
      if (current !== undefined) await discard(current);
    },
  };
}

/** True when a new client may succeed; a RetryError marks a client that another read made unusable. */
function isRetryable(error: unknown, lastBrokerError: string | undefined): boolean {
  if (error instanceof OpenTransactionError) return false;
  return error instanceof RetryError || isTransient(error, lastBrokerError);
}
