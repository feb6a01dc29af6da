import { expect } from '@jest/globals';
import { RetryError } from '../../src/engine/errors.ts';
import type { KafkaAdapter, KafkaOptions } from '../../src/kafka/index.ts';
import type { Batch, Publisher } from '../../src/engine/ports.ts';
import { type KafkaProxy, startKafkaProxy } from '../support/kafka-proxy.ts';
import { type KafkaWorld, createKafkaWorld, noSignal } from '../support/kafka-world.ts';
import { awaitTransactionsEnd } from '../support/partition-ends.ts';

/** A Kafka world with a proxy between publisher and brokers. */
export interface FaultWorld extends KafkaWorld {
  readonly proxy: KafkaProxy;
  /** An adapter behind the proxy, with prepared topics and short deadlines. */
  openFaulty(changes?: Partial<KafkaOptions>): Promise<KafkaAdapter>;
  /** The outcomes of the transactions, as the telemetry reports them. */
  outcomes(): readonly string[];
}

/** Joins the cluster, or starts a new one when options are given, and puts a proxy in front of it. */
export async function createFaultWorld(
  options?: Parameters<typeof createKafkaWorld>[0],
): Promise<FaultWorld> {
  const world = await createKafkaWorld(options);
  const proxy = await startKafkaProxy(world.cluster.brokers);
  return {
    ...world,
    proxy,
    openFaulty: (changes = {}) =>
      world.openReady({ brokers: proxy.brokers, sendDeadlineMs: 3000, ...changes }),
    outcomes: () =>
      world.events.flatMap((event) => (event.type === 'transaction' ? [event.outcome] : [])),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/**
 * Checks the result after every fault: a `read_committed` consumer reads each media once and one state
 * per batch in order, the last one that of the last batch; no open transaction blocks it.
 *
 * @param keys - of the published media, one per batch unless `batches` is given
 */
export async function expectOnce(
  world: KafkaWorld,
  keys: readonly string[],
  batches = keys.length,
): Promise<void> {
  const records = await world.read('media', keys.length);
  expect(records.map(({ key }) => key).sort()).toEqual([...keys].sort());
  const states = await world.read('state', batches);
  expect(
    states.map(({ value }) => (JSON.parse(String(value)) as { sequence: number }).sequence),
  ).toEqual(Array.from({ length: batches }, (_, index) => index + 1));
  await expectNothingOpen(world);
}

/** Checks that every transaction begun so far has ended: a `read_committed` consumer reads to the end. */
export async function expectNothingOpen(world: KafkaWorld): Promise<void> {
  const [broker = ''] = world.cluster.brokers;
  const { partitions, statePartitions } = world.options.topics;
  await awaitTransactionsEnd(broker, {
    [world.nameOf('media')]: partitions,
    [world.nameOf('state')]: statePartitions,
  });
}

/** Publishes a batch again until it succeeds, as the poller does. */
export async function publishAtLast(publisher: Publisher, batch: Batch): Promise<void> {
  try {
    await publisher.publish(batch, noSignal);
  } catch (error) {
    if (!(error instanceof RetryError) || error.code !== 'kafka.unavailable') throw error;
    await publishAtLast(publisher, batch);
  }
}
