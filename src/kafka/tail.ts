import { randomUUID } from 'node:crypto';
import type { Admin, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { settled } from '../engine/shutdown.ts';
import type { ShutdownBudget } from '../engine/shutdown-budget.ts';
import { topicName } from '../engine/stream-name.ts';
import { needsOf } from './client/acls.ts';
import { withConnection } from './client/admin-call.ts';
import type { Connection } from './client/connection.ts';
import { unlessAborted, withDeadline } from './client/deadline.ts';
import { restoreMarkerKey } from './producer/produce-requests.ts';
import type { KafkaBase } from './shared.ts';

export type TailStart =
  | { readonly kind: 'end' }
  | { readonly kind: 'beginning' }
  /** A negative offset counts back from the end. */
  | { readonly kind: 'offset'; readonly offset: bigint }
  /** The first record of that time or later, epoch milliseconds. */
  | { readonly kind: 'since'; readonly ms: number };

/** A committed record as stored in its topic. */
export interface TailedRecord {
  readonly partition: number;
  readonly offset: string;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request for the committed records of a topic. */
export interface TailRequest {
  readonly topic: string;
  readonly start: TailStart;
  /** True when the tail waits for later records; otherwise it ends at the current end. */
  readonly follow: boolean;
  /** Receives the records of each partition in order; returns false to stop. */
  readonly take: (record: TailedRecord) => Promise<boolean>;
  /** Called once `take` has the records up to the end at the start, by a tail that follows. */
  readonly onCurrent?: (() => void) | undefined;
}

const offsetsLimitMs = 30_000;

const ifMissing =
  '`run` and `once` make the topic of a stream that STREAMS names when they start, by the name ' +
  'that KAFKA_TOPIC_TEMPLATE gives it: look whether both are as they are there.';

/**
 * Reads committed records of a topic as the only member of its own group, which it deletes; commits
 * no offset. Returns at the end, when `take` stops it, or when aborted.
 * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`, errors of `take`
 */
export async function tail(
  { options, dependencies }: Pick<KafkaBase, 'options' | 'dependencies'>,
  request: TailRequest,
  signal: AbortSignal,
): Promise<void> {
  const { topic } = request;
  const { shutdown } = dependencies;
  const groupId = `${options.transactionalIdPrefix}-tail-${randomUUID()}`;
  // Restore markers hold no state and only prove to their writer that a read is complete.
  const isRestoreMarker = ({ key }: TailedRecord): boolean =>
    key?.toString() === restoreMarkerKey && topic === topicName(options.topicTemplate, 'state');
  const take: TailRequest['take'] = (record) =>
    isRestoreMarker(record) ? Promise.resolve(true) : request.take(record);
  const read = async (connection: Connection, cleanUps: AsyncDisposableStack): Promise<void> => {
    const admin = connection.kafka.admin();
    cleanUps.defer(() => {
      const cleaning = admin.deleteGroups([groupId]).finally(() => admin.disconnect());
      return settled(cleaning, shutdown.leftMs('reader'));
    });
    const offsets = openSpans(admin, request);
    const spans = await withDeadline(offsets, offsetsLimitMs, `looking for the ends of ${topic}`);
    await readSpans(connection, { ...request, take, groupId, spans, shutdown }, signal);
  };
  const operation = {
    doing: `reading ${topic}`,
    ifMissing,
    needs: needsOf.reading(options, topic),
  };
  try {
    await withConnection({ options, dependencies }, operation, read);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The offsets still to be read in a partition. */
interface PartitionSpan {
  readonly partition: number;
  next: bigint;
  /** The offset after the last record at the start of the tail. */
  readonly end: bigint;
}

async function openSpans(
  admin: Admin,
  { topic, start }: TailRequest,
): Promise<readonly PartitionSpan[]> {
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  const since =
    start.kind === 'since' ? await admin.fetchTopicOffsetsByTimestamp(topic, start.ms) : [];
  return offsets.map(({ partition, low, high }) => {
    const found = since.find((one) => one.partition === partition)?.offset;
    const [first, end] = [BigInt(low), BigInt(high)];
    const next = startOffset(start, first, end, found);
    return { partition, next: next < first ? first : next, end };
  });
}

/** @param found - offset of the requested time; kafkajs returns the end, or -1, when no record is that late */
function startOffset(start: TailStart, first: bigint, end: bigint, found?: string): bigint {
  switch (start.kind) {
    case 'end':
      return end;
    case 'beginning':
      return first;
    case 'offset':
      return start.offset < 0n ? end + start.offset : start.offset;
    case 'since':
      return found === undefined || found === '-1' ? end : BigInt(found);
  }
}

/** A tail whose start is known. */
interface OpenTail extends TailRequest {
  readonly groupId: string;
  readonly spans: readonly PartitionSpan[];
  readonly shutdown: ShutdownBudget;
}

async function readSpans(
  { kafka }: Connection,
  { topic, follow, take, onCurrent, groupId, spans, shutdown }: OpenTail,
  signal: AbortSignal,
): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  over.promise.catch(() => undefined);
  const end = (): void => {
    over.resolve(undefined);
  };
  const noteRead = onceRead(spans, follow ? onCurrent : end);
  const consumer = kafka.consumer({
    groupId,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 200,
    retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
  });
  noteRead();
  consumer.on('consumer.crash', ({ payload }) => {
    over.reject(payload.error);
  });
  // Seeks every partition after each join, because kafkajs picks its own start; fetching waits for it.
  consumer.on('consumer.group_join', () => {
    const partitions = spans.map(({ partition }) => partition);
    consumer.pause([{ topic, partitions }]);
    setImmediate(() => {
      for (const { partition, next } of spans) {
        consumer.seek({ topic, partition, offset: String(next) });
      }
      consumer.resume([{ topic, partitions }]);
    });
  });
  consumer.on('consumer.end_batch_process', ({ payload }) => {
    const span = spans.find(({ partition }) => partition === payload.partition);
    // kafkajs does not deliver batches with only markers or aborted records; advance past them here.
    if (payload.batchSize === 0) advance(span, payload.lastOffset);
    noteRead();
  });
  const run = async (): Promise<undefined> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: createBatchReader(spans, take, over) });
    return over.promise;
  };
  try {
    await unlessAborted(Promise.race([run(), over.promise]), signal);
  } finally {
    await settled(consumer.disconnect(), shutdown.leftMs('leaving'));
  }
}

