import type { EachBatchPayload } from 'kafkajs';
import { endsWithin, systemClock } from '../engine/clock.ts';
import { settled } from '../engine/shutdown.ts';
import { topicName } from '../engine/stream-name.ts';
import { needsOf } from './client/acls.ts';
import { withConnection } from './client/admin-call.ts';
import { unlessAborted, withDeadline } from './client/deadline.ts';
import type { KafkaBase } from './shared.ts';
import { type TailedRecord, tail, toRecord } from './tail.ts';
import { planTopics } from './topic-plan.ts';
import { preparePlans } from './topics.ts';

/**
 * The topic of notifications, apart from the topics of polls: its absence or a missing permission
 * stops no poll. Every method throws the errors of `translate`.
 */
export interface NotificationLog {
  /** Creates or verifies the topic. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Returns the last record of each key. */
  read(signal: AbortSignal): Promise<readonly TailedRecord[]>;
  append(records: readonly NotificationRecord[], signal: AbortSignal): Promise<void>;
  /**
   * Passes the records to one instance of the group `<prefix>-webhook`, some at a time, and commits
   * their offsets after each call, until aborted.
   */
  consume(take: TakeNotifications, signal: AbortSignal): Promise<void>;
}

/** Takes records; the signal is aborted when another instance takes over. */
export type TakeNotifications = (
  records: readonly TailedRecord[],
  signal: AbortSignal,
) => Promise<void>;

interface NotificationRecord {
  readonly key: string;
  readonly value: Buffer;
}

const role = 'notifications';
/** Records of one call of `take`. */
const takenAtOnce = 20;
/** The interval of heartbeats while records are taken. */
const heartbeatMs = 3000;

/** Opens the topic; it connects for each call. */
export function openNotificationLog(base: KafkaBase): NotificationLog {
  const topic = topicName(base.options.topicTemplate, role);
  return {
    async prepare(signal) {
      await preparePlans(base, planTopics({ ...base.options, roles: [role] }), signal);
    },
    async read(signal) {
      const last = new Map<string, TailedRecord>();
      const take = (record: TailedRecord): Promise<boolean> => {
        last.set(String(record.key ?? ''), record);
        return Promise.resolve(true);
      };
      await tail(base, { topic, start: { kind: 'beginning' }, follow: false, take }, signal);
      // A tail that is aborted ends early, without an error.
      signal.throwIfAborted();
      return [...last.values()];
    },
    append: (records, signal) => append(base, { topic, records }, signal),
    consume: (take, signal) => consume(base, { topic, take }, signal),
  };
}

async function append(
  base: KafkaBase,
  { topic, records }: { readonly topic: string; readonly records: readonly NotificationRecord[] },
  signal: AbortSignal,
): Promise<void> {
  const operation = { doing: `writing to ${topic}`, needs: needsOf.publishing([topic]) };
  await withConnection(base, operation, async ({ kafka, requestTimeoutMs }, cleanUps) => {
    // Instances and restarts read one partition; more of them are not needed.
    const createPartitioner = () => () => 0;
    const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
    cleanUps.defer(() => settled(producer.disconnect(), 1000));
    const sending = producer
      .connect()
      .then(() =>
        producer.send({ topic, acks: -1, timeout: requestTimeoutMs, messages: [...records] }),
      );
    const bounded = withDeadline(sending, base.options.sendDeadlineMs, operation.doing);
    const acknowledged = await unlessAborted(bounded, signal);
    // kafkajs silently skips a partition without a leader.
    if (acknowledged.length === 0) throw new Error(`Partition 0 of ${topic} has no leader.`);
  });
}

async function consume(
  base: KafkaBase,
  { topic, take }: { readonly topic: string; readonly take: TakeNotifications },
  signal: AbortSignal,
): Promise<void> {
  const { options, dependencies } = base;
  const groupId = `${options.transactionalIdPrefix}-webhook`;
  const needs = needsOf.reading(options, topic);
  const operation = { doing: `reading ${topic} in the group ${groupId}`, needs };
  await withConnection(base, operation, async ({ kafka }, cleanUps) => {
    const over = Promise.withResolvers<never>();
    over.promise.catch(() => undefined);
    const consumer = kafka.consumer({
      groupId,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 1000,
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    cleanUps.defer(() => settled(consumer.disconnect(), dependencies.shutdown.leftMs('leaving')));
    consumer.on('consumer.crash', ({ payload }) => {
      over.reject(payload.error);
    });
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
      const { partition, messages } = payload.batch;
      for (let start = 0; start < messages.length; start += takenAtOnce) {
        if (signal.aborted || !payload.isRunning() || payload.isStale()) return;
        const some = messages.slice(start, start + takenAtOnce);
        const records = some.map((message) => toRecord(partition, message));
        const taking = (stop: AbortSignal) => take(records, AbortSignal.any([signal, stop]));
        const isTaken = await whileAlive(payload, taking).catch((error: unknown) => {
          // kafkajs would log the end of the program as an error.
          if (signal.aborted) return false;
          throw error;
        });
        if (!isTaken) return;
        const last = some.at(-1)?.offset ?? payload.batch.lastOffset();
        await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(last) + 1n) }]);
        payload.resolveOffset(last);
      }
    };
    await consumer.connect();
    // A new group reads the whole topic; `take` drops the records that are older than a day.
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
    await unlessAborted(over.promise, signal);
  });
}

/**
 * Sends heartbeats while a task runs; aborts the task when one fails, as in a rebalance.
 * @returns true when the task has ended
 */
async function whileAlive(
  { heartbeat }: Pick<EachBatchPayload, 'heartbeat'>,
  run: (stop: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const stop = new AbortController();
  const task = run(stop.signal);
  task.catch(() => undefined);
  try {
    while (!(await endsWithin(task, heartbeatMs, systemClock))) await heartbeat();
    return true;
  } catch (error) {
    stop.abort(error);
    await task.catch(() => undefined);
    throw error;
  }
}
