import {
  FailError,
  isConnectorError,
  messageOf,
  RetryError,
  StopProcessError,
  StopStreamError,
} from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import type { StreamState } from '../../engine/state.ts';
import type { Publisher } from '../../engine/ports.ts';
import type { RequiredPermission } from '../client/acls.ts';
import { openConnection } from '../client/connection.ts';
import { classify, translate, type FailureContext } from '../client/errors.ts';
import {
  PartitionProducer,
  type ProducerBatch,
  type PartitionProducerDeps,
  type TransactionOutcome,
} from './partition-producer.ts';
import type { KafkaOptions } from '../options.ts';
import {
  placeFence,
  placeRecords,
  planRequests,
  sizeProblem,
  stateLimitBytes,
  tooLarge,
} from './produce-requests.ts';
import type { KafkaShared } from '../shared.ts';
import { recheckTopics } from '../topics.ts';
import { openTransactionalProducer, SendError, type TransactionalProducer } from './transaction.ts';

/** A publisher whose partitions can be acquired before their state is read, and released. */
export interface AcquiringPublisher extends Publisher, AsyncDisposable {
  /**
   * Acquires a state partition: no earlier producer can change it any more.
   *
   * @returns the offset that a read of the partition must reach
   */
  acquire(partition: number, signal: AbortSignal): Promise<bigint>;
  /** Waits for the current transaction and rejects later batches until the partition is acquired again. */
  release(partition: number): Promise<void>;
}

function transactionalIdOf(options: KafkaOptions, partition: number): string {
  return `${options.transactionalIdPrefix}-${String(partition)}`;
}

/** @param failure - its `topics` are those of the produce request; none while a producer is opened */
function contextOf(
  { options, dependencies }: KafkaShared,
  partition: number,
  failure: { readonly lastRejection: string | undefined; readonly topics?: readonly string[] },
): FailureContext {
  const id = transactionalIdOf(options, partition);
  const topics = failure.topics ?? [];
  return {
    options,
    doing: `a transaction of ${id}${topics.length === 0 ? '' : ` to ${topics.join(', ')}`}`,
    needs: [
      {
        operation: 'Write',
        resource: 'transactional-id',
        name: `${options.transactionalIdPrefix}-`,
        prefixed: true,
      },
      ...topics.map((name): RequiredPermission => ({
        operation: 'Write',
        resource: 'topic',
        name,
      })),
    ],
    lastRejection: failure.lastRejection,
    clockAheadMs: dependencies.clockAheadMs?.() ?? null,
  };
}

interface FailedRequest {
  readonly shared: KafkaShared;
  readonly partition: number;
  readonly batch: Pick<ProducerBatch, 'records' | 'state'>;
}

/**
 * Translates the error of a failed produce request. The broker does not identify the rejected topic among
 * several in one request; the next attempt sends one topic per request.
 */
async function translateFailure(
  error: unknown,
  failed: FailedRequest,
  lastRejection: string | undefined,
): Promise<unknown> {
  const { shared, partition, batch } = failed;
  const cause = error instanceof SendError ? error.cause : error;
  const topics =
    error instanceof SendError
      ? error.topics
      : [...new Set(batch.records.map(({ topic }) => topic))];
  if (cause instanceof Error && classify(cause) === 'too-large') {
    return await tooLargeFor(topics, failed, cause);
  }
  const translated = translate(cause, contextOf(shared, partition, { lastRejection, topics }));
  const isVague =
    translated instanceof StopProcessError &&
    translated.code === 'kafka.unauthorized' &&
    error instanceof SendError &&
    topics.length > 1;
  return isVague
    ? new RetryError(translated.code, translated.message, { cause: translated })
    : translated;
}

/** The error of a partition that the group assigns, or may have assigned, to another instance. */
function notAssigned({ options }: KafkaShared, partition: number): StopStreamError {
  return new StopStreamError(
    'kafka.fenced',
    `Partition ${partition} (${transactionalIdOf(options, partition)}) no longer belongs to ` +
      'this instance; its new owner continues from the committed state.',
  );
}

async function openProducer(
  shared: KafkaShared,
  partition: number,
): Promise<TransactionalProducer> {
  const { options, dependencies } = shared;
  // A producer opened late would fence the new owner.
  if (!shared.holds(partition)) throw notAssigned(shared, partition);
  const connection = openConnection(options, dependencies);
  // Below the broker's limit: a transaction that the broker aborts by itself would look fenced.
  const limitMs = Math.floor(options.transactionTimeoutMs * 0.9);
  try {
    return await openTransactionalProducer(connection, shared.layout(), {
      transactionalId: transactionalIdOf(options, partition),
      transactionTimeoutMs: options.transactionTimeoutMs,
      deadlineMs: Math.min(options.sendDeadlineMs, limitMs),
      limitMs,
      compression: options.compression,
      discardLimitMs: () => dependencies.shutdown.leftMs('producer'),
    });
  } catch (error) {
    throw translate(
      error,
      contextOf(shared, partition, { lastRejection: connection.lastRejection() }),
    );
  }
}

/**
 * Returns the error of a batch that a broker rejects as too large. The broker does not identify the
 * record: `max.message.bytes` of the topics is read again, since an operator may have lowered it.
 */
