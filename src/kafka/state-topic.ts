import { randomUUID } from 'node:crypto';
import {
  AssignerProtocol,
  type Admin,
  type Consumer,
  type ConsumerEndBatchProcessEvent,
  type EachBatchPayload,
  type PartitionAssigner,
} from 'kafkajs';
import { RetryError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import { DeadlineError, settleWithin, unlessAborted, withDeadline } from './deadline.ts';

/** The last word on a key in one partition. */
export interface StateEntry {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
}

/** What to read. */
interface StateReadRequest {
  readonly topic: string;
  readonly partitions: readonly number[];
  /** The throw-away consumer group's id begins with it. */
  readonly groupPrefix: string;
  /** How long the broker may bring nothing new before the read is given up. */
  readonly stallMs: number;
}

const cleanUpLimitMs = 2000;

/** Gives this consumer, alone in its group, the partitions that are wanted and no others. */
function assignOnly(topic: string, partitions: readonly number[]): PartitionAssigner {
  return () => ({
    name: 'wanted-partitions',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'wanted-partitions',
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

/**
 * The offset after the last one, by partition that has anything to read. What kafkajs calls the high
 * offset is the last stable one: the true end only when no transaction is open, as after a claim.
 */
async function findEnds(admin: Admin, request: StateReadRequest): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(request.topic);
  const known = new Map(offsets.map((offset) => [offset.partition, offset]));
  const ends = new Map<number, bigint>();
  for (const partition of request.partitions) {
    const found = known.get(partition);
    // kafkajs leaves out a partition without a leader; taken for empty, its state would be lost.
    if (found === undefined) {
      const where = `partition ${String(partition)} of ${request.topic}`;
      throw new RetryError('kafka.unavailable', `Kafka names no leader of ${where}.`);
    }
    if (found.low !== found.high) ends.set(partition, BigInt(found.high));
  }
  return ends;
}

/** Counts the partitions down to their ends. */
function createProgress(ends: Map<number, bigint>, stallMs: number) {
  const finish = Promise.withResolvers<undefined>();
  const stalled = (): void => {
    const partitions = [...ends.keys()].join(', ');
    finish.reject(
      new DeadlineError(
        `reading the state topic (partitions ${partitions}) stood still for ${stallMs} ms`,
      ),
    );
  };
  let timer = setTimeout(stalled, stallMs);
  return {
    done: finish.promise,
    fail: finish.reject,
    /** Transaction markers take offsets: the end is known from the batch, not from its records. */
    onBatch({ payload }: ConsumerEndBatchProcessEvent): void {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      const end = ends.get(payload.partition);
      if (end === undefined) return;
      if (payload.offsetLag !== '0' && BigInt(payload.lastOffset) < end - 1n) return;
      ends.delete(payload.partition);
      if (ends.size === 0) finish.resolve(undefined);
    },
    stop(): void {
      clearTimeout(timer);
    },
  };
}

function collect(entries: Map<string, StateEntry>, { batch }: EachBatchPayload): void {
  for (const { key, value } of batch.messages) {
    if (key === null) continue;
    const text = key.toString('utf8');
    const id = `${String(batch.partition)}/${text}`;
    // A tombstone is no state.
    if (value === null) entries.delete(id);
    else entries.set(id, { key: text, partition: batch.partition, value });
  }
}

async function consume(
  consumer: Consumer,
  topic: string,
  onBatch: (payload: EachBatchPayload) => void,
): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: (payload) => {
      onBatch(payload);
      return Promise.resolve();
    },
  });
}

/**
 * Reads partitions of the state topic, committed records only, to the end that they had when the
 * read began; compaction is finished here: one entry a key and partition.
 *
 * @throws errors of kafkajs, DeadlineError, or the signal's reason
 */
export async function readStateTopic(
  connection: Connection,
  request: StateReadRequest,
  signal: AbortSignal,
): Promise<readonly StateEntry[]> {
  const admin = connection.kafka.admin();
  const groupId = `${request.groupPrefix}-${randomUUID()}`;
  const entries = new Map<string, StateEntry>();
  const startUp = async (): Promise<Map<number, bigint>> => {
    await admin.connect();
    return findEnds(admin, request);
  };
  let consumer: Consumer | undefined;
  try {
    const work = withDeadline(
      startUp(),
      request.stallMs,
      'looking for the ends of the state topic',
    );
    const ends = await unlessAborted(work, signal);
    if (ends.size === 0) return [];
    const progress = createProgress(ends, request.stallMs);
    consumer = connection.kafka.consumer({
      groupId,
      partitionAssigners: [assignOnly(request.topic, [...ends.keys()])],
      // kafkajs hides aborted records rightly only while transactions do not overlap: it takes the
      // broker's list of them for sorted. A state partition has one transactional id, so they do not.
      readUncommitted: false,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 100,
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    consumer.on('consumer.end_batch_process', (event) => {
      progress.onBatch(event);
    });
    consumer.on('consumer.crash', (event) => {
      progress.fail(event.payload.error);
    });
    const reading = consume(consumer, request.topic, (payload) => {
      collect(entries, payload);
    });
    reading.catch(progress.fail);
    await unlessAborted(progress.done, signal).finally(() => {
      progress.stop();
    });
    return [...entries.values()];
  } finally {
    await cleanUp({ connection, admin, consumer, groupId });
  }
}

/** Leaves no group behind; the broker drops it later by itself if this fails. */
async function cleanUp(used: {
  connection: Connection;
  admin: Admin;
  consumer: Consumer | undefined;
  groupId: string;
}): Promise<void> {
  const { connection, admin, consumer, groupId } = used;
  if (consumer !== undefined) {
    await settleWithin(consumer.disconnect(), cleanUpLimitMs);
    await settleWithin(admin.deleteGroups([groupId]), cleanUpLimitMs);
  }
  await settleWithin(admin.disconnect(), cleanUpLimitMs);
  connection.destroy();
}
