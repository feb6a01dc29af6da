/**
 * `npm run demo`: starts a whole local world, runs the real program against it and shows what
 * reaches Kafka; see `sandbox/demo/arguments.ts` for its options.
 */
import { mkdir } from 'node:fs/promises';
import { parseDemoArguments, USAGE } from './demo/arguments.ts';
import { runLive, runOnce } from './demo/run.ts';
import { demoWorld } from './demo/world.ts';
import { describeSpeed } from './graph-api/world/clock.ts';
import { startSandbox } from './sandbox.ts';
import { runMain, untilAsked } from './stop.ts';

await runMain({ parse: parseDemoArguments, usage: USAGE }, async (asked) => {
  const signal = untilAsked();
  const world = await demoWorld(asked);
  // A folder that cannot be written is known before the work, not after it.
  if (asked.out !== undefined) await mkdir(asked.out, { recursive: true });
  try {
    await using sandbox = await startSandbox({
      ...asked,
      world,
      log: (line) => {
        console.error(line);
      },
      signal,
    });
    console.log(
      `Kafka and registry: ${sandbox.cluster.brokers.join(',')} (${sandbox.cluster.source})`,
    );
    console.log(`Instagram simulator: ${sandbox.api.url}, ${world.accounts.length} accounts`);
    console.log(`Its clock ${describeSpeed(world.clock)}.\n`);
    return await (asked.once ? runOnce : runLive)(sandbox, asked, signal);
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
});
