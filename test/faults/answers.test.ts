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

describe('a produce answer that is lost', () => {
  test('publishes everything once when the client asks again', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const lost = world.proxy.inject(apiKeys.produce, 'lose-response');
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await publisher.publish(batchOf(3, 'c'), noSignal);
    expect(lost.count()).toBe(1);
    await expectOnce(world, ['a', 'b', 'c']);
  });

  test('publishes everything once when all answers to a batch are lost (Invariant 4)', async () => {
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

describe('a commit whose answer does not come', () => {
  test('finds out that it landed', async () => {
    const { publisher } = await world.openFaulty();
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-response');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(lost.count()).toBe(1);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('does the batch again when the broker never got it', async () => {
    const { publisher } = await world.openFaulty();
    const lost = world.proxy.inject(apiKeys.endTxn, 'lose-request');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(lost.count()).toBe(1);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('finds out that it landed when the answer is cut in the middle', async () => {
    const { publisher } = await world.openFaulty();
    world.proxy.inject(apiKeys.endTxn, 'cut-response');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });
});

test('publishes everything once when the answer with a producer id is lost', async () => {
  const { publisher } = await world.openFaulty();
  const lost = world.proxy.inject(apiKeys.initProducerId, 'lose-response');
  await publisher.publish(batchOf(1, 'a'), noSignal);
  expect(lost.count()).toBe(1);
  await expectOnce(world, ['a']);
});

describe('a connection that is cut in the middle of a frame', () => {
  test.each([
    ['a produce request', apiKeys.produce, 'cut-request'],
    ['a produce answer', apiKeys.produce, 'cut-response'],
    ['the commit', apiKeys.endTxn, 'cut-request'],
    ['the request for a producer id', apiKeys.initProducerId, 'cut-request'],
    ['the answer with a producer id', apiKeys.initProducerId, 'cut-response'],
    ['the request that adds partitions', apiKeys.addPartitionsToTxn, 'cut-request'],
    ['the answer to added partitions', apiKeys.addPartitionsToTxn, 'cut-response'],
  ] as const)('publishes everything once when it was %s', async (_what, apiKey, fault) => {
    const { publisher } = await world.openFaulty();
    const cut = world.proxy.inject(apiKey, fault);
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(cut.count()).toBe(1);
    await expectOnce(world, ['a', 'b']);
  });

  test('publishes everything once when all of them are cut again and again', async () => {
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

describe('a broker that is slower than the deadline', () => {
  test('refuses the late request of a producer that was thrown away', async () => {
    const { publisher } = await world.openFaulty();
    const late = world.proxy.inject(apiKeys.produce, 'hold-request', { times: 4 });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    expect(late.count()).toBeGreaterThan(0);
    late.release();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await expectOnce(world, ['a', 'b']);
  });

  test('refuses the late commit of a producer that was thrown away', async () => {
    const { publisher } = await world.openFaulty();
    const late = world.proxy.inject(apiKeys.endTxn, 'hold-request');
    await publisher.publish(batchOf(1, 'a'), noSignal);
    late.release();
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(world.outcomes()).toEqual(['redone', 'committed']);
    await expectOnce(world, ['a', 'b']);
  });

  test('gives up with nothing published when no answer comes in any try', async () => {
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

describe('an error that the broker answers to a send', () => {
  test.each([
    ['a disk that is full or broken, nothing stored', errorCodes.storageError, false],
    ['a disk that is full or broken, although it was stored', errorCodes.storageError, true],
    ['too few replicas, although it was stored', errorCodes.notEnoughReplicas, true],
    ['a leader that moved', errorCodes.notLeader, false],
    ['an unknown producer', errorCodes.unknownProducerId, false],
    ['a topic that it does not know', errorCodes.unknownTopicOrPartition, false],
  ])('publishes everything once: %s', async (_what, refuse, stored) => {
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
  ])('is named when it stays: %s', async (code, refuse, message) => {
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

  test('is not tried again when it is about the clock, and Kafka is not ready until that is right', async () => {
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

  test('is no outage when the broker has dropped a producer that was silent for long', async () => {
    const { publisher } = await world.openFaulty();
    await publisher.publish(batchOf(1, 'a'), noSignal);
    const refuse = errorCodes.unknownProducerId;
    world.proxy.inject(apiKeys.produce, { refuse, stored: false });
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(world.events).not.toContainEqual(expect.objectContaining({ ready: false }));
    await expectOnce(world, ['a', 'b']);
  });

  test('gives up with nothing published when a disk stays full, and goes on when it is not', async () => {
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

  test('holds up no reader when it gives up and no abort is answered either (Invariant 7)', async () => {
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

describe('a transaction coordinator that has moved', () => {
  test.each([
    ['moved, when partitions are added', apiKeys.addPartitionsToTxn, errorCodes.notCoordinator],
    ['moved, when it is to commit', apiKeys.endTxn, errorCodes.notCoordinator],
    ['not there, when it is to commit', apiKeys.endTxn, errorCodes.coordinatorNotAvailable],
    ['still loading, when it is to commit', apiKeys.endTxn, errorCodes.coordinatorLoading],
    ['still loading, for a new producer', apiKeys.initProducerId, errorCodes.coordinatorLoading],
  ])('publishes everything once: it is %s', async (_what, apiKey, refuse) => {
    const { publisher } = await world.openFaulty();
    const refused = world.proxy.inject(apiKey, { refuse, stored: false });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    expect(refused.count()).toBe(1);
    await expectOnce(world, ['a', 'b']);
  });

  test('does not commit twice what it committed and denied', async () => {
    const { publisher } = await world.openFaulty();
    world.proxy.inject(apiKeys.endTxn, { refuse: errorCodes.notCoordinator, stored: true });
    await publisher.publish(batchOf(1, 'a'), noSignal);
    await publisher.publish(batchOf(2, 'b'), noSignal);
    await expectOnce(world, ['a', 'b']);
  });
});

describe('closing', () => {
  test('leaves no transaction open while the broker answers nothing to a send', async () => {
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
