import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
const TIMEOUT_MS = 600_000;

/** Instructions for the programs that a machine may lack. */
const installs: Readonly<Record<string, string>> = {
  mvn: 'install Java 17 and Maven 3.8 or later (apt-get install maven)',
  go: 'install Go 1.26 or later',
};

/** A command of a recipe, run in its folder with the settings of the environment. */
export interface Recipe {
  /** Its folder in `examples/`. */
  readonly folder: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a recipe to its end.
 *
 * @returns the lines of its standard output, without Maven's colors
 * @throws Error when it fails (with its output), or when a program is missing (with what to install)
 */
export async function runRecipe(recipe: Recipe): Promise<readonly string[]> {
  const [command, ...args] = recipe.command;
  const options = { ...optionsOf(recipe), maxBuffer: 64 * 1024 * 1024, timeout: TIMEOUT_MS };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(command, args, options, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else reject(failureOf(command, error, `${stdout}${stderr}`));
  });
  return stripVTControlCharacters(await promise)
    .split('\n')
    .filter((line) => line !== '');
}

/** A recipe that runs until it is stopped; disposal stops it. */
export interface RunningRecipe extends AsyncDisposable {
  /** @throws Error when the recipe has ended by itself, with its output */
  readonly check: () => void;
}

/**
 * Starts a recipe that runs until it is stopped.
 *
 * @throws Error when a program is missing (with what to install)
 */
export async function startRecipe(recipe: Recipe): Promise<RunningRecipe> {
  const [command, ...args] = recipe.command;
  // A group of its own: a signal reaches the programs that a script or Maven starts.
  const options = { ...optionsOf(recipe), detached: true };
  const child = spawn(command, args, options);
  await once(child, 'spawn').catch((error: unknown) => {
    throw failureOf(command, error as Error, '');
  });
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

function optionsOf({ folder, env }: Recipe): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: join(EXAMPLES, folder), env: { ...process.env, ...env } };
}

function failureOf(command: string, error: Error, output: string): Error {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const reason = isMissing ? `${command} is missing: ${installs[command] ?? ''}` : error.message;
  return new Error(`${reason}\n${output}`.trim(), { cause: error });
}
