import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { RetryError } from '../../../src/engine/errors.ts';
import { partitionOf } from '../../../src/engine/partition.ts';
import { openKafka } from '../../../src/kafka/index.ts';
import { jsonStateCodec } from '../../support/json-state-codec.ts';
import {
  createKafkaWorld,
  mediaBatch,
  mediaRecord,
  noSignal,
  restoreAll,
  type KafkaWorld,
} from '../../support/kafka-world.ts';
import { usualShutdown } from '../../support/shutdown.ts';

let world: KafkaWorld;
let producers: Producer[];

beforeEach(async () => {
  world = await createKafkaWorld();
  producers = [];
});

afterEach(async () => {
  for (const producer of producers) await producer.disconnect();
  await world[Symbol.asyncDispose]();
});

/** A foreign producer: an operator's tool, or an instance that died. */
async function openProducer(transactionalId?: string): Promise<Producer> {
  const kafka = new Kafka({ brokers: [...world.cluster.brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionTimeout: 60_000,
    ...(transactionalId === undefined ? {} : { transactionalId, idempotent: true }),
    maxInFlightRequests: 1,
  });
  await producer.connect();
  producers.push(producer);
  return producer;
}

function stateOf(accountId: string, sequence: number): Buffer {
  return jsonStateCodec.encode(mediaBatch(accountId, sequence, []).state);
}

const account = '17841';
const partition = partitionOf(account, 4);

describe('restore', () => {
  test('returns no state from an empty topic', async () => {
    expect([...(await restoreAll(await world.openReady()))]).toEqual([]);
  });

  test('reads past transaction markers and empty partitions to the last state of each key', async () => {
    const { publisher } = await world.openReady();
    for (const sequence of [1, 2, 3]) {
      await publisher.publish(mediaBatch(account, sequence, [mediaRecord('m')]), noSignal);
    }
    const restored = await restoreAll(await world.openReady());
    expect([...restored]).toMatchObject([
      [`media/${account}`, { kind: 'state', state: mediaBatch(account, 3, []).state }],
    ]);
  });

  test('reads thousands of keys', async () => {
    const adapter = await world.openReady();
    const producer = await openProducer();
    await producer.send({
      topic: world.nameOf('state'),
      messages: Array.from({ length: 5000 }, (_, index) => ({
        key: `media/${String(index)}`,
        value: stateOf(String(index), 1),
        partition: partitionOf(String(index), 4),
      })),
    });
    expect((await restoreAll(adapter)).size).toBe(5000);
  });

  test('aborts a transaction that a dead instance left open, and ignores its records', async () => {
    const adapter = await world.openReady();
    await adapter.publisher.publish(mediaBatch(account, 1, [mediaRecord('m')]), noSignal);
    const dead = await openProducer(`${world.options.transactionalIdPrefix}-${String(partition)}`);
    const transaction = await dead.transaction();
    const message = { key: `media/${account}`, value: stateOf(account, 2), partition };
    await transaction.send({ topic: world.nameOf('state'), messages: [message] });

    const next = await world.openReady();
    const restored = await restoreAll(next);

    expect(restored.get(`media/${account}`)).toMatchObject({ state: { sequence: 1 } });
    await expect(transaction.commit()).rejects.toThrow();
  });

  test('fails instead of returning an older state while a foreign transaction hides later records (Invariant 2)', async () => {
    const one = await world.openReady();
    await one.stateStore.restore(partition, noSignal);
    await one.publisher.publish(mediaBatch(account, 1, [mediaRecord('m1')]), noSignal);
    const foreign = await openProducer(`foreign-${world.options.transactionalIdPrefix}`);
    const transaction = await foreign.transaction();
    await transaction.send({
      topic: world.nameOf('state'),
      messages: [{ key: 'media/9', value: 'foreign', partition }],
    });
    await one.publisher.publish(mediaBatch(account, 2, [mediaRecord('m2')]), noSignal);

    const two = await world.openReady();
    const tool = `kafka-transactions.sh --bootstrap-server ${world.options.brokers.join(',')}`;
    const place = `--topic ${world.nameOf('state')} --partition ${String(partition)}`;
    await expect(two.stateStore.restore(partition, noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.transaction-open',
      message: expect.stringContaining(`"${tool} describe-producers ${place}"`),
    });
    await transaction.abort();
    const restored = await two.stateStore.restore(partition, noSignal);
    expect([...restored]).toMatchObject([
      [`media/${account}`, { kind: 'state', state: mediaBatch(account, 2, []).state }],
    ]);
  }, 60_000);

  test('fails when a foreign open transaction is the first of the partition, which looks empty (Invariant 2)', async () => {
    const adapter = await world.openReady();
    const foreign = await openProducer(`foreign-${world.options.transactionalIdPrefix}`);
    const transaction = await foreign.transaction();
    await transaction.send({
      topic: world.nameOf('state'),
      messages: [{ key: 'media/9', value: 'foreign', partition }],
    });
    const blocked = {
      code: 'kafka.transaction-open',
      message: expect.stringContaining('offset 0'),
    };
    await Promise.all([
      expect(adapter.stateStore.restore(partition, noSignal)).rejects.toMatchObject(blocked),
      expect((await world.openReady()).stateAdmin.read(noSignal)).rejects.toMatchObject(blocked),
    ]);
    await transaction.abort();
  }, 60_000);

  test('ignores the records of overlapping aborted transactions of two ids', async () => {
    const adapter = await world.openReady();
    await adapter.publisher.publish(mediaBatch(account, 1, []), noSignal);
    const { transactionalIdPrefix: prefix } = world.options;
    const [first, second] = await Promise.all([
      openProducer(`a-${prefix}`),
      openProducer(`b-${prefix}`),
    ]);
    const long = await first.transaction();
    const short = await second.transaction();
    const topic = world.nameOf('state');
    const message = { key: `media/${account}`, value: stateOf(account, 7), partition };
    await long.send({ topic, messages: [message] });
    await short.send({ topic, messages: [message] });
    await short.abort();
    await long.send({ topic, messages: [message] });
    await long.abort();

    const restored = await (await world.openReady()).stateStore.restore(partition, noSignal);

    expect(restored.get(`media/${account}`)).toMatchObject({ state: { sequence: 1 } });
  }, 60_000);

  test.each([
    ['while restoring that partition', partition],
    ['while restoring another, empty partition', (partition + 1) % 4],
  ])(
    'stops the process when a state is in the partition of another account, found %s (Invariant 2)',
    async (_where, restored) => {
      const adapter = await world.openReady();
      const producer = await openProducer();
      const misplaced =
        ['1', '2', '3', '4', '5'].find((id) => partitionOf(id, 4) !== partition) ?? '';
      const message = { key: `media/${misplaced}`, value: stateOf(misplaced, 1), partition };
      await producer.send({ topic: world.nameOf('state'), messages: [message] });

      await expect(adapter.stateStore.restore(restored, noSignal)).rejects.toMatchObject({
        disposition: 'stop-process',
        code: 'kafka.topic-invalid',
        message: expect.stringContaining('instagram-kafka state move-partitions'),
      });
    },
  );

  test('reads a tombstone as no state', async () => {
    const adapter = await world.openReady();
    await adapter.publisher.publish(mediaBatch(account, 1, []), noSignal);
    const producer = await openProducer();
    const tombstone = { key: `media/${account}`, value: null, partition };
    await producer.send({ topic: world.nameOf('state'), messages: [tombstone] });
    expect((await restoreAll(adapter)).size).toBe(0);
  });

  test('reports an unreadable state by its key, beside the readable ones', async () => {
    const adapter = await world.openReady();
    const producer = await openProducer();
    await producer.send({
      topic: world.nameOf('state'),
      messages: [
        { key: 'media/1', value: 'not a state', partition: partitionOf('1', 4) },
        { key: 'Who/1', value: stateOf('1', 1) },
        { key: 'users/2', value: stateOf('2', 1), partition: partitionOf('2', 4) },
        { key: 'media/3', value: stateOf('3', 1), partition: partitionOf('3', 4) },
      ],
    });
    const restored = await restoreAll(adapter);
    const reasons = Object.fromEntries(
      [...restored].map(([key, found]) => [
        key,
        found.kind === 'state' ? 'readable' : found.error.message,
      ]),
    );
    expect(reasons).toEqual({
      'media/1': 'The state media/1 is not JSON.',
      'Who/1':
        'The state Who/1 cannot be read: the key is not <stream>/<account id>. To start it over: stop ' +
        `the program, run "instagram-kafka state reset 'Who/1' --apply", start it again.`,
      'users/2':
        'The state users/2 cannot be read: it holds the state of media/2. To start it over: stop ' +
        `the program, run "instagram-kafka state reset 'users/2' --apply", start it again.`,
      'media/3': 'readable',
    });
  });

  test('fails, and reports no state as unreadable, when the registry is unreachable', async () => {
    const { publisher } = await world.openReady();
    await publisher.publish(mediaBatch(account, 1, []), noSignal);
    const away = new RetryError('registry.unavailable', 'away');
    const codec = { ...jsonStateCodec, decode: () => Promise.reject(away) };
    const next = openKafka(world.options, {
      codec,
      telemetry: { report: () => undefined },
      log: () => undefined,
      shutdown: usualShutdown,
    });
    try {
      await next.prepareTopics(noSignal);
      await expect(restoreAll(next)).rejects.toBe(away);
    } finally {
      await next[Symbol.asyncDispose]();
    }
  });

  test('rejects with the reason of the abort', async () => {
    const adapter = await world.openReady();
    const stop = new AbortController();
    stop.abort(new Error('stopping'));
    await expect(restoreAll(adapter, stop.signal)).rejects.toThrow('stopping');
  });

  test('leaves no consumer group behind after closing', async () => {
    const adapter = await world.openReady();
    await adapter.publisher.publish(mediaBatch(account, 1, []), noSignal);
    await restoreAll(adapter);
    await adapter[Symbol.asyncDispose]();
    const admin = await world.openAdmin();
    const { groups } = await admin.listGroups();
    const own = groups.filter(({ groupId }) =>
      groupId.startsWith(world.options.transactionalIdPrefix),
    );
    expect(own).toEqual([]);
  });
});
