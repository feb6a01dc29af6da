import type { RawRecord, RecordBatch } from './record-batch.ts';

/** A record that a `read_committed` reader sees, and what it does not show of it. */
export interface CommittedRecord extends RawRecord {
  /** Who wrote it: producer id and epoch. */
  readonly producer: string;
  /** When the marker of its transaction was written; its own time where it has none. */
  readonly committedMs: number;
}

/** A partition, read from its start, as its transactions left it. */
export interface PartitionLog {
  /** What is to be read next. */
  readonly nextOffset: bigint;
  /** By offset. */
  committed(): readonly CommittedRecord[];
  /** Records of transactions that are neither committed nor aborted yet. */
  open(): number;
  append(batches: readonly RecordBatch[]): void;
}

const COMMIT = 1;

/** Nothing read yet. */
export function createPartitionLog(): PartitionLog {
  let nextOffset = 0n;
  let sorted = true;
  const done: CommittedRecord[] = [];
  const pending = new Map<bigint, Omit<CommittedRecord, 'committedMs'>[]>();
  const end = ({ producerId, records: [marker] }: RecordBatch): void => {
    const records = pending.get(producerId) ?? [];
    pending.delete(producerId);
    if (marker?.key?.readInt16BE(2) !== COMMIT) return;
    done.push(...records.map((record) => ({ ...record, committedMs: marker.timestampMs })));
    sorted = false;
  };
  const take = (batch: RecordBatch): void => {
    const producer = `${batch.producerId}/${batch.producerEpoch}`;
    const records = batch.records.map((record) => ({ ...record, producer }));
    if (batch.isTransactional) {
      pending.set(batch.producerId, [...(pending.get(batch.producerId) ?? []), ...records]);
      return;
    }
    done.push(...records.map((record) => ({ ...record, committedMs: record.timestampMs })));
    sorted = false;
  };
  return {
    get nextOffset() {
      return nextOffset;
    },
    committed() {
      if (!sorted) done.sort((a, b) => Number(a.offset - b.offset));
      sorted = true;
      return done;
    },
    open: () => [...pending.values()].reduce((sum, records) => sum + records.length, 0),
    append(batches) {
      for (const batch of batches) {
        // A fetch begins with the whole batch in which its offset lies.
        if (batch.lastOffset < nextOffset) continue;
        if (batch.isControl) end(batch);
        else take(batch);
        nextOffset = batch.lastOffset + 1n;
      }
    },
  };
}
