/**
 * `npm run sandbox`: the local world alone; prints the environment that connects the program to it.
 */
import { once } from 'node:events';
import { parseSandboxArguments, SANDBOX_USAGE } from './demo/arguments.ts';
import { demoWorld } from './demo/world.ts';
import { describeSpeed } from './graph-api/world/clock.ts';
import { createProgress } from './progress.ts';
import { startSandbox } from './sandbox.ts';
import { runMain, stopSignal } from './stop.ts';

await runMain({ parse: parseSandboxArguments, usage: SANDBOX_USAGE }, async (options) => {
  const signal = stopSignal();
  const log = (line: string): void => {
    console.error(line);
  };
  try {
    const world = await demoWorld(options);
    using progress = createProgress(log);
    await using sandbox = await startSandbox({ ...options, world, log: progress.log, signal });
    progress[Symbol.dispose]();
    for (const [name, value] of Object.entries(sandbox.env)) {
      console.log(`export ${name}='${value}'`);
    }
    log(`\nthe simulator's clock ${describeSpeed(world.clock)}`);
    log(`its own controls are listed at ${sandbox.api.url}/_sandbox/`);
    log('paste or source these lines in another terminal, and run the program there: npm start');
    log('stop with Ctrl-C');
    await once(signal, 'abort');
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
});