/** Returns a function to be called after each batch; it calls `onRead` once all spans are read. */
function onceRead(spans: readonly PartitionSpan[], onRead: (() => void) | undefined): () => void {
  let isRead = false;
  return () => {
    if (isRead || spans.some(({ next, end }) => next < end)) return;
    isRead = true;
    onRead?.();
  };
}

/** Passes the records of each batch on until `take` stops the tail. */
function createBatchReader(
  spans: readonly PartitionSpan[],
  take: TailRequest['take'],
  over: PromiseWithResolvers<undefined>,
): (payload: EachBatchPayload) => Promise<void> {
  // After `take` stopped the tail, the consumer takes a moment to end.
  let isStopped = false;
  return async (payload) => {
    const { batch } = payload;
    const span = spans.find(({ partition }) => partition === batch.partition);
    for (const message of batch.messages) {
      if (isStopped || !payload.isRunning() || payload.isStale()) return;
      if (span === undefined || BigInt(message.offset) < span.next) continue;
      advance(span, message.offset);
      try {
        if (await take(toRecord(batch.partition, message))) continue;
        over.resolve(undefined);
      } catch (error) {
        over.reject(error);
      }
      isStopped = true;
      return;
    }
    advance(span, batch.lastOffset());
  };
}

/** Advances a partition past an offset; transaction markers take offsets too. */
function advance(span: PartitionSpan | undefined, offset: string): void {
  const after = BigInt(offset) + 1n;
  if (span !== undefined && after > span.next) span.next = after;
}

export function toRecord(partition: number, message: KafkaMessage): TailedRecord {
  const { offset, timestamp, headers = {} } = message;
  const texts = Object.entries(headers).map(([name, content]) => [name, String(content)]);
  return {
    partition,
    offset,
    timestampMs: Number(timestamp),
    key: message.key,
    value: message.value,
    headers: Object.fromEntries(texts) as Record<string, string>,
  };
}
