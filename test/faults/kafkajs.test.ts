import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Producer } from 'kafkajs';
import { apiKeys } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal } from '../support/kafka-world.ts';
import type { FaultWorld } from './fault-world.ts';
import { createFaultWorld, expectOnce } from './fault-world.ts';

/**
 * What kafkajs 2.2.4 does with a producer that is used on after an error, beside what this program
 * does in the same place. When a later version does better, a test here fails and says so.
 */
describe('a transactional producer of kafkajs', () => {
  let world: FaultWorld;
  let producer: Producer;

  beforeEach(async () => {
    world = await createFaultWorld();
    await world.openReady();
    const kafka = new Kafka({
      brokers: [...world.proxy.brokers],
      logLevel: logLevel.NOTHING,
      // Long enough for the first request of a broker that has just begun.
      requestTimeout: 1500,
    });
    producer = kafka.producer({
      transactionalId: `${world.options.transactionalIdPrefix}-by-hand`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 30_000,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: 2, initialRetryTime: 5, factor: 0 },
    });
    await producer.connect();
  });

  afterEach(async () => {
    await producer.disconnect();
    await world[Symbol.asyncDispose]();
  });

  const send = async (key: string) => {
    const transaction = await producer.transaction();
    const messages = [{ key, value: key, partition: 0 }];
    return {
      transaction,
      sent: transaction.send({ topic: world.nameOf('media'), messages }),
    };
  };
  const publish = async (key: string) => {
    const { transaction, sent } = await send(key);
    await sent;
    await transaction.commit();
  };

  test('loses a committed batch without an error when it is used on after an abort', async () => {
    await publish('a');
    world.proxy.inject(apiKeys.produce, 'lose-response');
    const { transaction, sent } = await send('b');
    await expect(sent).rejects.toThrow();
    await transaction.abort();

    await publish('c');

    expect((await world.read('media', 1)).map(({ key }) => key)).toEqual(['a']);
  });

  test('is thrown away by the program in the same place, which loses nothing (Invariant 4)', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response', { times: 3 });
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    await publisher.publish(mediaBatch('17841', 3, [mediaRecord('c')]), noSignal);
    expect(lost.count()).toBe(3);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('sends a commit once and can begin no other transaction after it failed', async () => {
    const { transaction, sent } = await send('a');
    await sent;
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-request', { times: 10 });
    await expect(transaction.commit()).rejects.toThrow();
    expect(lost.count()).toBe(1);
    await expect(producer.transaction()).rejects.toThrow(/state "COMMITTING"/);
  });

  test('is replaced by the program when it is wedged, which goes on at once (Invariant 4)', async () => {
    const { publisher } = await world.openFaulty();
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-request');
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    expect(lost.count()).toBe(1);
    await expectOnce(world, ['a', 'b']);
  });
});
