import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StateWrite } from '../../../src/kafka/index.ts';
import {
  type KafkaWorld,
  createKafkaWorld,
  mediaBatch,
  mediaRecord,
  noSignal,
} from '../../support/kafka-world.ts';

let world: KafkaWorld;

beforeAll(async () => {
  world = await createKafkaWorld();
}, 120_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** An instance that has published once, and a planned write over its state. */
async function planned(accountId: string) {
  const instance = await world.openReady();
  await instance.publisher.publish(mediaBatch(accountId, 1, [mediaRecord('1')]), noSignal);
  const { stateAdmin: admin } = await world.openReady();
  const key = `media/${accountId}`;
  const stored = (await admin.read(noSignal)).find((one) => one.key === key);
  const write: StateWrite = {
    key,
    partition: admin.partitionOf(accountId),
    state: mediaBatch(accountId, 2, []).state,
    expected: stored?.value ?? null,
  };
  const sequences = async () =>
    (await world.read('state', 0))
      .filter((record) => record.key === key)
      .map(({ value }) => (JSON.parse(String(value)) as { sequence: number }).sequence);
  return { instance, admin, stored, write, sequences };
}

describe('StateAdmin', () => {
  test('reads the state of an instance without disturbing the instance', async () => {
    const { instance, admin, stored } = await planned('17841400000000011');

    expect(stored).toMatchObject({
      partition: admin.partitionOf('17841400000000011'),
      restored: { kind: 'state', state: { sequence: 1 } },
    });
    await expect(
      instance.publisher.publish(mediaBatch('17841400000000011', 2, []), noSignal),
    ).resolves.toBeUndefined();
  }, 60_000);

  test('writes the planned state, and fences the instance that owned the partition (Invariant 4)', async () => {
    const { instance, admin, write, sequences } = await planned('17841400000000012');

    await admin.write([write], noSignal);

    expect(await sequences()).toEqual([1, 2]);
    await expect(
      instance.publisher.publish(mediaBatch('17841400000000012', 2, []), noSignal),
    ).rejects.toMatchObject({ code: 'kafka.fenced' });
  }, 60_000);

  test('writes nothing when the state changed after it was read', async () => {
    const { instance, admin, write, sequences } = await planned('17841400000000013');
    await instance.publisher.publish(mediaBatch('17841400000000013', 2, []), noSignal);

    await expect(admin.write([write], noSignal)).rejects.toMatchObject({
      code: 'state.owned',
      exitCode: 3,
    });
    expect(await sequences()).toEqual([1, 2]);
  }, 60_000);

  test('writes nothing when a state exists where none was expected', async () => {
    const { admin, write, sequences } = await planned('17841400000000014');

    await expect(admin.write([{ ...write, expected: null }], noSignal)).rejects.toMatchObject({
      code: 'state.owned',
    });
    expect(await sequences()).toEqual([1]);
  }, 60_000);
});
