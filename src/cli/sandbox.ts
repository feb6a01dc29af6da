import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExitCode } from '../engine/errors.ts';
import { stoppable, type CommandDefinition } from './command.ts';

/** `sandbox`: the local world of this project's own development, where it is there. */
export const sandboxCommand: CommandDefinition = {
  usage: 'sandbox',
  about:
    'start a Kafka, a schema registry and a simulated API, and print what the program must be told to use them; until Ctrl-C',
  examples: ['sandbox', 'sandbox > sandbox.env'],
  exits: {
    0: 'stopped as asked',
    2: 'bad usage, or this installation has no sandbox',
    3: 'what it consists of could not be had or started',
    ...stoppable,
  },
  settings: null,
  run: () => runSandbox(fileURLToPath(new URL('../..', import.meta.url))),
};

/** It begins in the project's own Node, and installs what is missing. */
const starter = 'scripts/ensure-installed.mjs';
const main = 'sandbox/main.ts';

/** @param folder - of the whole project; an installed package has less of it */
export async function runSandbox(folder: string): Promise<ExitCode> {
  if (![starter, main].every((file) => existsSync(join(folder, file)))) {
    process.stderr.write(
      'This installation has no sandbox: it is for development and comes with the sources. ' +
        "Get the project's repository and run `npm run sandbox` in it.\n",
    );
    return 2;
  }
  const child = spawn(process.execPath, [join(folder, starter), main], {
    cwd: folder,
    stdio: 'inherit',
  });
  // A terminal's Ctrl-C reaches both; whoever asks this process alone is passed on.
  const pass = (name: NodeJS.Signals) => child.kill(name);
  const stay = () => undefined;
  process.on('SIGTERM', pass).on('SIGINT', stay);
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('SIGTERM', pass).off('SIGINT', stay);
  return code === 0 ? 0 : 3;
}
