import { type Finished, runCommand } from '../../support/command.ts';

/** Runs a command in a shared worker process, with nothing in its environment but `env`. */
export function runMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runCommand(args, { env });
}
