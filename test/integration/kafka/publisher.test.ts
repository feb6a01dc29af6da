import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigResourceTypes } from '../../support/kafka-library.ts';
import {
  createKafkaWorld,
  mediaBatch,
  mediaRecord,
  noSignal,
  restoreAll,
  type KafkaWorld,
} from '../../support/kafka-world.ts';

let world: KafkaWorld;

beforeEach(async () => {
  world = await createKafkaWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function setMaxBytes(name: string, bytes: number): Promise<void> {
  const admin = await world.openAdmin();
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: ConfigResourceTypes.TOPIC,
        name,
        configEntries: [{ name: 'max.message.bytes', value: String(bytes) }],
      },
    ],
  });
}

describe('publisher', () => {
  test('makes records and state visible together (Invariant 1)', async () => {
    const { publisher } = await world.openReady();

    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('m1')]), noSignal);

    const [record] = await world.read('media', 1);
    expect(record?.key).toBe('m1');
    expect(record?.value?.toString()).toBe('m1m1m1m1m1m1m1m1m1m1');
    expect(record?.headers).toEqual({ stream: 'media', account: '17841', poll: 'p1', schema: '1' });
    const [state] = await world.read('state', 1);
    expect(state?.key).toBe('media/17841');
    expect(state?.headers).toEqual({
      stream: 'media',
      account: '17841',
      partitions: '4',
      poll: 'p1',
    });
    expect(JSON.parse(String(state?.value))).toMatchObject({ accountId: '17841', sequence: 1 });
  });

  test('commits a state without records', async () => {
    const { publisher } = await world.openReady();
    await publisher.publish(mediaBatch('17841', 1, []), noSignal);
    expect(await world.read('state', 1)).toHaveLength(1);
    expect(await world.read('media', 0)).toEqual([]);
  });

  test('publishes every record of a batch with many produce requests once and in order', async () => {
    const { publisher } = await world.openReady();
    const keys = Array.from({ length: 3000 }, (_, index) => `m${String(index)}`);

    await publisher.publish(
      mediaBatch(
        '17841',
        1,
        keys.map((key) => mediaRecord(key, 700)),
      ),
      noSignal,
    );

    const records = await world.read('media', 3000);
    expect(records.map(({ key }) => key).sort()).toEqual([...keys].sort());
    for (const partition of [0, 1, 2]) {
      const inPartition = records.filter((record) => record.partition === partition);
      const numbers = inPartition.map(({ key }) => Number(key.slice(1)));
      expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
    }
  });

  test('commits concurrent batches of many accounts, each with its state', async () => {
    const { publisher } = await world.openReady();
    const ids = Array.from({ length: 20 }, (_, index) => `1784${String(index)}`);

    await Promise.all(
      ids.flatMap((id) => [
        publisher.publish(mediaBatch(id, 1, [mediaRecord(`${id}-a`)]), noSignal),
        publisher.publish(mediaBatch(id, 2, [mediaRecord(`${id}-b`)]), noSignal),
      ]),
    );

    expect(await world.read('media', 40)).toHaveLength(40);
    const last = new Map(
      (await world.read('state', 40)).map(({ key, value }) => [key, String(value)]),
    );
    expect(last.size).toBe(20);
    for (const value of last.values()) expect(JSON.parse(value)).toMatchObject({ sequence: 2 });
  });

  test('names the key of a record above max.message.bytes before any Produce request', async () => {
    const { publisher } = await world.openReady();
    const batch = mediaBatch('17841', 1, [mediaRecord('small'), mediaRecord('huge', 1_100_000)]);

    await expect(publisher.publish(batch, noSignal)).rejects.toMatchObject({
      disposition: 'dead-letter',
      code: 'kafka.record-too-large',
      path: 'huge',
    });
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('next')]), noSignal);

    expect((await world.read('media', 1)).map(({ key }) => key)).toEqual(['next']);
  });

  test('publishes no record of a batch when the broker rejects one as too large', async () => {
    const { publisher } = await world.openReady();
    await setMaxBytes(world.nameOf('media'), 2000);
    const records = Array.from({ length: 30 }, (_, index) => mediaRecord(`m${String(index)}`));
    const batch = mediaBatch('17841', 1, [...records, mediaRecord('large', 5000)]);

    await expect(publisher.publish(batch, noSignal)).rejects.toMatchObject({
      code: 'kafka.record-too-large',
      path: 'large',
    });
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('next')]), noSignal);

    expect((await world.read('media', 1)).map(({ key }) => key)).toEqual(['next']);
    expect(await world.read('state', 1)).toHaveLength(1);
  });

  test('names the state topic, not a record, when its max.message.bytes was lowered', async () => {
    const { publisher } = await world.openReady();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('m1')]), noSignal);
    await setMaxBytes(world.nameOf('state'), 300);
    const refused = await publisher
      .publish(mediaBatch('17841', 2, [mediaRecord('m2', 5000)]), noSignal)
      .catch((error: unknown) => error);

    expect(refused).toMatchObject({
      disposition: 'stop-stream',
      code: 'kafka.record-too-large',
      message: expect.stringMatching(
        new RegExp(
          `^The state media/17841 needs .*raise max.message.bytes of ${world.nameOf('state')}\\.$`,
        ),
      ),
    });
    expect((await world.read('media', 1)).map(({ key }) => key)).toEqual(['m1']);
  });

  test('splits a batch into smaller produce requests when max.message.bytes of a topic was lowered', async () => {
    const { publisher } = await world.openReady();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('m')]), noSignal);
    await setMaxBytes(world.nameOf('media'), 2000);
    const records = Array.from({ length: 30 }, (_, index) => mediaRecord(`m${String(index)}`, 500));
    await publisher.publish(mediaBatch('17841', 2, records), noSignal);

    expect(await world.read('media', 31)).toHaveLength(31);
  });

  test('sends nothing when the batch is aborted while it waits', async () => {
    const { publisher } = await world.openReady();
    const stop = new AbortController();
    stop.abort(new Error('stopping'));
    const batch = mediaBatch('17841', 1, [mediaRecord('m1')]);
    await expect(publisher.publish(batch, stop.signal)).rejects.toThrow('stopping');
    expect(await world.read('media', 0)).toEqual([]);
  });

  test('reports each transaction', async () => {
    const { publisher } = await world.openReady();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('m1')]), noSignal);
    expect(world.events).toContainEqual({
      type: 'dependency',
      name: 'kafka',
      ready: true,
      reason: '',
    });
    expect(world.events.slice(-2)).toMatchObject([
      { type: 'transaction', records: 1, outcome: 'committed' },
      { type: 'state-size', stream: 'media', accountId: '17841', limitBytes: 1_048_388 },
    ]);
  });
});

