import type { ConsumerEndBatchProcessEvent, EachBatchPayload } from 'kafkajs';
import { DeadlineError } from '../client/deadline.ts';

/** The last value of a key in one partition. */
export interface StateEntry {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
  /** The topic's partition count as its writer knew it; undefined where the writer did not say. */
  readonly partitionCount?: number | undefined;
}

/** The header of a state that holds the topic's number of partitions. */
export const partitionCountHeader = 'partitions';

/** One partition on its way to its end. */
export interface PartitionRead {
  /** Resolves at the end; rejects when the broker brings nothing new for too long. */
  readonly done: Promise<undefined>;
  collect(payload: EachBatchPayload): void;
  onBatch(event: ConsumerEndBatchProcessEvent): void;
  entries(): readonly StateEntry[];
  stop(): void;
}

/**
 * @param what - for the error
 * @param end - the offset after the last one
 */
export function createPartitionRead(what: string, end: bigint, stallMs: number): PartitionRead {
  const finish = Promise.withResolvers<undefined>();
  const entries = new Map<string, StateEntry>();
  const stalled = (): void => {
    finish.reject(new DeadlineError(`reading ${what} stood still for ${stallMs} ms`));
  };
  let timer = setTimeout(stalled, stallMs);
  return {
    done: finish.promise,
    collect({ batch }) {
      for (const { key, value, headers } of batch.messages) {
        if (key === null) continue;
        const text = key.toString('utf8');
        // A tombstone is no state.
        if (value === null) entries.delete(text);
        else {
          const partitionCount = readCount(headers?.[partitionCountHeader]);
          // A copy: kafkajs' value is a view that keeps the fetched megabyte around it in memory.
          const own = Buffer.from(value);
          entries.set(text, { key: text, partition: batch.partition, value: own, partitionCount });
        }
      }
    },
    // Transaction markers take offsets: the end is known from the batch, not from its records. A
    // lag of 0 is no end: a deposed leader or a follower answers with its own, old high watermark.
    onBatch({ payload }) {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      if (BigInt(payload.lastOffset) >= end - 1n) finish.resolve(undefined);
    },
    entries: () => [...entries.values()],
    stop() {
      clearTimeout(timer);
    },
  };
}

/** Undefined where another program has written something else. */
function readCount(header: unknown): number | undefined {
  const text = Buffer.isBuffer(header) ? header.toString('utf8') : '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
