import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExitCode } from '../engine/errors.ts';
import { type CommandDefinition } from './command.ts';

/** For this project's development, in a checkout only. */
export const sandboxCommand: CommandDefinition = {
  usage: 'sandbox',
  about:
    'start Kafka, a schema registry and a simulated API, and print the settings that connect the program to them; runs until Ctrl-C',
  examples: ['sandbox', 'sandbox > sandbox.env'],
  exits: {
    0: 'stopped by SIGTERM or SIGINT',
    2: 'bad usage, or this installation has no sandbox',
    3: 'a part of it could not be downloaded or started',
  },
  settings: null,
  run: () => runSandbox(fileURLToPath(new URL('../..', import.meta.url))),
};

/** Starts under the project's own Node and installs missing packages. */
const starter = 'scripts/ensure-installed.mjs';
const main = 'sandbox/main.ts';

/** @param folder - of the checkout; an installed package lacks the sandbox */
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
  // A terminal's Ctrl-C reaches both processes; a signal to this process alone is forwarded.
  const forward = (name: NodeJS.Signals) => child.kill(name);
  const ignore = () => undefined;
  process.on('SIGTERM', forward).on('SIGINT', ignore);
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('SIGTERM', forward).off('SIGINT', ignore);
  return code === 0 ? 0 : 3;
}
