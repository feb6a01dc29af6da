import { describe, expect, test } from '@jest/globals';
import { apiKeys } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal, restoreAll } from '../support/kafka-world.ts';
import type { FaultWorld } from './fault-world.ts';
import { createFaultWorld, expectOnce, publishAtLast } from './fault-world.ts';

const batchOf = (sequence: number, key: string) =>
  mediaBatch('17841', sequence, [mediaRecord(key)]);

describe('a broker that dies', () => {
  test('loses and repeats nothing at any step of a batch', async () => {
    await using world = await createFaultWorld({ env: {} });
    const { publisher } = await world.openFaulty();
    const keys = ['first'];
    await publisher.publish(batchOf(1, 'first'), noSignal);
    for (const [step, apiKey, fault] of [
      ['adding-partitions', apiKeys.addPartitionsToTxn, 'hold-request'],
      ['sending', apiKeys.produce, 'hold-request'],
      ['sent', apiKeys.produce, 'hold-response'],
      ['committing', apiKeys.endTxn, 'hold-request'],
      ['committed', apiKeys.endTxn, 'hold-response'],
    ] as const) {
      const held = world.proxy.inject(apiKey, fault);
      keys.push(step);
      const publishing = publishAtLast(publisher, batchOf(keys.length, step));
      await held.met;
      await world.cluster.broker.kill();
      await world.cluster.broker.start();
      await publishing;
      keys.push(`after-${step}`);
      await publishAtLast(publisher, batchOf(keys.length, `after-${step}`));
    }
    await expectOnce(world, keys);
  }, 180_000);

  test('loses and repeats nothing when the coordinator of the transactions has gone', async () => {
    await using world = await createFaultWorld({ env: {}, brokers: 3 });
    const topics = { ...world.options.topics, partitions: 6, replicationFactor: 3 };
    const { publisher } = await world.openFaulty({ topics });
    const published = await publishWhile(world, publisher, async () => {
      for (const broker of [0, 1, 2]) {
        await world.cluster.broker.kill(broker);
        await world.cluster.broker.start(broker);
      }
    });

    // The next instance's claim waits until the markers of every commit are written.
    const next = await world.openReady({ topics });
    const restored = await restoreAll(next);
    expect(restored.get('media/17841')).toMatchObject({ state: { sequence: published.batches } });
    const read = (await world.read('media', published.keys.length)).map(({ key }) => key);
    expect(read.sort()).toEqual([...published.keys].sort());
  }, 180_000);

  test('stands still for a while and loses nothing', async () => {
    await using world = await createFaultWorld({ env: {} });
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 1000 });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await world.cluster.broker.pause();
    await expect(publisher.publish(batchOf(2, 'b'), noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
    });
    await world.cluster.broker.resume();
    await publishAtLast(publisher, batchOf(2, 'b'));
    await publishAtLast(publisher, batchOf(3, 'c'));
    await expectOnce(world, ['a', 'b', 'c']);
  }, 120_000);

  test('is named in an error that asks for another try when it cannot be reached', async () => {
    await using world = await createFaultWorld();
    const adapter = world.open({ brokers: ['127.0.0.1:1'] });
    await expect(adapter.prepareTopics(noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
      message: expect.stringContaining('127.0.0.1:1') as unknown,
    });
    expect(world.events).toEqual([
      expect.objectContaining({ type: 'dependency', name: 'kafka', ready: false }),
    ]);
  });
});

/** Publishes batches of five as fast as they go for as long as something else is done. */
async function publishWhile(
  world: FaultWorld,
  publisher: Awaited<ReturnType<FaultWorld['openFaulty']>>['publisher'],
  work: () => Promise<void>,
): Promise<{ readonly keys: readonly string[]; readonly batches: number }> {
  const keys: string[] = [];
  let last = false;
  let batches = 0;
  const publishAll = async (): Promise<void> => {
    while (!last) {
      batches += 1;
      const batch = [0, 1, 2, 3, 4].map((n) => `${String(batches)}-${String(n)}`);
      keys.push(...batch);
      const records = batch.map((key) => mediaRecord(key));
      await publishAtLast(publisher, mediaBatch('17841', batches, records));
    }
  };
  const publishing = publishAll();
  await work();
  last = true;
  await publishing;
  return { keys, batches };
}
