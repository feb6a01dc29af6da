import { describe, expect, test } from '@jest/globals';
import { apiKeys } from '../support/kafka-frames.ts';
import { claims, createProcessWorld, expectTruth, steps } from './process-world.ts';

/**
 * A proxy holds the real program at a step; the test kills it there and starts it again. Each test has
 * its own world and waits for the session of the killed program, so that several run concurrently.
 */
describe('kill -9 (Invariant 7)', () => {
  test.concurrent.each(Object.keys(steps) as (keyof typeof steps)[])(
    'loses no record and publishes none twice at the step "%s"',
    async (step) => {
      await using world = await createProcessWorld();
      const stop = steps[step](world);
      const program = world.run();
      await stop.met;
      program.process.kill('SIGKILL');
      await program.ended;

      await world.once();
      // The held request reaches the broker after another producer has acquired the partition.
      stop.release();
      await world.once();

      await expectTruth(world);
    },
    120_000,
  );

  test.concurrent(
    'loses no record and publishes none twice at the step "after a poll: the program waits for the next"',
    async () => {
      await using world = await createProcessWorld();
      const program = world.run();
      await program.line(({ msg }) => msg === 'poll finished');
      program.process.kill('SIGKILL');
      await program.ended;

      await world.once();

      await expectTruth(world);
    },
    120_000,
  );

  test.concurrent(
    'loses no dead letter and publishes none twice before the poll of an unusable body has failed',
    async () => {
      const body = 'Sorry, something went wrong.';
      await using world = await createProcessWorld();
      world.api.replace(({ path }) => path.endsWith('/media'), { status: 200, body });
      const stop = world.kafka.inject(apiKeys.endTxn, 'hold-response', { skip: claims });
      const program = world.run();
      await stop.met;
      program.process.kill('SIGKILL');
      await program.ended;

      await world.once();

      const letters = await world.deployment.read('dead_letters');
      expect(letters.map(({ value }) => value?.['raw'])).toEqual([body]);
      await expectTruth(world);
    },
    120_000,
  );
});
