import { setTimeout as sleep } from 'node:timers/promises';
import { RetryError } from '../../engine/errors.ts';
import { openConnection, type Connection } from '../client/connection.ts';
import { isTransient, translate } from '../client/errors.ts';
import type { StateEntry } from './partition-read.ts';
import type { KafkaBase } from '../shared.ts';
import { OpenTransactionError, StateTopicReader } from './topic-reader.ts';

/** A reader of the state topic with one client, which is replaced after an error. */
export interface StateReader extends AsyncDisposable {
  /**
   * Reads a partition to a proven end; see `KafkaShared.readState`.
   *
   * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`, the signal's reason
   */
  read(partition: number, end: bigint | 'now', signal: AbortSignal): Promise<readonly StateEntry[]>;
  /** Starts to connect, so that the first read does not wait for it. Never throws. */
  prepare(): void;
}

/** Lower bound of the stall limit: a join may take longer than the broker's initial rebalance delay. */
const minStallMs = 15_000;
/** Maximum attempts of a read: a broker that has just started still loads its coordinator. */
const maxAttempts = 6;
const pauseMs = 300;

interface OpenReader {
  readonly connection: Connection;
  readonly topic: StateTopicReader;
}

/** Creates the reader, which connects on demand. */
export function createStateReader(shared: KafkaBase): StateReader {
  const { options, dependencies } = shared;
  let current: OpenReader | undefined;
  let closed = false;
  const open = (): OpenReader => {
    const connection = openConnection(options, dependencies);
    const layout = shared.layout();
    const reader = new StateTopicReader(connection, {
      topic: layout.topic('state').name,
      partitions: layout.statePartitions,
      groupPrefix: options.transactionalIdPrefix,
      stallMs: Math.max(minStallMs, options.sendDeadlineMs),
      closeLimitMs: () => dependencies.shutdown.leftMs('reader'),
    });
    return (current = { connection, topic: reader });
  };
  const discard = async (reader: OpenReader): Promise<void> => {
    if (current === reader) current = undefined;
    await reader.topic.close();
  };
  return {
    prepare() {
      void (current ?? open()).topic.join().catch(() => undefined);
    },
    async read(partition, end, signal) {
      for (let attempt = 1; ; attempt += 1) {
        const reader = current ?? open();
        try {
          return await reader.topic.read(partition, end, signal);
        } catch (error) {
          signal.throwIfAborted();
          void discard(reader);
          if (closed || attempt === maxAttempts || !isRetryable(error, reader)) {
            throw translated(error, shared, reader);
          }
          await sleep(pauseMs, undefined, { signal });
        }
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      if (current !== undefined) await discard(current);
    },
  };
}

/** True when a new client may succeed; a RetryError marks a client that another read made unusable. */
function isRetryable(error: unknown, { connection }: OpenReader): boolean {
  if (error instanceof OpenTransactionError) return false;
  if (error instanceof RetryError) return true;
  return isTransient(error, connection.lastRejection());
}

function translated(
  error: unknown,
  { options, ...shared }: KafkaBase,
  { connection }: OpenReader,
): unknown {
  const topic = shared.layout().topic('state').name;
  if (error instanceof OpenTransactionError) return describeOpenTransaction(error, options.brokers);
  return translate(error, {
    options,
    doing: `reading ${topic}`,
    needs: [
      { operation: 'Read', resource: 'topic', name: topic },
      {
        operation: 'Read',
        resource: 'group',
        name: `${options.transactionalIdPrefix}-`,
        prefixed: true,
      },
    ],
    lastRejection: connection.lastRejection(),
  });
}

/** Describes an open transaction. States behind it are neither absent nor older (Invariant 2). */
function describeOpenTransaction(
  { topic, partition, stableOffset, stallMs }: OpenTransactionError,
  brokers: readonly string[],
): RetryError {
  const tool = `kafka-transactions.sh --bootstrap-server ${brokers.join(',')}`;
  const place = `--topic ${topic} --partition ${String(partition)}`;
  return new RetryError(
    'kafka.unavailable',
    `Partition ${String(partition)} of ${topic} cannot be read to its end: another producer has held a ` +
      `transaction open at offset ${stableOffset} for ${String(stallMs)} ms, which hides every state ` +
      'committed after it. Nothing is published until it ends. The producer may be another program, or ' +
      'an instance with another KAFKA_TRANSACTIONAL_ID_PREFIX. To find it, run ' +
      `"${tool} describe-producers ${place}" (its CurrentTransactionStartOffset is ${stableOffset}) and ` +
      `"${tool} find-hanging ${place}". Stop it, or run ` +
      `"${tool} abort ${place} --start-offset ${stableOffset}".`,
  );
}