async function tooLargeFor(
  topics: readonly string[],
  { shared, batch }: FailedRequest,
  cause: Error,
): Promise<Error> {
  const layout = shared.layout();
  const limits = () => topics.map((name) => layout.byName(name)?.maxBatchBytes ?? 0);
  const previousLimits = limits();
  // Without the permission to read it, or an answer, the largest record is the most likely cause.
  await recheckTopics(shared, topics).catch(() => undefined);
  const records = batch.records
    .filter(({ topic }) => topics.includes(topic))
    .toSorted((left, right) => right.bytes - left.bytes);
  const exceeding = records
    .map((record) => sizeProblem(record, layout))
    .find((one) => one !== null);
  if (exceeding !== undefined) return exceeding;
  const isLowered = limits().some((limit, index) => limit < (previousLimits[index] ?? 0));
  const [largest] = records;
  if (isLowered || topics.length > 1 || largest === undefined) {
    const message = `Kafka refused a batch for ${topics.join(', ')} as too large (${cause.message}); the next attempt sends it in smaller requests.`;
    return new RetryError('kafka.record-too-large', message, { cause });
  }
  const problem = `Kafka refused a batch for ${largest.topic} as too large (${cause.message})`;
  return tooLarge(
    largest,
    `${problem}; the largest record is ${largest.key}, of ${largest.bytes} bytes`,
  );
}

/** Creates the dependencies of the partition producer of a state partition. */
export function createProducerDeps(shared: KafkaShared, partition: number): PartitionProducerDeps {
  const { telemetry, shutdown } = shared.dependencies;
  const part = healthPart(partition);
  return {
    shutdown,
    open: () => openProducer(shared, partition),
    plan: (records, by) => planRequests(records, shared.layout(), by),
    fence: () => placeFence(partition, shared.layout(), shared.options.instance),
    async readBack(key, end, signal) {
      const entries = await shared.readState(partition, end, signal);
      return entries.find((entry) => entry.key === key)?.value;
    },
    async translate(error, batch, lastRejection) {
      const translated = await translateFailure(error, { shared, partition, batch }, lastRejection);
      // Not retried at once, and it affects every batch.
      if (translated instanceof FailError) shared.health.down(part, translated.message);
      return translated;
    },
    onRetry(error) {
      const reason = messageOf(error);
      // The broker expired the idle producer's id; its replacement causes no outage.
      const isExpected = error instanceof Error && classify(error.cause) === 'forgotten';
      // A broker that rejects a record as too large is available.
      const isTooLarge = isConnectorError(error) && error.code === 'kafka.record-too-large';
      if (!isExpected && !isTooLarge) shared.health.down(part, reason);
      const level = isExpected ? 'info' : 'warn';
      shared.dependencies.log(level, 'a batch is tried again', { partition, reason });
    },
    onOutcome(outcome: TransactionOutcome, batch, durationMs) {
      // Fencing does not concern Kafka's health; a failed batch is retried later.
      if (outcome !== 'failed') shared.health.up(part);
      const records = batch.records.length - 1;
      telemetry.report({ type: 'transaction', partition, records, outcome, durationMs });
    },
    onFenced(reason) {
      shared.fence(partition, reason);
    },
  };
}

/** Creates the publisher; partition producers and their producers are created on demand. */
export function createPublisher(shared: KafkaShared): AcquiringPublisher {
  const partitionProducers = new Map<number, PartitionProducer>();
  const openPartitionProducer = (partition: number): PartitionProducer => {
    const partitionProducer = new PartitionProducer(createProducerDeps(shared, partition));
    partitionProducers.set(partition, partitionProducer);
    return partitionProducer;
  };
  return {
    async publish(batch, signal) {
      const layout = shared.layout();
      const value = shared.dependencies.codec.encode(batch.state);
      const records = placeRecords(batch, value, layout);
      const state = records.at(-1);
      if (state === undefined) throw new Error('a batch always has its state');
      const partition = partitionOf(batch.account.id, layout.statePartitions);
      if (!shared.holds(partition)) throw notAssigned(shared, partition);
      const partitionProducer =
        partitionProducers.get(partition) ?? openPartitionProducer(partition);
      const { sequence } = batch.state;
      const { codec } = shared.dependencies;
      const isPrevious = async (found: Buffer | undefined): Promise<boolean> => {
        const last = found === undefined ? 0 : (await codec.decode(state.key, found)).sequence;
        return last === sequence - 1;
      };
      await partitionProducer.commit({ records, state, isPrevious }, signal);
      reportSize(batch.state, value.length, shared);
    },
    async acquire(partition, signal) {
      const partitionProducer = partitionProducers.get(partition);
      const producer =
        partitionProducer === undefined || partitionProducer.isEnded
          ? openPartitionProducer(partition)
          : partitionProducer;
      return await producer.acquire(signal);
    },
    async release(partition) {
      await partitionProducers.get(partition)?.close();
      shared.health.up(healthPart(partition));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...partitionProducers.values()].map((partitionProducer) => partitionProducer.close()),
      );
    },
  };
}

function reportSize({ stream, accountId }: StreamState, bytes: number, shared: KafkaShared): void {
  const limitBytes = stateLimitBytes(shared.layout());
  const { telemetry } = shared.dependencies;
  telemetry.report({ type: 'state-size', stream, accountId, bytes, limitBytes });
}

function healthPart(partition: number): string {
  return `partition ${partition}`;
}
