/** `npm run sandbox`: the local world alone; prints the environment to run the program beside it. */
import { once } from 'node:events';
import { demoWorld } from './demo/world.ts';
import { startSandbox } from './sandbox.ts';
import { untilAsked } from './stop.ts';

const signal = untilAsked();
try {
  await using sandbox = await startSandbox({
    world: await demoWorld({ once: false }),
    log: (line) => {
      console.error(line);
    },
    signal,
  });
  for (const [name, value] of Object.entries(sandbox.env)) console.log(`export ${name}=${value}`);
  console.error(`\nthe simulator's own controls are listed at ${sandbox.api.url}/_sandbox/`);
  console.error('paste these lines into another terminal to run the program there: npm start');
  console.error('stop with Ctrl-C');
  await once(signal, 'abort');
} catch (error) {
  if (!signal.aborted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
