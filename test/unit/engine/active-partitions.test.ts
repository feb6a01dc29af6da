import { describe, expect, test } from '@jest/globals';
import { RetryError, StopProcessError } from '../../../src/engine/errors.ts';
import type { Restored } from '../../../src/engine/ports.ts';
import { ActivePartitions } from '../../../src/engine/active-partitions.ts';
import { createFakeStore } from '../../support/fake-group.ts';
import { settle } from '../../support/manual-clock.ts';
import { createWorld } from './world.ts';

function setUp(store = createFakeStore()) {
  const world = createWorld();
  const fatal: unknown[] = [];
  const changes: (readonly number[])[] = [];
  const activePartitions = new ActivePartitions({
    store,
    start: { ...world, deadlineMs: null },
    onChange: () => changes.push([...activePartitions.active().keys()]),
    onFatal: (error) => fatal.push(error),
  });
  return { world, store, activePartitions, changes, fatal };
}

describe('an active partition', () => {
  test('is active once it is restored, and released when the assignment loses it', async () => {
    const { activePartitions, store, changes } = setUp();
    activePartitions.assign([0, 1]);
    expect([...activePartitions.active().keys()]).toEqual([]);
    await settle();
    activePartitions.assign([1]);
    await settle();

    expect(changes.at(-1)).toEqual([1]);
    expect(store.journal).toEqual(['restore 0', 'restore 1', 'release 0']);
  });

  test('is not restored again when the next assignment keeps it', async () => {
    const { activePartitions, store } = setUp();
    activePartitions.assign([0]);
    await settle();
    const before = activePartitions.active().get(0);
    activePartitions.assign([0, 1]);
    await settle();

    expect(activePartitions.active().get(0)).toBe(before);
    expect(before?.signal.aborted).toBe(false);
    expect(store.journal).toEqual(['restore 0', 'restore 1']);
  });

  test('is restored again only after the polls of its previous assignment have ended', async () => {
    const { activePartitions, store } = setUp();
    activePartitions.assign([0]);
    await settle();
    const poll = Promise.withResolvers<undefined>();
    activePartitions
      .active()
      .get(0)
      ?.polls.add(poll.promise.then(() => undefined));
    activePartitions.assign([]);
    activePartitions.assign([0]);
    await settle();
    expect(store.journal).toEqual(['restore 0', 'release 0']);

    poll.resolve(undefined);
    await settle();
    expect(store.journal).toEqual(['restore 0', 'release 0', 'restore 0']);
  });

  test('is never owned when the assignment loses it during its restore', async () => {
    const reading = Promise.withResolvers<ReadonlyMap<string, Restored>>();
    const { activePartitions, changes } = setUp(createFakeStore(new Map(), () => reading.promise));
    activePartitions.assign([0]);
    await settle();
    activePartitions.assign([]);
    reading.resolve(new Map());
    await settle();

    expect([...activePartitions.active().keys()]).toEqual([]);
    expect(changes).toEqual([[]]);
  });

  test('ends the process when reading its states is not authorized', async () => {
    const refused = new StopProcessError('kafka.unauthorized', 'no', { exitCode: 3 });
    const { activePartitions, fatal } = setUp(
      createFakeStore(new Map(), () => Promise.reject(refused)),
    );
    activePartitions.assign([0]);
    await settle();

    expect(fatal).toEqual([refused]);
  });
});

describe('the dependency "state"', () => {
  test('is ready when no partition is assigned, and when every assigned partition is restored', async () => {
    const { world, activePartitions } = setUp();
    activePartitions.assign([]);
    activePartitions.assign([0, 1]);
    await settle();

    expect(
      world.telemetry.ofType('dependency').map(({ ready, reason }) => (ready ? 'ready' : reason)),
    ).toEqual(['ready', 'restoring partitions 0, 1', 'restoring partitions 1', 'ready']);
    const starts = world.telemetry.ofType('dependency').map(({ isStarting }) => isStarting);
    expect(starts).toEqual([false, true, true, false]);
  });

  test('is failed rather than starting when the states cannot be read', async () => {
    const answers = [new RetryError('kafka.unavailable', 'no broker answers'), new Map()];
    const store = createFakeStore(new Map(), () => {
      const answer = answers.shift();
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(answer ?? new Map());
    });
    const { world, activePartitions } = setUp(store);
    activePartitions.assign([0]);
    await settle();

    const told = world.telemetry.ofType('dependency');
    expect(told.map(({ reason, isStarting }) => [reason, isStarting])).toEqual([
      ['restoring partitions 0', true],
      ['restoring partitions 0: no broker answers', false],
    ]);
  });
});
