import {
  FailError,
  isClassifiedError,
  messageOf,
  RetryError,
  StopProcessError,
  StopStreamError,
} from '../../engine/errors.ts';
import type { Batch } from '../../engine/ports.ts';
import { topicName } from '../../engine/stream-name.ts';
import { needsOf } from '../client/acls.ts';
import { openConnection } from '../client/connection.ts';
import { classify, translate } from '../client/errors.ts';
import type { KafkaShared } from '../shared.ts';
import { recheckTopics } from '../topics.ts';
import {
  PartitionProducer,
  type BatchContent,
  type PartitionProducerDeps,
} from './partition-producer.ts';
import {
  placeRestoreMarker,
  placeRecords,
  planRequests,
  sizeProblem,
  stateLimitBytes,
  tooLarge,
} from './produce-requests.ts';
import {
  openTransactionalProducer,
  ProduceRequestError,
  type TransactionalProducer,
} from './transaction.ts';

/** A publisher whose partitions can be acquired before their state is read, and released. */
export type AcquiringPublisher = ReturnType<typeof createPublisher>;

function transactionalIdOf({ options }: KafkaShared, partition: number): string {
  return `${options.transactionalIdPrefix}-${String(partition)}`;
}

/** @param topics - topics of the failed Produce request; empty for InitProducerId */
function translateTransaction(
  error: unknown,
  shared: KafkaShared,
  partition: number,
  { topics, lastBrokerError }: { topics: readonly string[]; lastBrokerError: string | undefined },
): unknown {
  const { options, dependencies } = shared;
  const doing = `a transaction of ${transactionalIdOf(shared, partition)}`;
  return translate(error, {
    options,
    doing: topics.length === 0 ? doing : `${doing} to ${topics.join(', ')}`,
    needs: needsOf.transactions(options, topics),
    lastBrokerError,
    clockAheadMs: dependencies.clockAheadMs?.() ?? null,
  });
}

/**
 * Translates the error of a failed produce request. The broker does not identify the rejected topic
 * among several in one request; the next attempt sends one topic per request.
 */
async function translateFailure(
  error: unknown,
  shared: KafkaShared,
  partition: number,
  { records, lastBrokerError }: BatchContent & { readonly lastBrokerError: string | undefined },
): Promise<unknown> {
  const isOfRequest = error instanceof ProduceRequestError;
  const cause = isOfRequest ? error.cause : error;
  const topics = isOfRequest ? error.topics : [...new Set(records.map(({ topic }) => topic))];
  if (cause instanceof Error && classify(cause) === 'too-large') {
    return await tooLargeFor(topics, shared, records, cause);
  }
  const failure = { topics, lastBrokerError };
  const translated = translateTransaction(cause, shared, partition, failure);
  const isUnauthorized =
    translated instanceof StopProcessError && translated.code === 'kafka.unauthorized';
  return isUnauthorized && isOfRequest && topics.length > 1
    ? new RetryError(translated.code, translated.message, { cause: translated })
    : translated;
}

/** The error of a partition that the group assigns, or may have assigned, to another instance. */
function notOwned(shared: KafkaShared, partition: number): StopStreamError {
  return new StopStreamError(
    'kafka.fenced',
    `Partition ${partition} of ${topicName(shared.options.topicTemplate, 'state')} (transactional.id ` +
      `${transactionalIdOf(shared, partition)}) is not owned by this instance: it was reassigned, or ` +
      'no heartbeat was confirmed in time. Its owner continues from the committed state; no action ' +
      'is needed unless this repeats.',
  );
}

async function openProducer(
  shared: KafkaShared,
  partition: number,
): Promise<TransactionalProducer> {
  const { options, dependencies } = shared;
  // A producer opened late would fence the new owner.
  if (!shared.owns(partition)) throw notOwned(shared, partition);
  const connection = openConnection(options, dependencies);
  // Below the broker's limit: a transaction that the broker aborts by itself would look fenced.
  const throttledDeadlineMs = Math.floor(options.transactionTimeoutMs * 0.9);
  try {
    return await openTransactionalProducer(connection, shared.layout(), {
      transactionalId: transactionalIdOf(shared, partition),
      transactionTimeoutMs: options.transactionTimeoutMs,
      deadlineMs: Math.min(options.sendDeadlineMs, throttledDeadlineMs),
      throttledDeadlineMs,
      compression: options.compression,
      discardLimitMs: () => dependencies.shutdown.leftMs('producer'),
    });
  } catch (error) {
    const failure = { topics: [], lastBrokerError: connection.lastBrokerError() };
    throw translateTransaction(error, shared, partition, failure);
  }
}

/**
 * Returns the error of a record batch that a broker rejects as too large. The broker does not name
 * the record: `max.message.bytes` of the topics is read again, as an operator may have lowered it.
 */
