import {
  DeadLetterError,
  isConnectorError,
  messageOf,
  RetryError,
  StopProcessError,
  StopStreamError,
} from '../core/errors.ts';
import { partitionOf } from '../core/partition.ts';
import type { StreamState } from '../core/state.ts';
import type { Publisher } from '../runtime/ports.ts';
import type { Need } from './acls.ts';
import { openConnection } from './connection.ts';
import { classify, translate, type FailureContext } from './errors.ts';
import { Lane, type Delivery, type LaneTools, type Outcome } from './lane.ts';
import type { KafkaOptions } from './options.ts';
import { placeFence, placeRecords, planSends, stateLimitBytes } from './sends.ts';
import type { KafkaShared } from './shared.ts';
import { openTransactionalProducer, SendError, type TransactionalProducer } from './transaction.ts';

/** A publisher whose partitions can be taken over before their state is read, and given up. */
export interface ClaimingPublisher extends Publisher, AsyncDisposable {
  /**
   * Takes a state partition over, so that no other producer can change it any more.
   *
   * @returns the end that a read of it must reach
   */
  claim(partition: number, signal: AbortSignal): Promise<bigint>;
  /** Lets the transaction in hand end and refuses what comes after, until it is claimed again. */
  release(partition: number): Promise<void>;
}

const closeLimitMs = 3000;

function transactionalIdOf(options: KafkaOptions, partition: number): string {
  return `${options.transactionalIdPrefix}-${String(partition)}`;
}

/** @param topics - what was being sent to; none while a producer is opened */
function contextOf(
  { options }: KafkaShared,
  partition: number,
  said: { readonly lastRefusal: string | undefined; readonly topics?: readonly string[] },
): FailureContext {
  const id = transactionalIdOf(options, partition);
  const topics = said.topics ?? [];
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
      ...topics.map((name): Need => ({ operation: 'Write', resource: 'topic', name })),
    ],
    lastRefusal: said.lastRefusal,
  };
}

/** Of several topics in one send, the broker does not say which it refuses; the next try finds out. */
function translateSend(
  error: unknown,
  at: {
    readonly shared: KafkaShared;
    readonly partition: number;
    readonly delivery: Pick<Delivery, 'records' | 'state'>;
  },
  lastRefusal: string | undefined,
): unknown {
  const { shared, partition, delivery } = at;
  const cause = error instanceof SendError ? error.cause : error;
  const topics =
    error instanceof SendError
      ? error.topics
      : [...new Set(delivery.records.map(({ topic }) => topic))];
  if (cause instanceof Error && classify(cause) === 'too-large') {
    return largestRejected(delivery, topics, cause);
  }
  const known = translate(cause, contextOf(shared, partition, { lastRefusal, topics }));
  const isVague =
    known instanceof StopProcessError &&
    known.code === 'kafka.unauthorized' &&
    error instanceof SendError &&
    topics.length > 1;
  return isVague ? new RetryError(known.code, known.message, { cause: known }) : known;
}

/** The error of a partition that the group gives to another instance, or may have by now. */
function notHeld({ options }: KafkaShared, partition: number): StopStreamError {
  return new StopStreamError(
    'kafka.fenced',
    `Partition ${partition} (${transactionalIdOf(options, partition)}) is not this instance's any ` +
      'more; the one that the group gives it to goes on from its state.',
  );
}

async function openProducer(
  shared: KafkaShared,
  partition: number,
): Promise<TransactionalProducer> {
  const { options, dependencies } = shared;
  // A producer opened late would fence the new owner.
  if (!shared.holds(partition)) throw notHeld(shared, partition);
  const connection = openConnection(options, dependencies);
  try {
    return await openTransactionalProducer(connection, shared.layout(), {
      transactionalId: transactionalIdOf(options, partition),
      transactionTimeoutMs: options.transactionTimeoutMs,
      // A transaction that the broker aborts by itself would look like one that was fenced.
      deadlineMs: Math.min(options.sendDeadlineMs, Math.floor(options.transactionTimeoutMs * 0.9)),
      compression: options.compression,
    });
  } catch (error) {
    throw translate(error, contextOf(shared, partition, { lastRefusal: connection.lastRefusal() }));
  }
}

