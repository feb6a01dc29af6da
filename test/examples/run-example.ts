import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const TIMEOUT_MS = 600_000;

/** Options of a run. */
export interface RunOptions {
  /** The script in the folder of the example; `run.sh` by default. */
  readonly script?: string;
  readonly args?: readonly string[];
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs an example of `examples/` to its end, from the project's root as in its README.
 *
 * @returns the lines of its standard output
 * @throws Error when it fails, with its output
 */
export async function runExample(
  folder: string,
  { script, args = [], env }: RunOptions = {},
): Promise<readonly string[]> {
  const options = { ...optionsOf(env), maxBuffer: 64 * 1024 * 1024, timeout: TIMEOUT_MS };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(commandOf(folder, script), args, options, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else reject(new Error(`${error.message}\n${stdout}${stderr}`, { cause: error }));
  });
  return (await promise).split('\n').filter((line) => line !== '');
}

/** An example that runs until it is stopped; disposal stops it. */
export interface RunningExample extends AsyncDisposable {
  /** @throws Error when the example has ended by itself, with its output */
  readonly check: () => void;
}

/** Starts an example that runs until it is stopped. */
export async function startExample(
  folder: string,
  { script, args = [], env }: RunOptions = {},
): Promise<RunningExample> {
  const command = commandOf(folder, script);
  // A group of its own: a signal reaches the programs that the script or Maven starts.
  const child = spawn(command, args, { ...optionsOf(env), detached: true });
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return {
    check() {
      if (child.exitCode !== null) throw new Error(`${command} has ended: ${chunks.join('')}`);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await exited;
    },
  };
}

function commandOf(folder: string, script = 'run.sh'): string {
  return join(ROOT, 'examples', folder, script);
}

function optionsOf(env: RunOptions['env']): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: ROOT, env: { ...process.env, ...env } };
}