describe('two instances with the same transactional id prefix', () => {
  test("the second instance's acquire fences the first", async () => {
    const first = await world.openReady();
    await first.publisher.publish(mediaBatch('17841', 1, [mediaRecord('m1')]), noSignal);
    const second = await world.openReady();
    const restored = await restoreAll(second);
    expect(restored.get('media/17841')).toMatchObject({ kind: 'state', state: { sequence: 1 } });

    const late = mediaBatch('17841', 2, [mediaRecord('late')]);
    const fenced = { disposition: 'stop-stream', code: 'kafka.fenced' };
    await expect(first.publisher.publish(late, noSignal)).rejects.toMatchObject(fenced);
    await expect(first.publisher.publish(late, noSignal)).rejects.toMatchObject(fenced);
    await second.publisher.publish(mediaBatch('17841', 2, [mediaRecord('m2')]), noSignal);

    expect((await world.read('media', 2)).map(({ key }) => key).sort()).toEqual(['m1', 'm2']);
  });
});

describe('closed publisher', () => {
  test('rejects later batches and leaves no transaction open', async () => {
    const adapter = await world.openReady();
    await adapter.publisher.publish(mediaBatch('17841', 1, [mediaRecord('m1')]), noSignal);
    await adapter[Symbol.asyncDispose]();
    const batch = mediaBatch('17841', 2, [mediaRecord('m2')]);
    await expect(adapter.publisher.publish(batch, noSignal)).rejects.toMatchObject({
      code: 'kafka.unavailable',
    });
  });
});
