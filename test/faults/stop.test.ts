import { describe, expect, test } from '@jest/globals';
import { apiKeys } from '../support/kafka-frames.ts';
import { createProcessWorld, expectNothingOpen, expectTruth, steps } from './process-world.ts';

/** After the grace period the program would end itself with 1. */
const grace = { POLLING_SHUTDOWN_GRACE: '25s' };

describe('SIGTERM ends the program with 0 and leaves no transaction open (Invariant 7)', () => {
  test.concurrent.each(Object.keys(steps) as (keyof typeof steps)[])(
    '%s',
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
    'waiting for the next interval',
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
    'waiting for a limit that lasts an hour',
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

  test.concurrent.each([
    ['a send', apiKeys.produce],
    ['a commit', apiKeys.endTxn],
    ['joining the group', apiKeys.joinGroup],
  ] as const)(
    'waiting for brokers that answer nothing at all to %s, nor to anything after it',
    async (_what, apiKey) => {
      await using world = await createProcessWorld();
      const held = world.kafka.inject(apiKey, 'hold-request', { times: 1000 });
      const program = world.run({
        // Less than the default leaves: a loaded machine must be in time as well.
        POLLING_SHUTDOWN_GRACE: '22s',
        // It still takes the partition for its own when it looks for what became of the batch.
        KAFKA_GROUP_SESSION_TIMEOUT: '15s',
      });
      await held.met;
      world.kafka.setMute(true);
      program.process.kill('SIGTERM');
      expect(await program.ended).toBe(0);
      held.disarm();
      world.kafka.setMute(false);
      await world.once();
      await expectTruth(world);
    },
    120_000,
  );

  test.concurrent(
    'starting, with everything away',
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

describe('a second signal ends the program at once', () => {
  test.concurrent.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    '%s with %i',
    async (signal, code) => {
      await using world = await createProcessWorld();
      const stop = steps['sending: the broker has the records'](world);
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
