import { describe, expect, test } from '@jest/globals';
import { apiKeys } from '../support/kafka-frames.ts';
import {
  type ProcessWorld,
  claims,
  createProcessWorld,
  expectNothingOpen,
  expectTruth,
  steps,
} from './process-world.ts';

/** After the grace period the program would exit with 1. */
const grace = { POLLING_SHUTDOWN_GRACE: '25s' };

/** Less than the default: the shutdown's budget follows it. */
const graceMs = 15_000;
const tight = {
  POLLING_SHUTDOWN_GRACE: `${graceMs}ms`,
  // The instance must still own the partition while it resolves the outcome of the batch.
  KAFKA_GROUP_SESSION_TIMEOUT: '15s',
};

/** Stops a program at a step, with brokers that no longer answer. */
async function expectInTime(world: ProcessWorld, met: () => Promise<void>): Promise<void> {
  const program = world.run(tight);
  await met();
  world.kafka.setMute(true);
  const startedMs = performance.now();
  program.process.kill('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(graceMs);
}

/** Checks that nothing is lost or duplicated once the brokers answer again. */
async function expectGoesOn(world: ProcessWorld): Promise<void> {
  world.kafka.setMute(false);
  // A member that could not leave stays in the group until its session ends.
  await world.once({ KAFKA_GROUP_SESSION_TIMEOUT: tight.KAFKA_GROUP_SESSION_TIMEOUT });
  await expectTruth(world);
}

describe('SIGTERM (Invariant 7)', () => {
  test.concurrent.each(Object.keys(steps) as (keyof typeof steps)[])(
    'exits with 0 and leaves no transaction open at the step "%s"',
    async (step) => {
      await using world = await createProcessWorld();
      const stop = steps[step](world);
      const program = world.run(grace);
      await stop.met;
      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);
      await expectNothingOpen(world);

      stop.release();
      await world.once();

      await expectTruth(world);
    },
    120_000,
  );

  test.concurrent(
    'exits with 0 and leaves no transaction open while the program waits for the next interval',
    async () => {
      await using world = await createProcessWorld();
      const program = world.run(grace);
      await program.line(({ msg }) => msg === 'poll finished');
      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);
      await expectNothingOpen(world);
      await expectTruth(world);
    },
    120_000,
  );

  test.concurrent(
    'exits with 0 while the program waits for a limit that lasts an hour',
    async () => {
      await using world = await createProcessWorld();
      const code = {
        code: 4,
        type: 'OAuthException',
        message: 'Application request limit reached',
      };
      const body = JSON.stringify({ error: code });
      world.api.replace(({ path }) => path.endsWith('/media'), { status: 400, body });
      const program = world.run(grace);
      await program.line(({ msg }) => msg === 'quota is used up');
      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);
    },
    120_000,
  );

  test.concurrent.each(Object.keys(steps) as (keyof typeof steps)[])(
    'exits with 0 in time at the step "%s" when brokers stop answering',
    async (step) => {
      await using world = await createProcessWorld();
      const stop = steps[step](world);
      await expectInTime(world, async () => {
        await stop.met;
      });
      stop.release();
      await expectGoesOn(world);
    },
    120_000,
  );

  test.concurrent(
    'exits with 0 in time while the next producer of a retried batch opens and brokers stop answering',
    async () => {
      await using world = await createProcessWorld();
      // kafkajs itself repeats a cut produce request, but not a commit.
      const cut = world.kafka.inject(apiKeys.endTxn, 'cut-request', { skip: claims });
      await expectInTime(world, async () => {
        await cut.met;
        await world.kafka.inject(apiKeys.initProducerId, 'hold-request', { times: 1000 }).met;
      });
      await expectGoesOn(world);
    },
    120_000,
  );

  test.concurrent(
    'exits with 0 in time while the outcome of a commit is resolved and brokers stop answering',
    async () => {
      await using world = await createProcessWorld();
      const cut = world.kafka.inject(apiKeys.endTxn, 'cut-response', { skip: claims });
      await expectInTime(world, async () => {
        await cut.met;
        await world.kafka.inject(apiKeys.listOffsets, 'hold-request', { times: 1000 }).met;
      });
      await expectGoesOn(world);
    },
    120_000,
  );

  test.concurrent(
    'exits with 0 in time while the instance leaves the group and brokers stop answering',
    async () => {
      await using world = await createProcessWorld();
      const leaving = world.kafka.inject(apiKeys.leaveGroup, 'hold-request', { times: 1000 });
      const program = world.run(tight);
      await program.line(({ msg }) => msg === 'poll finished');
      const startedMs = performance.now();
      program.process.kill('SIGTERM');
      await leaving.met;
      world.kafka.setMute(true);
      expect(await program.ended).toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(graceMs);
      world.kafka.setMute(false);
      await expectTruth(world);
    },
    120_000,
  );

  test.concurrent(
    'exits with 0 during start-up when every dependency is unreachable',
    async () => {
      await using world = await createProcessWorld();
      const nobody = '127.0.0.1:1';
      const program = world.run({
        ...grace,
        KAFKA_BROKERS: nobody,
        SCHEMA_REGISTRY_URL: `http://${nobody}`,
        INSTAGRAM_BASE_URL: `http://${nobody}`,
      });
      await Promise.all(
        ['kafka', 'registry', 'graph'].map((name) =>
          program.line(({ msg, dependency }) => msg === 'dependency down' && dependency === name),
        ),
      );
      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);
    },
    120_000,
  );
});

describe('second signal', () => {
  test.concurrent.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    '%s ends the program at once with %i',
    async (signal, code) => {
      await using world = await createProcessWorld();
      const stop = steps['producing: the broker has the records'](world);
      const program = world.run(grace);
      await stop.met;
      program.process.kill('SIGTERM');
      await program.line(({ msg }) => msg === 'stopping');
      program.process.kill(signal);
      expect(await program.ended).toBe(code);

      await world.once();
      await expectTruth(world);
    },
    120_000,
  );
});
