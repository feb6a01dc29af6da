/**
 * `npm run demo`: starts a whole local world, runs the real program against it and shows what
 * reaches Kafka; see `sandbox/demo/arguments.ts` for its options.
 */
import { mkdir } from 'node:fs/promises';
import { parseDemoArguments, USAGE } from './demo/arguments.ts';
import { runLive, runOnce } from './demo/run.ts';
import { demoWorld } from './demo/world.ts';
import { startSandbox } from './sandbox.ts';
import { untilAsked } from './stop.ts';

function parse() {
  try {
    return parseDemoArguments(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(USAGE);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const asked = parse();
  if (asked.help) {
    console.log(USAGE);
    return 0;
  }
  const signal = untilAsked();
  const world = await demoWorld(asked);
  // A folder that cannot be written is known before the work, not after it.
  if (asked.out !== undefined) await mkdir(asked.out, { recursive: true });
  try {
    await using sandbox = await startSandbox({
      world,
      log: (line) => {
        console.error(line);
      },
      signal,
    });
    console.log(
      `Kafka and registry: ${sandbox.cluster.brokers.join(',')} (${sandbox.cluster.source})`,
    );
    console.log(`Instagram simulator: ${sandbox.api.url}, ${world.accounts.length} accounts\n`);
    return await (asked.once ? runOnce : runLive)(sandbox, asked, signal);
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
