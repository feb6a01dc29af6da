import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConsumerEndBatchProcessEvent, EachBatchPayload } from 'kafkajs';
import type { Connection } from '../../../../src/kafka/client/connection.ts';
import {
  createPartitionRead,
  type PartitionRead,
  StateTopicReader,
} from '../../../../src/kafka/state/topic-reader.ts';

type Listener = (event: unknown) => void;

interface Batch {
  readonly keys: readonly string[];
  readonly lastOffset: number;
}

/** kafkajs with a topic of one partition and ten offsets, whose batches the test delivers. */
function openFake() {
  const listeners = new Map<string, Listener>();
  let eachBatch: (payload: unknown) => Promise<void> = () => Promise.resolve();
  const nothing = () => Promise.resolve();
  const consumer = {
    on: (name: string, listener: Listener) => listeners.set(name, listener),
    connect: nothing,
    disconnect: nothing,
    subscribe: nothing,
    run(options: { readonly eachBatch: typeof eachBatch }) {
      ({ eachBatch } = options);
      listeners.get('consumer.group_join')?.({});
      return Promise.resolve();
    },
    pause: () => undefined,
    resume: () => undefined,
    seek: () => undefined,
  };
  const admin = {
    connect: nothing,
    disconnect: nothing,
    deleteGroups: nothing,
    fetchTopicOffsets: () => Promise.resolve([{ partition: 0, low: '0', high: '10' }]),
  };
  const kafka = { admin: () => admin, consumer: () => consumer };
  const connection = { kafka, destroy: () => undefined } as unknown as Connection;
  const options = {
    brokers: ['broker:9092'],
    topic: 't.state',
    partitions: 1,
    groupPrefix: 'test',
    stallMs: 1000,
    closeLimitMs: () => 1000,
  };
  return {
    reader: new StateTopicReader(connection, options),
    handle: ({ keys }: Batch) => {
      const messages = keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from('state') }));
      return eachBatch({ batch: { partition: 0, messages } });
    },
    end: ({ lastOffset }: Batch) => {
      const payload = { partition: 0, offsetLag: '1', lastOffset: String(lastOffset) };
      listeners.get('consumer.end_batch_process')?.({ payload });
    },
  };
}

const first: Batch = { keys: ['a', 'b'], lastOffset: 5 };
const last: Batch = { keys: ['c'], lastOffset: 9 };
const never = new AbortController().signal;

describe('StateTopicReader', () => {
  test('reads a partition batch by batch to its end, any number of times', async () => {
    const { reader, handle, end } = openFake();
    for (let round = 0; round < 2; round += 1) {
      const reading = reader.read(0, 'now', never);
      await turn();
      for (const batch of [first, last]) {
        await handle(batch);
        end(batch);
      }
      expect((await reading).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    }
  });

  test('rejects a read when late batches of an aborted read arrive, because they would end it early', async () => {
    const { reader, handle, end } = openFake();
    const given = new AbortController();
    const up = reader.read(0, 'now', given.signal);
    await turn();
    await handle(first);
    end(first);
    await handle(last);
    given.abort(new Error('given up'));
    await expect(up).rejects.toThrow('given up');

    const again = reader.read(0, 'now', never);
    const settled = again.then(
      (entries) => entries.map(({ key }) => key),
      (error: unknown) => error,
    );
    await turn();
    end(last);

    expect(await settled).toMatchObject({ code: 'kafka.unavailable', disposition: 'retry' });
  });

  test('reads after a read whose signal was already aborted', async () => {
    const { reader, handle, end } = openFake();
    await expect(reader.read(0, 'now', AbortSignal.abort(new Error('early')))).rejects.toThrow(
      'early',
    );
    const reading = reader.read(0, 'now', never);
    await turn();
    await handle(last);
    end(last);
    expect((await reading).map(({ key }) => key)).toEqual(['c']);
  });
});

describe('PartitionRead', () => {
  let read: PartitionRead;

  afterEach(() => {
    read.stop();
  });

  /** The event of kafkajs after a batch; its lag counts from the high watermark of the broker that answered. */
  function endOf(lastOffset: string, offsetLag: string): ConsumerEndBatchProcessEvent {
    const payload = { partition: 0, lastOffset, offsetLag };
    return { payload } as unknown as ConsumerEndBatchProcessEvent;
  }

  async function isDone(): Promise<boolean> {
    return Promise.race([read.done.then(() => true), turn().then(() => false)]);
  }

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
