import { setTimeout as sleep } from 'node:timers/promises';
import { RetryError } from '../../engine/errors.ts';
import { needsOf } from '../client/acls.ts';
import { openConnection } from '../client/connection.ts';
import { isTransient, translate } from '../client/errors.ts';
import type { KafkaBase, KafkaShared } from '../shared.ts';
import { type OpenTransaction, OpenTransactionError, StateTopicReader } from './topic-reader.ts';

/** A reader of the state topic with one client, which is replaced after an error. */
export interface StateReader extends AsyncDisposable {
  /** Reads a partition to a proven end. @throws errors of `translate`, the signal's reason */
  readonly read: KafkaShared['readState'];
  /** Starts to connect, so that the first read does not wait for it. Never throws. */
  prepare(): void;
}

/** Lower bound of the stall limit: a join may take longer than the broker's initial rebalance delay. */
const minStallMs = 15_000;
/** Maximum attempts of a read: a broker that has just started still loads its coordinator. */
const maxAttempts = 6;
const pauseMs = 300;

/** Creates the reader, which connects on demand. */
export function createStateReader(shared: KafkaBase): StateReader {
  const { options, dependencies } = shared;
  let current: StateTopicReader | undefined;
  let closed = false;
  const open = (): StateTopicReader => {
    const layout = shared.layout();
    return (current = new StateTopicReader(openConnection(options, dependencies), {
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
    prepare() {
      void (current ?? open()).join().catch(() => undefined);
    },
    async read(partition, end, signal) {
      for (let attempt = 1; ; attempt += 1) {
        const reader = current ?? open();
        try {
          return await reader.read(partition, end, signal);
        } catch (error) {
          signal.throwIfAborted();
          void discard(reader);
          const lastRejection = reader.lastRejection();
          if (closed || attempt === maxAttempts || !isRetryable(error, lastRejection)) {
            throw translated(error, shared, lastRejection);
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
function isRetryable(error: unknown, lastRejection: string | undefined): boolean {
  if (error instanceof OpenTransactionError) return false;
  return error instanceof RetryError || isTransient(error, lastRejection);
}

function translated(
  error: unknown,
  { options, layout }: KafkaBase,
  lastRejection: string | undefined,
): unknown {
  if (error instanceof OpenTransactionError) {
    return describeOpenTransaction(error.open, options.brokers);
  }
  const topic = layout().topic('state').name;
  const needs = needsOf.reading(options, topic);
  return translate(error, { options, doing: `reading ${topic}`, needs, lastRejection });
}

/** Describes an open transaction. States behind it are neither absent nor older (Invariant 2). */
function describeOpenTransaction(
  { topic, partition, stableOffset, stallMs }: OpenTransaction,
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
