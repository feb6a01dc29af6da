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
  /** Nothing else is in its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input; none if not given. */
  readonly input?: string | Promise<string>;
  /** Gets what it writes for people as it comes. */
  readonly onErrorText?: (text: string) => void;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const flags = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning'];

/** Runs the program as a user would, to its end. */
export function runCommand(args: readonly string[], given: Given = {}): Promise<Finished> {
  const { env = {}, input = '', onErrorText = () => undefined } = given;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, main, ...args],
      { env, maxBuffer: 32 * 1024 * 1024 },
      (_error, stdout, stderr) => {
        resolve({ exitCode: child.exitCode, stdout, stderr });
      },
    );
    child.stderr?.on('data', onErrorText);
    void Promise.resolve(input).then((text) => child.stdin?.end(text));
  });
}
