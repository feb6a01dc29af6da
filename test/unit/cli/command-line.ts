import { type Finished, runCommand } from '../../support/command.ts';

/** Runs the program as a user would, with nothing in the environment but `env`. */
export function runMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runCommand(args, { env });
}
