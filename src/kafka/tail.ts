import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { ShutdownBudget } from '../engine/shutdown-budget.ts';
import { topicName } from '../engine/stream-name.ts';
import { correctCommittedReads } from './client/aborted-records.ts';
import { openConnection, type Connection } from './client/connection.ts';
import { unlessAborted, withDeadline } from './client/deadline.ts';
import { settled } from '../engine/shutdown.ts';
import { translate } from './client/errors.ts';
import { fenceKey } from './producer/produce-requests.ts';
import type { KafkaBase } from './shared.ts';

/** The start position of a tail in each partition. */
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
  readonly key: string | null;
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
}

const offsetsLimitMs = 30_000;

/**
 * Reads committed records of a topic as the only member of its own group, which it deletes. It commits
 * no offset.
 *
 * @returns at the end, when `take` stops it, or when aborted
 * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`, errors of `take`
 */
export async function tail(
  { options, dependencies }: Pick<KafkaBase, 'options' | 'dependencies'>,
  request: TailRequest,
  signal: AbortSignal,
): Promise<void> {
  correctCommittedReads();
  const groupId = `${options.transactionalIdPrefix}-tail-${randomUUID()}`;
  const connection = openConnection(options, dependencies);
  const admin = connection.kafka.admin();
  const { shutdown } = dependencies;
  const reader = { connection, admin, groupId, shutdown };
  try {
    const spans = await withDeadline(
      openSpans(admin, request),
      offsetsLimitMs,
      `looking for the ends of ${request.topic}`,
    );
    const stateTopic = topicName(options.topicTemplate, 'state');
    const filtered = request.topic === stateTopic ? withoutFences(request) : request;
    await readAll(reader, filtered, { spans, signal });
  } catch (error) {
    if (signal.aborted) return;
    const lastRejection = connection.lastRejection();
    throw translate(error, {
      options,
      doing: `reading ${request.topic}`,
      ifMissing:
        '`run` and `once` make the topic of a stream that STREAMS names when they start, by the name ' +
        'that KAFKA_TOPIC_TEMPLATE gives it: look whether both are as they are there.',
      needs: [
        { operation: 'Read', resource: 'topic', name: request.topic },
        {
          operation: 'Read',
          resource: 'group',
          name: `${options.transactionalIdPrefix}-`,
          prefixed: true,
        },
      ],
      lastRejection,
    });
  } finally {
    const cleaning = admin.deleteGroups([groupId]).finally(() => admin.disconnect());
    await settled(cleaning, shutdown.leftMs('reader'));
    connection.destroy();
  }
}

/** Hides fence records: they hold no state and only prove to their writer that a read is complete. */
function withoutFences(request: TailRequest): TailRequest {
  return {
    ...request,
    take: (record) => (record.key === fenceKey ? Promise.resolve(true) : request.take(record)),
  };
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
    const next = firstOffset(start, { first, end, found });
    return { partition, next: next < first ? first : next, end };
  });
}

interface PartitionOffsets {
  readonly first: bigint;
  readonly end: bigint;
  /** Offset of the requested time; kafkajs returns the end, or -1, when no record is that late. */
  readonly found: string | undefined;
}

function firstOffset(start: TailStart, { first, end, found }: PartitionOffsets): bigint {
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

interface TailClient {
  readonly shutdown: ShutdownBudget;
  readonly connection: Connection;
  readonly admin: Admin;
  readonly groupId: string;
}

async function readAll(
  { connection, groupId, shutdown }: TailClient,
  request: TailRequest,
  { spans, signal }: { readonly spans: readonly PartitionSpan[]; readonly signal: AbortSignal },
): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  over.promise.catch(() => undefined);
  const endWhenRead = (): void => {
    if (!request.follow && spans.every(({ next, end }) => next >= end)) over.resolve(undefined);
  };
  const consumer = connection.kafka.consumer({
    groupId,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 200,
    retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
  });
  const progress: TailProgress = { spans, take: request.take, over };
  endWhenRead();
  consumer.on('consumer.crash', ({ payload }) => {
    over.reject(payload.error);
  });
  consumer.on('consumer.group_join', () => {
    seekAll(consumer, request.topic, spans);
  });
  consumer.on('consumer.end_batch_process', ({ payload }) => {
    const span = spans.find(({ partition }) => partition === payload.partition);
    // kafkajs does not deliver batches with only markers or aborted records; advance past them here.
    if (payload.batchSize === 0) advance(span, payload.lastOffset);
    endWhenRead();
  });
  const run = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [request.topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: (payload) => takeBatch(payload, progress),
    });
  };
  try {
    await unlessAborted(Promise.race([run().then(() => over.promise), over.promise]), signal);
  } finally {
    await settled(consumer.disconnect(), shutdown.leftMs('leaving'));
  }
}

/** Seeks every partition after each join, because kafkajs picks its own start; fetching waits for it. */
function seekAll(consumer: Consumer, topic: string, spans: readonly PartitionSpan[]): void {
  const partitions = spans.map(({ partition }) => partition);
  consumer.pause([{ topic, partitions }]);
  setImmediate(() => {
    for (const { partition, next } of spans) {
      consumer.seek({ topic, partition, offset: String(next) });
    }
    consumer.resume([{ topic, partitions }]);
  });
}

interface TailProgress {
  readonly spans: readonly PartitionSpan[];
  /** Undefined after `take` stopped the tail: the consumer takes a moment to end. */
  take: TailRequest['take'] | undefined;
  readonly over: PromiseWithResolvers<undefined>;
}

async function takeBatch(payload: EachBatchPayload, progress: TailProgress): Promise<void> {
  const { batch } = payload;
  const { spans, over } = progress;
  const span = spans.find(({ partition }) => partition === batch.partition);
  for (const message of batch.messages) {
    if (progress.take === undefined || !payload.isRunning() || payload.isStale()) return;
    if (span === undefined || BigInt(message.offset) < span.next) continue;
    advance(span, message.offset);
    try {
      if (await progress.take(asRecord(batch.partition, message))) continue;
      over.resolve(undefined);
    } catch (error) {
      over.reject(error);
    }
    progress.take = undefined;
    return;
  }
  advance(span, batch.lastOffset());
}

/** Advances a partition past an offset; transaction markers take offsets too. */
function advance(span: PartitionSpan | undefined, offset: string): void {
  if (span === undefined) return;
  const after = BigInt(offset) + 1n;
  if (after > span.next) span.next = after;
}

function asRecord(partition: number, message: KafkaMessage): TailedRecord {
  const { offset, timestamp, key, value, headers = {} } = message;
  return {
    partition,
    offset,
    timestampMs: Number(timestamp),
    key: key === null ? null : key.toString('utf8'),
    value,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, content]) => [name, String(content)]),
    ),
  };
}
