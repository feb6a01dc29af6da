import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The real program in a process of its own, as a user would start it. */
export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Options of the program's start. */
export interface ProgramOptions {
  readonly command: 'run' | 'once';
  /** Added to an environment without any of the program's own variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives each line of its log. */
  readonly onLine?: (line: string) => void;
  /** The program's main file; this project's own by default. */
  readonly main?: string;
  /** Receives its messages for people; by default they go to this process's standard error. */
  readonly onErrorText?: (text: string) => void;
}

const ownMain = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const ownVariables = /^(INSTAGRAM|KAFKA|SCHEMA_REGISTRY|STREAM|POLLING|HTTP|LOG)/;

/** Node's own options, as in the image; the Dockerfile has the reasons. */
export const nodeFlags = [
  '--max-semi-space-size=4',
  '--heap-growing-percent=60',
  '--disable-sigusr1',
] as const;

/** Starts `src/main.ts`; disposal stops it and waits for its end. */
export function startProgram(options: ProgramOptions): Program {
  const inherited = Object.entries(process.env).filter(([name]) => !ownVariables.test(name));
  const child = spawn(process.execPath, [...nodeFlags, options.main ?? ownMain, options.command], {
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ['ignore', 'pipe', options.onErrorText === undefined ? 'inherit' : 'pipe'],
    // The demo handles Ctrl-C on the terminal: it stops the program before the cluster.
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => {
    // `close` follows the last output; `exit` may precede it.
    child.on('close', resolve);
  });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  void ended.then(() => process.off('exit', kill));
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => options.onErrorText?.(text));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach((line) => options.onLine?.(line));
  });
  return {
    process: child,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
