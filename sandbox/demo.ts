/**
 * `npm run demo`: starts a whole local world, runs the real program against it and shows the
 * records in Kafka; see `sandbox/demo/arguments.ts` for its options.
 */
import { mkdir } from 'node:fs/promises';
import { parseDemoArguments, USAGE } from './demo/arguments.ts';
import { runLive, runOnce } from './demo/run.ts';
import { demoWorld } from './demo/world.ts';
import { describeSpeed } from './graph-api/world/clock.ts';
import { createProgress } from './progress.ts';
import { startSandbox } from './sandbox.ts';
import { runMain, stopSignal } from './stop.ts';

await runMain({ parse: parseDemoArguments, usage: USAGE }, async (options) => {
  const signal = stopSignal();
  using progress = createProgress((line) => {
    console.error(line);
  });
  progress.log('demo: a Kafka, a schema registry, a simulated Instagram, then the program');
  const world = await demoWorld(options);
  // Detects an unwritable folder before the work.
  if (options.out !== undefined) await mkdir(options.out, { recursive: true });
  try {
    await using sandbox = await startSandbox({ ...options, world, log: progress.log, signal });
    console.log(
      `Kafka and registry: ${sandbox.cluster.brokers.join(',')} (${sandbox.cluster.source})`,
    );
    console.log(`Instagram simulator: ${sandbox.api.url}, ${world.accounts.length} accounts`);
    console.log(`Its clock ${describeSpeed(world.clock)}.\n`);
    return await (options.once ? runOnce : runLive)({ sandbox, options, progress, signal });
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
});
