import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a finished command left. */
export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Runs the program as a user would, with nothing in the environment but `env`. */
export function runMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, stdout, stderr });
    });
  });
}
