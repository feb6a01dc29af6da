import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../sandbox/cluster/start.ts';
import { startCluster } from '../../sandbox/cluster/start.ts';
import { partitionOf } from '../../src/engine/partition.ts';
import type { RetryError } from '../../src/engine/errors.ts';
import { setProducerQuota } from '../support/client-quota.ts';
import { apiKeys } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal, restoreAll } from '../support/kafka-world.ts';
import type { FaultWorld } from './fault-world.ts';
import { createFaultWorld, expectOnce, publishAtLast } from './fault-world.ts';

const batchOf = (sequence: number, key: string) =>
  mediaBatch('17841', sequence, [mediaRecord(key)]);

describe('a broker that dies', () => {
  let cluster: Cluster;
  const createWorld = () =>
    createFaultWorld({
      env: { KAFKA_BROKERS: cluster.brokers.join(','), SCHEMA_REGISTRY_URL: cluster.registryUrl },
    });

  beforeAll(async () => {
    cluster = await startCluster({ env: {} });
  }, 120_000);

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('loses and repeats nothing at any step of a batch', async () => {
    await using world = await createWorld();
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
      await cluster.broker.kill();
      await cluster.broker.start();
      await publishing;
      keys.push(`after-${step}`);
      await publishAtLast(publisher, batchOf(keys.length, `after-${step}`));
    }
    await expectOnce(world, keys);
  }, 180_000);

  test('stands still for a while and loses nothing', async () => {
    await using world = await createWorld();
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 1000 });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await cluster.broker.pause();
    await expect(publisher.publish(batchOf(2, 'b'), noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
    });
    await cluster.broker.resume();
    await publishAtLast(publisher, batchOf(2, 'b'));
    await publishAtLast(publisher, batchOf(3, 'c'));
    await expectOnce(world, ['a', 'b', 'c']);
  }, 120_000);
});

describe('a broker of several', () => {
  test('loses and repeats nothing when the coordinator of the transactions has gone', async () => {
    await using world = await createFaultWorld({ env: {}, brokers: 3 });
    const topics = { ...world.options.topics, partitions: 6, replicationFactor: 3 };
    const { publisher } = await world.openFaulty({ topics });
    const published = await publishWhile(world, publisher, async (batches) => {
      const more = async (goal: number): Promise<void> => {
        while (batches() < goal) await sleep(20);
      };
      await more(3);
      const broker = await coordinatorOf(world);
      await world.cluster.broker.kill(broker);
      // Committed since then: another broker has taken over.
      await more(batches() + 4);
      await world.cluster.broker.start(broker);
    });

    // The next instance's claim waits until the markers of every commit are written.
    const next = await world.openReady({ topics });
    const restored = await restoreAll(next);
    expect(restored.get('media/17841')).toMatchObject({ state: { sequence: published.batches } });
    const read = (await world.read('media', published.keys.length)).map(({ key }) => key);
    expect(read.sort()).toEqual([...published.keys].sort());
  }, 180_000);
});

describe('connections that a load balancer has forgotten in a silence', () => {
  test('are replaced, and a batch is published within ten seconds', async () => {
    await using world = await createFaultWorld();
    const { publisher } = await world.openFaulty({
      sendDeadlineMs: 20_000,
      transactionTimeoutMs: 30_000,
    });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    // The silence itself: a connection in use is no idle one.
    await sleep(5500);
    world.proxy.forgetAll();
    const startMs = performance.now();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    await expectOnce(world, ['a', 'b']);
  }, 60_000);
});

describe('a quota', () => {
  const bytesPerSecond = 10_000;
  const openThrottled = async (world: FaultWorld) => {
    const clientId = world.options.transactionalIdPrefix;
    const [broker = ''] = world.cluster.brokers;
    const adapter = await world.openReady({ clientId, sendDeadlineMs: 2000 });
    await adapter.publisher.publish(batchOf(1, 'a'), noSignal);
    await setProducerQuota(broker, clientId, bytesPerSecond);
    return { ...adapter, clientId };
  };

  test('that a batch exceeds takes its time, which does not count against the deadline', async () => {
    await using world = await createFaultWorld();
    const { publisher } = await openThrottled(world);
    // The broker counts over eleven seconds.
    const records = [mediaRecord('b', 16 * bytesPerSecond)];
    await publisher.publish(mediaBatch('17841', 2, records), noSignal);
    expect(world.outcomes()).toEqual(['committed', 'committed']);
    const throttled = world.events.filter(({ type }) => type === 'throttled');
    const total = throttled.reduce(
      (sum, event) => sum + ('durationMs' in event ? event.durationMs : 0),
      0,
    );
    expect(total).toBeGreaterThan(2000);
    await expectOnce(world, ['a', 'b']);
  }, 60_000);

  test('that leaves a batch no time is named, and is not spent by tries', async () => {
    await using world = await createFaultWorld();
    const { publisher, clientId } = await openThrottled(world);
    const records = [mediaRecord('b', 60 * bytesPerSecond)];
    const error: unknown = await publisher
      .publish(mediaBatch('17841', 2, records), noSignal)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      disposition: 'retry',
      code: 'kafka.throttled',
      message: expect.stringContaining(`throttles this client (client.id ${clientId}, `),
    });
    expect((error as RetryError).retryAfterMs).toBeGreaterThan(10_000);
    expect(world.outcomes()).toEqual(['committed', 'failed']);
  }, 60_000);
});

describe('brokers', () => {
  test('are found through another when the first in the list answers nobody', async () => {
    await using world = await createFaultWorld();
    await using mute = await closeAtOnce();
    const adapter = world.open({ brokers: [mute.address, ...world.cluster.brokers] });
    let tries = 0;
    for (let isReady = false; !isReady; tries += 1) {
      // Each try has even chances to begin with the broker.
      expect(tries).toBeLessThan(20);
      isReady = await adapter.prepareTopics(noSignal).then(
        () => true,
        () => false,
      );
    }
  }, 60_000);

  test('are named in an error that asks for another try when they cannot be reached', async () => {
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

/** As a load balancer is whose broker has died: it takes connections and closes them. */
async function closeAtOnce() {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** The index of the broker that coordinates the transactions of the account, by Kafka's own rule. */
async function coordinatorOf(world: FaultWorld): Promise<number> {
  const { options } = world;
  const admin = await world.openAdmin();
  const { topics } = await admin.fetchTopicMetadata({ topics: ['__transaction_state'] });
  const partitions = topics[0]?.partitions ?? [];
  const lane = partitionOf('17841', options.topics.statePartitions);
  let hash = 0;
  for (const letter of `${options.transactionalIdPrefix}-${String(lane)}`) {
    hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  }
  const partition = Math.abs(hash) % partitions.length;
  const leader = partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? 0;
  // Node ids begin with 1.
  return leader - 1;
}

/** Publishes batches of five as fast as they go for as long as something else is done. */
async function publishWhile(
  world: FaultWorld,
  publisher: Awaited<ReturnType<FaultWorld['openFaulty']>>['publisher'],
  work: (batches: () => number) => Promise<void>,
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
  try {
    await work(() => batches);
  } finally {
    last = true;
  }
  await publishing;
  return { keys, batches };
}
