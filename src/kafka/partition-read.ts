import type { ConsumerEndBatchProcessEvent, EachBatchPayload } from 'kafkajs';
import { DeadlineError } from './deadline.ts';

/** The last word on a key in one partition. */
export interface StateEntry {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
}

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
      for (const { key, value } of batch.messages) {
        if (key === null) continue;
        const text = key.toString('utf8');
        // A tombstone is no state.
        if (value === null) entries.delete(text);
        else entries.set(text, { key: text, partition: batch.partition, value });
      }
    },
    // Transaction markers take offsets: the end is known from the batch, not from its records.
    onBatch({ payload }) {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      if (payload.offsetLag !== '0' && BigInt(payload.lastOffset) < end - 1n) return;
      finish.resolve(undefined);
    },
    entries: () => [...entries.values()],
    stop() {
      clearTimeout(timer);
    },
  };
}
