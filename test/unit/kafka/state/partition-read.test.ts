import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConsumerEndBatchProcessEvent, EachBatchPayload } from 'kafkajs';
import {
  createPartitionRead,
  type PartitionRead,
} from '../../../../src/kafka/state/topic-reader.ts';

let read: PartitionRead;

afterEach(() => {
  read.stop();
});

/** What kafkajs reports of a batch; its lag counts from the high watermark of the broker that answered. */
function endOf(lastOffset: string, offsetLag: string): ConsumerEndBatchProcessEvent {
  const payload = { partition: 0, lastOffset, offsetLag };
  return { payload } as unknown as ConsumerEndBatchProcessEvent;
}

async function isDone(): Promise<boolean> {
  return Promise.race([read.done.then(() => true), turn().then(() => false)]);
}

describe('PartitionRead', () => {
  test('continues when a broker with an old high watermark reports no lag before the end offset (Invariant 2)', async () => {
    read = createPartitionRead('partition 0 of t.state', 100n, 60_000);
    read.onBatch(endOf('96', '0'));
    expect(await isDone()).toBe(false);
    read.onBatch(endOf('99', '0'));
    expect(await isDone()).toBe(true);
  });

  test('ends at its end offset when the partition has grown since', async () => {
    read = createPartitionRead('partition 0 of t.state', 100n, 60_000);
    read.onBatch(endOf('101', '40'));
    expect(await isDone()).toBe(true);
  });

  test('keeps the last value of each key and the partition count of its writer', () => {
    read = createPartitionRead('partition 0 of t.state', 100n, 60_000);
    const message = (key: string, value: string | null, partitions?: string) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: partitions === undefined ? {} : { partitions: Buffer.from(partitions) },
    });
    const messages = [
      message('media/1', 'old'),
      message('media/2', 'gone'),
      message('media/2', null),
      message('media/1', 'new', '12'),
      message('media/3', 'odd', 'twelve'),
      message('fence', null),
    ];
    read.collect({ batch: { partition: 0, messages } } as unknown as EachBatchPayload);
    expect(read.entries()).toEqual([
      { key: 'media/1', partition: 0, value: Buffer.from('new'), partitionCount: 12 },
      { key: 'media/3', partition: 0, value: Buffer.from('odd') },
    ]);
  });
});
