import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { apiKeys } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal } from '../support/kafka-world.ts';
import { type FaultWorld, createFaultWorld, expectOnce } from './fault-world.ts';

/**
 * The behaviour of kafkajs 2.2.4 when a producer is reused after an error, compared with this program
 * in the same situation. When a later version behaves better, a test here fails.
 */
describe('transactional producer of kafkajs', () => {
  let world: FaultWorld;
  let producer: Producer;

  beforeEach(async () => {
    world = await createFaultWorld();
    await world.openReady();
    const kafka = new Kafka({
      brokers: [...world.proxy.brokers],
      logLevel: logLevel.NOTHING,
      // Long enough for the first request to a broker that has just started.
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

  /** Loses the response of every attempt of one batch, aborts it, and commits the next one. */
  const loseAndGoOn = async (round: number): Promise<string> => {
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response', { times: 100 });
    const { transaction, sent } = await send(`aborted-${round}`);
    await expect(sent).rejects.toThrow();
    lost.disarm();
    await transaction.abort();
    const next = `committed-${round}`;
    await publish(next);
    return next;
  };

  test('loses a committed batch without an error when it is reused after an abort', async () => {
    await publish('a');
    const committed: string[] = [];
    let missing: readonly string[] = [];
    // The error that ends the attempts depends on timing, and only some errors break the sequence numbers.
    for (let round = 1; missing.length === 0 && round <= 5; round += 1) {
      committed.push(await loseAndGoOn(round));
      const read = (await world.read('media', 1)).map(({ key }) => key);
      missing = committed.filter((key) => !read.includes(key));
    }
    expect(missing).toHaveLength(1);
  });

  test('is discarded by the program in the same situation, which loses nothing (Invariant 4)', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response', { times: 3 });
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    await publisher.publish(mediaBatch('17841', 3, [mediaRecord('c')]), noSignal);
    expect(lost.count()).toBe(3);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('sends a commit once and cannot begin another transaction after the commit failed', async () => {
    const { transaction, sent } = await send('a');
    await sent;
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-request', { times: 10 });
    await expect(transaction.commit()).rejects.toThrow();
    expect(lost.count()).toBe(1);
    await expect(producer.transaction()).rejects.toThrow(/state "COMMITTING"/);
  });

  test('is replaced by the program when it is stuck after a failed commit (Invariant 4)', async () => {
    const { publisher } = await world.openFaulty();
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-request');
    await publisher.publish(mediaBatch('17841', 1, [mediaRecord('a')]), noSignal);
    await publisher.publish(mediaBatch('17841', 2, [mediaRecord('b')]), noSignal);
    expect(lost.count()).toBe(1);
    await expectOnce(world, ['a', 'b']);
  });
});
