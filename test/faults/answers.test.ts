import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiKeys, errorCodes } from '../support/kafka-frames.ts';
import { mediaBatch, mediaRecord, noSignal } from '../support/kafka-world.ts';
import { type FaultWorld, createFaultWorld, expectNothingOpen, expectOnce } from './fault-world.ts';

let world: FaultWorld;

beforeEach(async () => {
  world = await createFaultWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const batchOf = (sequence: number, key: string) =>
  mediaBatch('17841', sequence, [mediaRecord(key)]);

describe('lost produce response', () => {
  test('causes no loss and no duplicate when the client retries', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response');
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await publisher.publish(batchOf(3, 'c'), noSignal);
    expect(lost.count()).toBe(1);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('causes no loss and no duplicate when all responses to a batch are lost (Invariant 4)', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response', { times: 4 });
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await publisher.publish(batchOf(3, 'c'), noSignal);
    expect(lost.count()).toBe(4);
    expect(world.outcomes()).toEqual(['committed', 'redone', 'committed']);
    await expectOnce(world, ['a', 'b', 'c']);
  });
});

describe('commit without a response', () => {
  test('is resolved as committed when only the response was lost', async () => {
    const { publisher } = await world.openFaulty();
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-response');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(lost.count()).toBe(1);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('is repeated as a batch when the request never reached the broker', async () => {
    const { publisher } = await world.openFaulty();
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-request');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(lost.count()).toBe(1);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('is resolved as committed when the response is cut in the middle', async () => {
    const { publisher } = await world.openFaulty();
    world.proxy.inject(apiKeys.endTxn, 'cut-response');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });
});

test('lost InitProducerId response: causes no loss and no duplicate', async () => {
  const { publisher } = await world.openFaulty();
  const lost = world.proxy.inject(apiKeys.initProducerId, 'lose-response');
  await publisher.publish(batchOf(1, 'a'), noSignal);
  expect(lost.count()).toBe(1);
  await expectOnce(world, ['a']);
});

describe('connection cut in the middle of a frame', () => {
  test.each([
    ['a produce request', apiKeys.produce, 'cut-request'],
    ['a produce answer', apiKeys.produce, 'cut-response'],
    ['the commit', apiKeys.endTxn, 'cut-request'],
    ['the request for a producer id', apiKeys.initProducerId, 'cut-request'],
    ['the answer with a producer id', apiKeys.initProducerId, 'cut-response'],
    ['the request that adds partitions', apiKeys.addPartitionsToTxn, 'cut-request'],
    ['the answer to added partitions', apiKeys.addPartitionsToTxn, 'cut-response'],
  ] as const)('causes no loss and no duplicate during %s', async (_what, apiKey, fault) => {
    const { publisher } = await world.openFaulty();
    const cut = world.proxy.inject(apiKey, fault);
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(cut.count()).toBe(1);
    await expectOnce(world, ['a', 'b']);
  });

  test('causes no loss and no duplicate when all connections are cut repeatedly', async () => {
    const { publisher } = await world.openFaulty();
    const keys = Array.from({ length: 10 }, (_, index) => `m${String(index)}`);
    for (const [index, key] of keys.entries()) {
      const publishing = publisher.publish(batchOf(index + 1, key), noSignal);
      world.proxy.cutAll();
      await publishing;
    }
    await expectOnce(world, keys);
  });
});

describe('broker slower than the deadline', () => {
  test('rejects the late produce request of a discarded producer', async () => {
    const { publisher } = await world.openFaulty();
    const late = world.proxy.inject(apiKeys.produce, 'hold-request', { times: 4 });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    expect(late.count()).toBeGreaterThan(0);
    late.release();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await expectOnce(world, ['a', 'b']);
  });

  test('rejects the late commit of a discarded producer', async () => {
    const { publisher } = await world.openFaulty();
    const late = world.proxy.inject(apiKeys.endTxn, 'hold-request');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    late.release();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('leads to an error, with nothing published, when no attempt gets a response', async () => {
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 1000 });
    const held = world.proxy.inject(apiKeys.produce, 'hold-request', { times: 1000 });
    await expect(publisher.publish(batchOf(1, 'a'), noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
    });
    expect(await world.read('media', 0)).toEqual([]);
    await expectNothingOpen(world);
    held.release();
  });
});

describe('error in a produce response', () => {
  test.each([
    ['a full or broken disk, records not stored', errorCodes.storageError, false],
    ['a full or broken disk, although the records were stored', errorCodes.storageError, true],
    ['too few replicas, although the records were stored', errorCodes.notEnoughReplicas, true],
    ['a leader that moved', errorCodes.notLeader, false],
    ['an unknown producer', errorCodes.unknownProducerId, false],
    ['an unknown topic or partition', errorCodes.unknownTopicOrPartition, false],
  ])('causes no loss and no duplicate: %s', async (_what, refuse, stored) => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const refused = world.proxy.inject(apiKeys.produce, { refuse, stored });
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await publisher.publish(batchOf(3, 'c'), noSignal);
    expect(refused.count()).toBe(1);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test.each([
    [
      'kafka.not-enough-replicas',
      errorCodes.notEnoughReplicas,
      /fewer in-sync replicas than required.*--under-min-isr-partitions/,
    ],
    [
      'kafka.unavailable',
      errorCodes.storageError,
      /Disk error .*look at the broker's log and disk/,
    ],
  ])('is reported by code when it lasts: %s', async (code, refuse, message) => {
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 1000 });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const refused = world.proxy.inject(apiKeys.produce, { refuse, stored: false }, { times: 1000 });
    await expect(publisher.publish(batchOf(2, 'b'), noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code,
      message: expect.stringMatching(message),
    });
    refused.disarm();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await expectOnce(world, ['a', 'b']);
  });

  test('is not retried when it is about the clock, and Kafka is not ready until the clock is right', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const refuse = errorCodes.invalidTimestamp;
    const refused = world.proxy.inject(apiKeys.produce, { refuse, stored: false }, { times: 1000 });
    await expect(publisher.publish(batchOf(2, 'b'), noSignal)).rejects.toMatchObject({
      disposition: 'fail',
      code: 'kafka.clock',
    });
    expect(refused.count()).toBe(1);
    const isReady = () => world.events.findLast(({ type }) => type === 'dependency');
    expect(isReady()).toMatchObject({ name: 'kafka', ready: false });
    refused.disarm();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(isReady()).toMatchObject({ name: 'kafka', ready: true });
    await expectOnce(world, ['a', 'b']);
  });

  test('is not an outage when the broker has dropped an idle producer', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const refuse = errorCodes.unknownProducerId;
    world.proxy.inject(apiKeys.produce, { refuse, stored: false });
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(world.events).not.toContainEqual(expect.objectContaining({ ready: false }));
    await expectOnce(world, ['a', 'b']);
  });

  test('leads to a retryable error while a disk is full, and the next batch succeeds afterwards', async () => {
    const { publisher } = await world.openFaulty({ sendDeadlineMs: 1000 });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const full = world.proxy.inject(
      apiKeys.produce,
      { refuse: errorCodes.storageError, stored: false },
      { times: 1000 },
    );
    await expect(publisher.publish(batchOf(2, 'b'), noSignal)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
    });
    full.disarm();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await expectOnce(world, ['a', 'b']);
  });

  test('blocks no reader when neither the batch nor its aborts are answered (Invariant 7)', async () => {
    const { publisher } = await world.openFaulty({
      sendDeadlineMs: 1000,
      transactionTimeoutMs: 60_000,
    });
    const full = { refuse: errorCodes.storageError, stored: true };
    world.proxy.inject(apiKeys.produce, full, { times: 1000 });
    const aborts = world.proxy.inject(apiKeys.endTxn, 'lose-request', { times: 1000 });
    await expect(publisher.publish(batchOf(1, 'a'), noSignal)).rejects.toMatchObject({
      code: 'kafka.unavailable',
    });
    expect(aborts.count()).toBe(3);
    await expectNothingOpen(world);
  });
});