/** The broker rejects a produce request, not a record: of its topic, only the largest can be meant. */
function largestRejected(
  { records, state }: Pick<Delivery, 'records' | 'state'>,
  topics: readonly string[],
  cause: Error,
): Error {
  if (topics.length > 1) {
    const message = `Kafka rejected a batch for ${topics.join(', ')} as too large (${cause.message}).`;
    return new RetryError('kafka.record-too-large', message, { cause });
  }
  const sent = records.filter((record) => record !== state && topics.includes(record.topic));
  const largest = sent.toSorted((left, right) => right.bytes - left.bytes)[0];
  if (largest === undefined) {
    const message = `Kafka refused the state ${state.key} as too large (${state.bytes} bytes).`;
    return new StopStreamError('kafka.record-too-large', message, { cause });
  }
  return new DeadLetterError(
    'kafka.record-too-large',
    `Kafka refused a batch for ${largest.topic} as too large (${cause.message}); its largest record, ` +
      `${largest.key}, weighs ${largest.bytes} bytes. Raise max.message.bytes of the topic.`,
    { path: largest.key, raw: largest.value?.toString('base64') ?? '' },
  );
}

/** What the lane of a state partition works with. */
export function createTools(shared: KafkaShared, partition: number): LaneTools {
  const { telemetry } = shared.dependencies;
  const part = partOf(partition);
  return {
    open: () => openProducer(shared, partition),
    plan: (records, by) => planSends(records, shared.layout(), by),
    fence: () => placeFence(partition, shared.layout(), shared.options.instance),
    async readBack(key, end, signal) {
      const entries = await shared.readState(partition, end, signal);
      return entries.find((entry) => entry.key === key)?.value;
    },
    translate: (error, delivery, lastRefusal) =>
      translateSend(error, { shared, partition, delivery }, lastRefusal),
    onTrouble(error) {
      const reason = messageOf(error);
      // A broker that finds a record too large is there.
      const isTooLarge = isConnectorError(error) && error.code === 'kafka.record-too-large';
      if (!isTooLarge) shared.health.down(part, reason);
      shared.dependencies.log('warn', 'a batch is tried again', { partition, reason });
    },
    onOutcome(outcome: Outcome, delivery, durationMs) {
      // A fenced lane has nothing to do with Kafka's health; a failed one is tried again later.
      if (outcome !== 'failed') shared.health.up(part);
      const records = delivery.records.length - 1;
      telemetry.report({ type: 'transaction', partition, records, outcome, durationMs });
    },
    onFenced(reason) {
      shared.fence(partition, reason);
    },
  };
}

/** Makes the publisher; lanes, and with them producers, come into being when they are needed. */
export function createPublisher(shared: KafkaShared): ClaimingPublisher {
  const lanes = new Map<number, Lane>();
  const openLane = (partition: number): Lane => {
    const lane = new Lane(createTools(shared, partition));
    lanes.set(partition, lane);
    return lane;
  };
  return {
    async publish(batch, signal) {
      const layout = shared.layout();
      const value = shared.dependencies.codec.encode(batch.state);
      const records = placeRecords(batch, value, layout);
      const state = records.at(-1);
      if (state === undefined) throw new Error('a batch always has its state');
      const partition = partitionOf(batch.account.id, layout.statePartitions);
      if (!shared.holds(partition)) throw notHeld(shared, partition);
      const lane = lanes.get(partition) ?? openLane(partition);
      const { sequence } = batch.state;
      const { codec } = shared.dependencies;
      const isPrevious = async (found: Buffer | undefined): Promise<boolean> => {
        const last = found === undefined ? 0 : (await codec.decode(state.key, found)).sequence;
        return last === sequence - 1;
      };
      await lane.deliver({ records, state, isPrevious }, signal);
      reportSize(batch.state, value.length, shared);
    },
    async claim(partition, signal) {
      const lane = lanes.get(partition);
      const usable = lane === undefined || lane.isSpent ? openLane(partition) : lane;
      return await usable.claim(signal);
    },
    async release(partition) {
      await lanes.get(partition)?.close(closeLimitMs);
      shared.health.up(partOf(partition));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...lanes.values()].map((lane) => lane.close(closeLimitMs)));
    },
  };
}

function reportSize({ stream, accountId }: StreamState, bytes: number, shared: KafkaShared): void {
  const limitBytes = stateLimitBytes(shared.layout());
  const { telemetry } = shared.dependencies;
  telemetry.report({ type: 'state-size', stream, accountId, bytes, limitBytes });
}

function partOf(partition: number): string {
  return `partition ${partition}`;
}
