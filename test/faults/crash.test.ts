import { describe, expect, test } from '@jest/globals';
import { apiKeys } from '../support/kafka-frames.ts';
import { claims, createProcessWorld, expectTruth, steps } from './process-world.ts';

/**
 * The real program is held at a step, killed there and started again. Each has a world of its own, and
 * waits for the session of the one that was killed: several wait at once.
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
      // What was held reaches the broker when another producer has long taken over.
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