describe('unavailable transaction coordinator', () => {
  test.each([
    ['moved when partitions are added', apiKeys.addPartitionsToTxn, errorCodes.notCoordinator],
    ['moved at the commit', apiKeys.endTxn, errorCodes.notCoordinator],
    ['unavailable at the commit', apiKeys.endTxn, errorCodes.coordinatorNotAvailable],
    ['still loading at the commit', apiKeys.endTxn, errorCodes.coordinatorLoading],
    ['still loading for a new producer', apiKeys.initProducerId, errorCodes.coordinatorLoading],
  ])('causes no loss and no duplicate when it is %s', async (_what, apiKey, refuse) => {
    const { publisher } = await world.openFaulty();
    const refused = world.proxy.inject(apiKey, { refuse, stored: false });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(refused.count()).toBe(1);
    await expectOnce(world, ['a', 'b']);
  });

  test('causes no second commit when it committed and answered with an error', async () => {
    const { publisher } = await world.openFaulty();
    world.proxy.inject(apiKeys.endTxn, { refuse: errorCodes.notCoordinator, stored: true });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await expectOnce(world, ['a', 'b']);
  });
});

describe('closed Kafka adapter', () => {
  test('leaves no transaction open while the broker does not answer a produce request', async () => {
    const adapter = await world.openFaulty({
      sendDeadlineMs: 30_000,
      transactionTimeoutMs: 60_000,
    });
    const held = world.proxy.inject(apiKeys.produce, 'hold-response', { times: 1000 });
    const publishing = adapter.publisher.publish(batchOf(1, 'a'), noSignal);
    publishing.catch(() => undefined);
    await held.met;
    await adapter[Symbol.asyncDispose]();
    await expectNothingOpen(world);
    expect(await world.read('media', 0)).toEqual([]);
  });

  test.each(['lose-request', 'hold-request'] as const)(
    'leaves no transaction open when its abort is not answered either: %s (Invariant 7)',
    async (fault) => {
      const adapter = await world.openFaulty({ transactionTimeoutMs: 60_000 });
      const held = world.proxy.inject(apiKeys.produce, 'hold-response', { times: 1000 });
      const aborts = world.proxy.inject(apiKeys.endTxn, fault, { times: 1000 });
      const stop = new AbortController();
      const publishing = adapter.publisher.publish(batchOf(1, 'a'), stop.signal);
      publishing.catch(() => undefined);
      await held.met;
      stop.abort();
      await adapter[Symbol.asyncDispose]();
      expect(aborts.count()).toBe(1);
      await expectNothingOpen(world);
      aborts.release();
      expect(await world.read('media', 0)).toEqual([]);
    },
  );
});
