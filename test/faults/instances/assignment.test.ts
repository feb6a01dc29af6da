import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiKeys } from '../../support/kafka-frames.ts';
import { startKafkaProxy } from '../../support/kafka-proxy.ts';
import {
  allMedia,
  createFleet,
  exactlyOnce,
  findings,
  type Fleet,
  overlaps,
  partitions,
  until,
} from './fleet.ts';

/** Three media of each of the twelve accounts. */

let fleet: Fleet;

beforeEach(async () => {
  fleet = await createFleet();
});

afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
});

describe('instances with the same transactional id prefix', () => {
  test('share the accounts when they become three, and again when they become one', async () => {
    const a = await fleet.start('a');
    await fleet.shared([a]);
    await fleet.polled();
    const b = await fleet.start('b');
    const c = await fleet.start('c');
    await fleet.shared([a, b, c]);
    expect([a, b, c].map((one) => one.owned()?.length)).toEqual([2, 2, 2]);
    await fleet.polled();
    expect(await b.stop()).toBe(0);
    expect(await c.stop()).toBe(0);
    await fleet.shared([a]);
    await fleet.polled();
    expect(await a.stop()).toBe(0);

    expect(overlaps(fleet.visits)).toEqual([]);
    expect(await findings(fleet)).toEqual(exactlyOnce);
    // An instance keeps its partitions through a rebalance: the first has lost each at most once.
    expect(a.said('poll stopped')).toBe(0);
  }, 180_000);

  test('publish no batch of a lost partition, early or late, when a rebalance happens during batches', async () => {
    await using proxy = await startKafkaProxy(fleet.deployment.cluster.brokers);
    const a = await fleet.start('a', { KAFKA_BROKERS: proxy.brokers.join(',') });
    await fleet.shared([a]);
    await fleet.polled();
    const held = proxy.inject(apiKeys.produce, 'hold-request', { times: 1000 });
    await until(
      () => held.count() >= partitions,
      () => 'every partition producer of a has a batch under way',
    );
    const b = await fleet.start('b');
    await fleet.shared([a, b]);
    const taken = new Set(b.owned());
    await until(
      () => b.log.filter(({ msg }) => msg === 'transaction ended').length >= taken.size,
      () => 'b publishes',
    );
    held.disarm();
    held.release();
    await until(
      async () => (await findings(fleet)).media >= allMedia,
      () => 'what was held up is published by who has it now',
    );
    expect(await a.stop()).toBe(0);
    expect(await b.stop()).toBe(0);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);

  test('acquire the partitions of a killed instance', async () => {
    const a = await fleet.start('a');
    const b = await fleet.start('b');
    await fleet.shared([a, b]);
    await fleet.polled();
    b.program.process.kill('SIGKILL');
    await b.program.ended;
    await fleet.shared([a]);
    await fleet.polled();
    expect(await a.stop()).toBe(0);

    expect(overlaps(fleet.visits)).toEqual([]);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);

  test('include an instance without partitions, which is ready and reports it, when they outnumber the partitions', async () => {
    const fewer = { KAFKA_TOPICS_STATE_PARTITIONS: '1' };
    const a = await fleet.start('a', fewer);
    await until(
      () => a.owned()?.length === 1,
      () => 'a owns the partition',
    );
    const b = await fleet.start('b', fewer);
    await until(
      () => b.said('no partition owned') > 0,
      () => 'b says that it owns nothing',
    );

    expect(await b.readyz()).toEqual({ status: 200, body: { ready: true, partitions: [] } });
    await fleet.polled();
    expect(
      new Set(fleet.visits.filter((one) => one.accounts.length > 0).map((one) => one.instance)),
    ).toEqual(new Set(['a']));
    expect(await a.stop()).toBe(0);
    await fleet.polled();
    expect(await b.stop()).toBe(0);
    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);
});

describe('instance paused for longer than its session', () => {
  test('publishes nothing, gives up its lost partitions and continues with the new assignment', async () => {
    const a = await fleet.start('a');
    const b = await fleet.start('b');
    await fleet.shared([a, b]);
    await fleet.polled();
    b.program.process.kill('SIGSTOP');
    await until(
      () => a.owned()?.length === partitions,
      () => 'a has taken everything over',
    );
    await fleet.polled();
    b.program.process.kill('SIGCONT');
    await until(
      () => b.log.some(({ cause }) => cause === 'missed-heartbeats'),
      () => 'b notices that it was not heard',
    );
    await fleet.shared([a, b]);
    await fleet.polled();
    expect(await a.stop()).toBe(0);
    expect(await b.stop()).toBe(0);

    expect(await findings(fleet)).toEqual(exactlyOnce);
  }, 180_000);
});
