import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Connection } from '../../../../src/kafka/client/connection.ts';
import { StateTopicReader } from '../../../../src/kafka/state/topic-reader.ts';

type Listener = (event: unknown) => void;

interface Batch {
  readonly keys: readonly string[];
  readonly lastOffset: number;
}

/** kafkajs with a topic of one partition and ten offsets, whose batches come when a test says so. */
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
