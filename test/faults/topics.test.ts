import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiKeys, errorCodes } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal, restoreAll } from '../support/kafka-world.ts';
import { type FaultWorld, createFaultWorld, expectOnce, publishAtLast } from './fault-world.ts';

let world: FaultWorld;

beforeEach(async () => {
  world = await createFaultWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const batchOf = (sequence: number, key: string) =>
  mediaBatch('17841', sequence, [mediaRecord(key)]);

test.each(['unknownTopicOrPartition', 'leaderNotAvailable'] as const)(
  'publisher: waits for topics that were just created while a broker answers %s',
  async (answer) => {
    const refuse = { refuse: errorCodes[answer], stored: false };
    const limits = { times: 3, after: apiKeys.createTopics };
    const refused = world.proxy.inject(apiKeys.metadata, refuse, limits);

    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);

    expect(refused.count()).toBe(3);
    await expectOnce(world, ['a']);
  },
);

describe('topic deleted while the program runs', () => {
  test('is named while it is missing, and published to when it is back', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'before'), noSignal);
    const admin = await world.openAdmin();
    await admin.deleteTopics({ topics: [world.nameOf('media')] });

    await expect(publisher.publish(batchOf(2, 'a'), noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
      message: expect.stringContaining(world.nameOf('media')) as unknown,
    });
    await admin.createTopics({ topics: [{ topic: world.nameOf('media'), numPartitions: 3 }] });
    await publishAtLast(publisher, batchOf(2, 'a'));
    await publishAtLast(publisher, batchOf(3, 'b'));

    await expectOnce(world, ['a', 'b'], 3);
  });

  test('does not stop a batch of the other topics', async () => {
    const { publisher } = await world.openFaulty();
    const user = { ...mediaRecord('17841'), role: 'users' as const };
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a'), user]), noSignal);
    const admin = await world.openAdmin();
    await admin.deleteTopics({ topics: [world.nameOf('users')] });
    // A new connection requests the metadata of all topics that the client has ever used.
    world.proxy.cutAll();

    await publishAtLast(publisher, batchOf(2, 'b'));
    await publishAtLast(publisher, batchOf(3, 'c'));

    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('is published to again from the state in memory when it is the state topic', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const admin = await world.openAdmin();
    await admin.deleteTopics({ topics: [world.nameOf('state')] });
    await world.openReady();
    await publishAtLast(publisher, batchOf(2, 'b'));

    const states = await world.read('state', 1);
    expect(states.map(({ value }) => JSON.parse(String(value)) as unknown)).toEqual([
      expect.objectContaining({ sequence: 2 }),
    ]);
    const keys = (await world.read('media', 2)).map(({ key }) => key);
    expect(keys.sort()).toEqual(['a', 'b']);
  });

  test('is rejected by name when it comes back with fewer partitions', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'before'), noSignal);
    const admin = await world.openAdmin();
    await admin.deleteTopics({ topics: [world.nameOf('media')] });
    await admin.createTopics({ topics: [{ topic: world.nameOf('media'), numPartitions: 1 }] });
    const keys = Array.from({ length: 20 }, (_, index) => mediaRecord(`m${String(index)}`));

    await expect(publisher.publish(mediaBatch('17841', 2, keys), noSignal)).rejects.toMatchObject({
      code: 'kafka.unavailable',
      message: expect.stringContaining(world.nameOf('media')) as unknown,
    });
    expect(await world.read('media', 0)).toEqual([]);
  });
});

describe('batch with many produce requests', () => {
  const keys = Array.from({ length: 3000 }, (_, index) => `m${String(index)}`);
  const large = mediaBatch(
    '17841',
    1,
    keys.map((key) => mediaRecord(key, 700)),
  );

  test('is published once when the response to its second produce request is lost', async () => {
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 6000 });
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response', { skip: 1 });
    await publisher.publish(large, noSignal);
    expect(lost.count()).toBe(1);
    await expectOnce(world, keys, 1);
  });

  test('is published once when the connection is cut in the middle of its second produce request', async () => {
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 6000 });
    const cut = world.proxy.inject(apiKeys.produce, 'cut-request', { skip: 1 });
    await publisher.publish(large, noSignal);
    expect(cut.count()).toBe(1);
    await expectOnce(world, keys, 1);
  });
});

describe('restore of a state', () => {
  test.each([
    ['the fetch response is cut', apiKeys.fetch, 'cut-response'],
    ['the fetch request is lost', apiKeys.fetch, 'lose-request'],
    ['the response to the join is cut', apiKeys.joinGroup, 'cut-response'],
  ] as const)('returns the last state when %s', async (_what, apiKey, fault) => {
    const { publisher } = await world.openReady();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    const next = await world.openFaulty();
    const met = world.proxy.inject(apiKey, fault);
    const restored = await restoreAll(next);
    expect(met.count()).toBe(1);
    expect(restored.get('media/17841')).toMatchObject({ state: { sequence: 2 } });
  });
});
