import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RetryError } from '../../../src/core/errors.ts';
import type { Batch, Publisher } from '../../../src/runtime/ports.ts';
import { apiKeys, createFaultySockets, type FaultySockets } from '../../support/faulty-sockets.ts';
import {
  createKafkaWorld,
  mediaBatch,
  mediaRecord,
  noSignal,
  type KafkaWorld,
} from '../../support/kafka-world.ts';

async function expectOnce(world: KafkaWorld, keys: readonly string[]): Promise<void> {
  const records = await world.read('media', keys.length);
  expect(records.map(({ key }) => key).sort()).toEqual([...keys].sort());
  const states = (await world.read('state', keys.length)).map(
    ({ value }) => (JSON.parse(String(value)) as { sequence: number }).sequence,
  );
  expect(states).toEqual(keys.map((_, index) => index + 1));
}

/** The poller's part: a batch of which nothing was published is published again. */
async function publishAtLast(publisher: Publisher, batch: Batch): Promise<void> {
  try {
    await publisher.publish(batch, noSignal);
  } catch (error) {
    if (!(error instanceof RetryError) || error.code !== 'kafka.unavailable') throw error;
    await publishAtLast(publisher, batch);
  }
}

function outcomes(world: KafkaWorld): string[] {
  return world.events.flatMap((event) => (event.type === 'transaction' ? [event.outcome] : []));
}

describe('answers and requests that get lost', () => {
  let world: KafkaWorld;
  let faults: FaultySockets;

  beforeEach(async () => {
    world = await createKafkaWorld();
    faults = createFaultySockets();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  const openFaulty = () => world.openReady({ sendDeadlineMs: 3000 }, faults.socketFactory);

  test('publishes everything once when a produce answer is lost and the client asks again', async () => {
    const { publisher } = await openFaulty();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    faults.loseResponses(apiKeys.produce, 1);
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    await publisher.publish(mediaBatch('17841', 3, [mediaRecord('c')]), noSignal);
    expect(faults.lost()).toBe(1);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('publishes everything once when all produce answers of a batch are lost (Invariant 4)', async () => {
    const { publisher } = await openFaulty();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    faults.loseResponses(apiKeys.produce, 4);
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    await publisher.publish(mediaBatch('17841', 3, [mediaRecord('c')]), noSignal);
    expect(faults.lost()).toBe(4);
    expect(outcomes(world)).toEqual(['committed', 'redone', 'committed']);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('finds out that a commit landed when only its answer was lost', async () => {
    const { publisher } = await openFaulty();
    faults.loseResponses(apiKeys.endTxn, 1);
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    expect(faults.lost()).toBe(1);
    expect(outcomes(world)).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('does a batch again when the commit itself was lost', async () => {
    const { publisher } = await openFaulty();
    faults.loseRequests(apiKeys.endTxn, 1);
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    expect(faults.lost()).toBe(1);
    expect(outcomes(world)).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('does a batch again when the answer to the producer id is lost', async () => {
    const { publisher } = await openFaulty();
    faults.loseResponses(apiKeys.initProducerId, 1);
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    await expectOnce(world, ['a']);
  });
});

describe('a broker that dies', () => {
  test.each([
    ['when the records are sent', apiKeys.produce],
    ['when the commit is sent', apiKeys.endTxn],
  ])('loses and repeats nothing %s', async (_when, apiKey) => {
    const world = await createKafkaWorld({ env: {} });
    try {
      const faults = createFaultySockets();
      const { publisher } = await world.openReady({}, faults.socketFactory);
      await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);

      const restarted = Promise.withResolvers<undefined>();
      faults.onceRequested(apiKey, () => {
        void world.cluster.broker
          .kill()
          .then(() => world.cluster.broker.start())
          .then(() => {
            restarted.resolve(undefined);
          }, restarted.reject);
      });
      await Promise.all([
        publishAtLast(publisher, mediaBatch('17841', 2, [mediaRecord('b')])),
        restarted.promise,
      ]);
      await publisher.publish(mediaBatch('17841', 3, [mediaRecord('c')]), noSignal);

      await expectOnce(world, ['a', 'b', 'c']);
    } finally {
      await world[Symbol.asyncDispose]();
    }
  });

  test('loses and repeats nothing when it was one of three', async () => {
    const world = await createKafkaWorld({ env: {}, brokers: 3 });
    try {
      const topics = { ...world.options.topics, partitions: 6, replicationFactor: 3 };
      const { publisher } = await world.openReady({ topics });
      const keys: string[] = [];
      let last = false;
      const publishAll = async (): Promise<void> => {
        for (let sequence = 1; !last; sequence += 1) {
          const batch = [0, 1, 2, 3, 4].map((n) => `${String(sequence)}-${String(n)}`);
          keys.push(...batch);
          const records = batch.map((key) => mediaRecord(key));
          await publishAtLast(publisher, mediaBatch('17841', sequence, records));
        }
      };
      const publishing = publishAll();
      for (const broker of [0, 1]) {
        await world.cluster.broker.kill(broker);
        await world.cluster.broker.start(broker);
      }
      last = true;
      await publishing;

      // The next instance's claim waits until the markers of every commit are written.
      const next = await world.openReady({ topics });
      const restored = await next.stateStore.restore(noSignal);
      expect(restored.get('media/17841')).toMatchObject({ state: { sequence: keys.length / 5 } });
      const read = (await world.read('media', keys.length)).map(({ key }) => key);
      expect(read.sort()).toEqual(keys.sort());
    } finally {
      await world[Symbol.asyncDispose]();
    }
  }, 180_000);

  test('is named in an error that asks for another try when it cannot be reached', async () => {
    const world = await createKafkaWorld();
    try {
      const adapter = world.open({ brokers: ['127.0.0.1:1'] });
      await expect(adapter.prepareTopics(noSignal)).rejects.toMatchObject({
        disposition: 'retry',
        code: 'kafka.unavailable',
        message: expect.stringContaining('127.0.0.1:1') as unknown,
      });
      expect(world.events).toEqual([
        expect.objectContaining({ type: 'dependency', name: 'kafka', ready: false }),
      ]);
    } finally {
      await world[Symbol.asyncDispose]();
    }
  });
});
