import type { ConsumerEndBatchProcessEvent, EachBatchPayload } from 'kafkajs';
import { DeadlineError } from '../client/deadline.ts';

/** The last value of a key in one partition. */
export interface StateEntry {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
  /** The topic's partition count as its writer knew it; undefined without the header. */
  readonly partitionCount?: number | undefined;
}

/** The header of a state that holds the topic's partition count. */
export const partitionCountHeader = 'partitions';

/** The read of one partition up to an end. */
export interface PartitionRead {
  /** Resolves at the end; rejects when no batch arrives for too long. */
  readonly done: Promise<undefined>;
  collect(payload: EachBatchPayload): void;
  onBatch(event: ConsumerEndBatchProcessEvent): void;
  entries(): readonly StateEntry[];
  stop(): void;
}

/**
 * Creates the read of a partition; its stall timer starts at once.
 *
 * @param description - the partition and topic, for the error
 * @param end - the offset after the last one
 */
export function createPartitionRead(
  description: string,
  end: bigint,
  stallMs: number,
): PartitionRead {
  const finish = Promise.withResolvers<undefined>();
  const entries = new Map<string, StateEntry>();
  const stall = (): void => {
    finish.reject(new DeadlineError(`reading ${description} stood still for ${stallMs} ms`));
  };
  let timer = setTimeout(stall, stallMs);
  return {
    done: finish.promise,
    collect({ batch }) {
      for (const { key, value, headers } of batch.messages) {
        if (key === null) continue;
        const text = key.toString('utf8');
        // A tombstone deletes the state.
        if (value === null) entries.delete(text);
        else {
          const partitionCount = readCount(headers?.[partitionCountHeader]);
          // A copy: the value of kafkajs is a view that keeps the whole fetched megabyte in memory.
          const copy = Buffer.from(value);
          entries.set(text, { key: text, partition: batch.partition, value: copy, partitionCount });
        }
      }
    },
    // Transaction markers take offsets, so the batch reports the end, not its records. A lag of 0 does
    // not prove the end: a deposed leader or a follower answers with its own, old high watermark.
    onBatch({ payload }) {
      clearTimeout(timer);
      timer = setTimeout(stall, stallMs);
      if (BigInt(payload.lastOffset) >= end - 1n) finish.resolve(undefined);
    },
    entries: () => [...entries.values()],
    stop() {
      clearTimeout(timer);
    },
  };
}

/** Reads the partition count of a header; returns undefined when another program wrote it. */
function readCount(header: unknown): number | undefined {
  const text = Buffer.isBuffer(header) ? header.toString('utf8') : '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
