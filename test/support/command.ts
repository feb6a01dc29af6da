import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a finished command left. */
export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command is given. */
export interface Given {
  /** Nothing else is in its environment but where Node keeps what it has compiled. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input; none if not given. */
  readonly input?: string | Promise<string>;
  /** Gets what it writes for people as it comes. */
  readonly onErrorText?: (text: string) => void;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Half of what a short command does is compile the program, which is the same each time. */
const compileCache = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };

/** Runs the program as a user would, to its end. */
export function runCommand(args: readonly string[], given: Given = {}): Promise<Finished> {
  const { env = {}, input = '', onErrorText = () => undefined } = given;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { ...compileCache, ...env }, maxBuffer: 32 * 1024 * 1024 },
      (_error, stdout, stderr) => {
        resolve({ exitCode: child.exitCode, stdout, stderr });
      },
    );
    child.stderr?.on('data', onErrorText);
    void Promise.resolve(input).then((text) => child.stdin?.end(text));
  });
}
