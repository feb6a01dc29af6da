import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { emptyCheckpoint, stateKey } from '../../../../src/engine/state.ts';
import { createLayout, type KafkaShared, type StateEntry } from '../../../../src/kafka/shared.ts';
import type { AcquiringPublisher } from '../../../../src/kafka/producer/publisher.ts';
import { checkKeyFormat, createStateStore, placeOf } from '../../../../src/kafka/state/store.ts';

const partitions = 2;
const statesEach = 10;
const noSignal = new AbortController().signal;

function entriesOf(partition: number): readonly StateEntry[] {
  const keys = Array.from({ length: 200 }, (_, id) => stateKey('media', String(id)))
    .filter((key) => placeOf(key, partitions) === partition)
    .slice(0, statesEach);
  const value = Buffer.alloc(100);
  return keys.map((key) => ({ key, partition, value, partitionCount: partitions }));
}

/** A store of two partitions with ten states each; decoding a state takes `decodeMs`. */
function setUp(decodeMs: number) {
  const decoded: number[] = [];
  const state = { name: 't.state', leaders: [1, 1], maxBatchBytes: 1000 };
  const shared = {
    dependencies: {
      codec: {
        decode(key: string) {
          const untilMs = performance.now() + decodeMs;
          while (performance.now() < untilMs);
          decoded.push(placeOf(key, partitions) ?? -1);
          const accountId = key.split('/')[1] ?? '';
          const rest = { sequence: 1, writtenAtMs: 0, writtenBy: 'test' };
          return Promise.resolve({ ...emptyCheckpoint, stream: 'media', accountId, ...rest });
        },
      },
    },
    health: { up: () => undefined, down: () => undefined },
    layout: () => createLayout('t.{stream}', [state]),
    readState: (partition: number) => Promise.resolve(entriesOf(partition)),
  } as unknown as KafkaShared;
  const publisher = { acquire: () => Promise.resolve(1n) } as unknown as AcquiringPublisher;
  return { decoded, store: createStateStore(shared, publisher) };
}

describe('the format of keys', () => {
  const state = { name: 't.state', leaders: [1], maxBatchBytes: 1000 };
  const written = (keyFormat?: 'avro' | 'string'): readonly StateEntry[] => [
    { key: 'media/17', partition: 0, value: Buffer.alloc(1), ...(keyFormat && { keyFormat }) },
  ];

  test.each([
    ['string', undefined],
    ['string', 'string'],
    ['avro', 'avro'],
  ] as const)('is accepted when it is %s and the states were written with %s', (ours, theirs) => {
    const layout = createLayout('t.{stream}', [state], ours);
    expect(() => {
      checkKeyFormat(written(theirs), layout);
    }).not.toThrow();
  });

  test.each([
    ['avro', undefined, 'string'],
    ['string', 'avro', 'avro'],
  ] as const)('is rejected when it is %s and a state was written with %s', (ours, theirs, was) => {
    const layout = createLayout('t.{stream}', [state], ours);
    expect(() => {
      checkKeyFormat(written(theirs), layout);
    }).toThrow(
      `KAFKA_KEY_FORMAT is ${ours}, and the records of media/17 were published with keys of the ` +
        `format ${was}. No record was published; subjects of keys may have been registered. Set ` +
        `KAFKA_KEY_FORMAT=${was} again`,
    );
  });
});

describe('a restore', () => {
  test('yields to other work between states, and decodes one partition after another', async () => {
    const { decoded, store } = setUp(15);
    const loop = { turns: 0, isOver: false };
    const counting = (async () => {
      for (; !loop.isOver; loop.turns += 1) await setImmediate();
    })();

    await Promise.all([store.restore(0, noSignal), store.restore(1, noSignal)]);
    loop.isOver = true;
    await counting;

    // 20 states of 15 ms: at the latest after every second one.
    expect(loop.turns).toBeGreaterThanOrEqual(8);
    expect(decoded).toEqual([
      ...Array.from({ length: statesEach }, () => 0),
      ...Array.from({ length: statesEach }, () => 1),
    ]);
  });

  test('ends between two states when the partition is given up', async () => {
    const { decoded, store } = setUp(15);
    const stop = new AbortController();
    const restoring = store.restore(0, stop.signal);
    await setImmediate();
    stop.abort(new Error('given up'));

    await expect(restoring).rejects.toThrow('given up');
    expect(decoded.length).toBeLessThan(statesEach);
  });

  test('reports the size of each state and the limit of the topic', async () => {
    const { store } = setUp(0);
    const restored = await store.restore(0, noSignal);

    const sizes = [...restored.values()].map((one) => 'size' in one && one.size);
    expect(sizes).toHaveLength(statesEach);
    expect(sizes[0]).toEqual({ bytes: 100, limitBytes: 800 });
  });
});