async function tooLargeFor(
  topics: readonly string[],
  shared: KafkaShared,
  records: BatchContent['records'],
  cause: Error,
): Promise<Error> {
  const layout = shared.layout();
  const limits = () => topics.map((name) => layout.byName(name)?.maxBatchBytes ?? 0);
  const previousLimits = limits();
  // If the limits cannot be read again (no DescribeConfigs permission, or no response), assume that
  // the largest record is too large.
  await recheckTopics(shared, topics).catch(() => undefined);
  const bySize = records
    .filter(({ topic }) => topics.includes(topic))
    .toSorted((left, right) => right.bytes - left.bytes);
  for (const record of bySize) {
    const problem = sizeProblem(record, layout);
    if (problem !== null) return problem;
  }
  const isLowered = limits().some((limit, index) => limit < (previousLimits[index] ?? 0));
  const [largest] = bySize;
  const problem = `Kafka rejected a record batch for ${topics.join(', ')} as too large (${cause.message})`;
  if (isLowered || topics.length > 1 || largest === undefined) {
    const message = `${problem}; the next attempt sends it in smaller requests.`;
    return new RetryError('kafka.record-too-large', message, { cause });
  }
  const detail = `the largest record is ${largest.key}, of ${largest.bytes} bytes`;
  return tooLarge(largest, `${problem}; ${detail}`);
}

export function createPartitionProducer(shared: KafkaShared, partition: number): PartitionProducer {
  const { health, dependencies, options } = shared;
  const part = healthPart(partition);
  const deps: PartitionProducerDeps = {
    partition,
    shutdown: dependencies.shutdown,
    open: () => openProducer(shared, partition),
    plan: (records, by) => planRequests(records, shared.layout(), by),
    restoreMarker: () => placeRestoreMarker(partition, shared.layout(), options.instance),
    async readBack(key, end, signal) {
      const entries = await shared.readState(partition, end, signal);
      return entries.find((entry) => entry.key === key)?.value;
    },
    async translate(error, batch, lastBrokerError) {
      const failed = { ...batch, lastBrokerError };
      const translated = await translateFailure(error, shared, partition, failed);
      // A FailError is not retried at once, and its cause affects every batch.
      if (translated instanceof FailError) health.down(part, translated.message);
      return translated;
    },
    onRetry(error) {
      const reason = messageOf(error);
      // The broker expired the idle producer's id; its replacement causes no outage.
      const isExpected = error instanceof Error && classify(error.cause) === 'forgotten';
      // A broker that rejects a record as too large is available.
      const isTooLarge = isClassifiedError(error) && error.code === 'kafka.record-too-large';
      if (!isExpected && !isTooLarge) health.down(part, reason);
      const level = isExpected ? 'info' : 'warn';
      dependencies.log(level, 'retrying a batch', { partition, reason });
    },
    onResult(outcome, batch, durationMs) {
      // A fenced producer proves that Kafka responds; only a failed batch leaves the part down.
      if (outcome !== 'failed') health.up(part);
      // Without the state.
      const records = batch.records.length - 1;
      const { telemetry } = dependencies;
      telemetry.report({ type: 'transaction', partition, records, outcome, durationMs });
    },
    onFenced(reason) {
      shared.onFenced(partition, reason);
    },
  };
  return new PartitionProducer(deps);
}

/** Creates the publisher; partition producers and their producers are created on demand. */
export function createPublisher(shared: KafkaShared) {
  const { codec, telemetry } = shared.dependencies;
  const producers = new Map<number, PartitionProducer>();
  const openPartitionProducer = (partition: number): PartitionProducer => {
    const producer = createPartitionProducer(shared, partition);
    producers.set(partition, producer);
    return producer;
  };
  return {
    async publish(batch: Batch, signal: AbortSignal): Promise<void> {
      const layout = shared.layout();
      const { stream, accountId, sequence } = batch.state;
      const value = codec.encode(batch.state);
      const records = placeRecords(batch, value, layout);
      const state = records.at(-1);
      if (state === undefined) throw new Error('a batch has no state record');
      const { partition } = state;
      if (!shared.owns(partition)) throw notOwned(shared, partition);
      const producer = producers.get(partition) ?? openPartitionProducer(partition);
      const isPrevious = async (found: Buffer | undefined): Promise<boolean> => {
        const last = found === undefined ? 0 : (await codec.decode(state.key, found)).sequence;
        return last === sequence - 1;
      };
      await producer.commit({ records, state, isPrevious }, signal);
      const size = { bytes: value.length, limitBytes: stateLimitBytes(layout) };
      telemetry.report({ type: 'state-size', stream, accountId, ...size });
    },
    /** Acquires a state partition from every earlier producer; returns the offset that a read must reach. */
    async acquire(partition: number, signal: AbortSignal): Promise<bigint> {
      const current = producers.get(partition);
      const isUsable = current !== undefined && !current.isEnded;
      return await (isUsable ? current : openPartitionProducer(partition)).acquire(signal);
    },
    /** Waits for the current transaction; rejects later batches until the partition is acquired again. */
    async release(partition: number): Promise<void> {
      await producers.get(partition)?.close();
      shared.health.up(healthPart(partition));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([...producers.values()].map((producer) => producer.close()));
    },
  };
}

function healthPart(partition: number): string {
  return `partition ${partition}`;
}
