import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/cluster/start.ts';
import { RetryError } from '../../src/engine/errors.ts';
import { partitionOf } from '../../src/engine/partition.ts';
import { setProducerQuota } from '../support/client-quota.ts';
import { apiKeys } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal, restoreAll } from '../support/kafka-world.ts';
import { type FaultWorld, createFaultWorld, expectOnce, publishAtLast } from './fault-world.ts';

const account = '17841';
const batchOf = (sequence: number, key: string, accountId = account) =>
  mediaBatch(accountId, sequence, [mediaRecord(key)]);

/** A world on a cluster whose brokers the test stops. */
const joinCluster = ({ brokers, registryUrl }: Cluster) =>
  createFaultWorld({
    env: { KAFKA_BROKERS: brokers.join(','), SCHEMA_REGISTRY_URL: registryUrl },
  });

describe('failure of a broker', () => {
  let cluster: Cluster;
  const createWorld = () => joinCluster(cluster);

  beforeAll(async () => {
    cluster = await startCluster({ env: {} });
  }, 120_000);

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('causes no loss and no duplicate at any step of a batch', async () => {
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

  test('causes no loss and no duplicate during a pause', async () => {
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

describe('cluster of several brokers', () => {
  let cluster: Cluster;
  const createWorld = () => joinCluster(cluster);

  beforeAll(async () => {
    cluster = await startCluster({ env: {}, brokers: 3 });
  }, 180_000);

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('loses and repeats no record when the transaction coordinator crashes', async () => {
    await using world = await createWorld();
    const topics = { ...world.options.topics, partitions: 6, replicationFactor: 3 };
    const { publisher } = await world.openFaulty({ topics });
    const published = await publishWhile(world, publisher, async (batches) => {
      const more = async (goal: number): Promise<void> => {
        while (batches() < goal) await sleep(20);
      };
      await more(3);
      const broker = await coordinatorOf(world, '__transaction_state', transactionalIdOf(world));
      await cluster.broker.kill(broker);
      // Committed after the crash: another broker is now the coordinator.
      await more(batches() + 4);
      await cluster.broker.start(broker);
    });

    // The next acquisition waits until the markers of every commit are written.
    const next = await world.openReady({ topics });
    const restored = await restoreAll(next);
    expect(restored.get('media/17841')).toMatchObject({ state: { sequence: published.batches } });
    const read = (await world.read('media', published.keys.length)).map(({ key }) => key);
    expect(read.sort()).toEqual([...published.keys].sort());
  }, 180_000);

  // Until it knows, it answers with its old high watermark, which is not the end of the partition.
  test('returns no older state from a stale leader that does not know of its successor (Invariant 2)', async () => {
    await using world = await createWorld();
    const { broker } = cluster;
    const topics = { ...world.options.topics, replicationFactor: 3 };
    const changes = { topics, sendDeadlineMs: 12_000 };
    const one = await world.openFaulty(changes);
    await restoreAll(one);
    const { partition, leader, id } = await findReadPartition(world);
    const others = [0, 1, 2].filter((index) => index !== leader);
    await one.publisher.publish(batchOf(1, 'm1', id), noSignal);
    // Fully committed, markers included: a restore marker per partition and a state.
    await Promise.all([world.read('media', 1), world.read('state', topics.statePartitions + 1)]);

    await broker.pause(leader);
    const brokers = others.map((index) => cluster.brokers[index] ?? '');
    const two = world.open({ ...changes, brokers });
    await untilDone(() => two.prepareTopics(noSignal));
    await untilDone(() => two.stateStore.restore(partition, noSignal));
    await untilDone(() => two.publisher.publish(batchOf(2, 'm2', id), noSignal));

    // The client of the first instance still fetches from the stale leader.
    const fetch = world.proxy.inject(apiKeys.fetch, 'hold-request');
    const restoring = untilDone(() => one.stateStore.restore(partition, noSignal));
    await fetch.met;
    // While the other brokers are paused, only the stale leader answers, and it learns of no successor.
    for (const index of others) await broker.pause(index);
    await broker.resume(leader);
    const next = world.proxy.inject(apiKeys.fetch, 'hold-request');
    fetch.release();
    await Promise.race([next.met, restoring]);
    for (const index of others) await broker.resume(index);
    next.release();

    const restored = await restoring;
    expect(restored.get(`media/${id}`)).toMatchObject({ state: { sequence: 2 } });
    await untilDone(() => one.publisher.publish(batchOf(3, 'm3', id), noSignal));
    expect((await world.read('media', 3)).map(({ key }) => key).sort()).toEqual(['m1', 'm2', 'm3']);
  }, 180_000);
});

describe('connections that a load balancer dropped while they were idle', () => {
  test('are replaced, and a batch is published within ten seconds', async () => {
    await using world = await createFaultWorld();
    const { publisher } = await world.openFaulty({
      sendDeadlineMs: 20_000,
      transactionTimeoutMs: 30_000,
    });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    // The connections must be idle: a load balancer drops no connection in use.
    await sleep(5500);
    world.proxy.forgetAll();
    const startMs = performance.now();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    await expectOnce(world, ['a', 'b']);
  }, 60_000);
});

describe('broker quota', () => {
  const bytesPerSecond = 10_000;
  const openThrottled = async (world: FaultWorld) => {
    const clientId = world.options.transactionalIdPrefix;
    const [broker = ''] = world.cluster.brokers;
    const adapter = await world.openReady({ clientId, sendDeadlineMs: 2000 });
    await adapter.publisher.publish(batchOf(1, 'a'), noSignal);
    await setProducerQuota(broker, clientId, bytesPerSecond);
    return { ...adapter, clientId };
  };

  test('delays a batch that exceeds it, and the delay does not count against the deadline', async () => {
    await using world = await createFaultWorld();
    const { publisher } = await openThrottled(world);
    // The broker averages over eleven seconds.
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

  test('is named in the error when it leaves a batch no time, and no attempt is repeated', async () => {
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

describe('broker list', () => {
  test('is tried in turn when its first broker is unreachable', async () => {
    await using world = await createFaultWorld();
    await using mute = await closeAtOnce();
    const adapter = world.open({ brokers: [mute.address, ...world.cluster.brokers] });
    let tries = 0;
    for (let isReady = false; !isReady; tries += 1) {
      // Each attempt starts with a random broker of the list.
      expect(tries).toBeLessThan(20);
      isReady = await adapter.prepareTopics(noSignal).then(
        () => true,
        () => false,
      );
    }
  }, 60_000);

  test('is named in a retryable error when no broker is reachable', async () => {
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

/** A load balancer whose broker is dead: it accepts connections and closes them. */
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

/** The transactional id of the account's partition. */
function transactionalIdOf({ options }: FaultWorld): string {
  const partition = partitionOf(account, options.topics.statePartitions);
  return `${options.transactionalIdPrefix}-${String(partition)}`;
}

/** The index of the broker that coordinates a transactional id or a group, by Kafka's hash. */
async function coordinatorOf(world: FaultWorld, topic: string, id: string): Promise<number> {
  let hash = 0;
  for (const letter of id) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  const leaders = await leadersOf(world, topic);
  return leaders[Math.abs(hash) % leaders.length] ?? 0;
}

/** The indexes of the brokers that lead the partitions of a topic. */
async function leadersOf(world: FaultWorld, topic: string): Promise<readonly number[]> {
  const admin = await world.openAdmin();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  // Node ids begin with 1.
  return partitions
    .toSorted((a, b) => a.partitionId - b.partitionId)
    .map(({ leader }) => leader - 1);
}

/** A partition of the state topic whose leader does not coordinate the group of the reader. */
async function findReadPartition(world: FaultWorld) {
  const { transactionalIdPrefix, topics } = world.options;
  const { groups } = await (await world.openAdmin()).listGroups();
  const group = groups.find(({ groupId }) => groupId.startsWith(`${transactionalIdPrefix}-`));
  const coordinator = await coordinatorOf(world, '__consumer_offsets', group?.groupId ?? '');
  const leaders = await leadersOf(world, world.nameOf('state'));
  const partition = leaders.findIndex((leader) => leader !== coordinator);
  let id = 0;
  while (partitionOf(String(id), topics.statePartitions) !== partition) id += 1;
  return { partition, leader: leaders[partition] ?? 0, id: String(id) };
}

/** Publishes a batch with retries, as the poller does. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RetryError)) throw error;
    }
  }
}

/** Publishes batches of five records continuously while a task runs. */
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
      await publishAtLast(publisher, mediaBatch(account, batches, records));
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
