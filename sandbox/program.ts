import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The real program, started as a user would start it. */
export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** How the program is started. */
export interface ProgramOptions {
  readonly command: 'run' | 'once';
  /** Added to an environment without any of the program's own variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Gets each line that it logs. */
  readonly onLine?: (line: string) => void;
  /** The program's main file; this project's own by default. */
  readonly main?: string;
  /** Gets what it writes for people; without it that goes to this process's own standard error. */
  readonly onErrorText?: (text: string) => void;
}

const ownMain = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const ownVariables = /^(INSTAGRAM|KAFKA|SCHEMA_REGISTRY|STREAM|POLLING|HTTP|LOG)/;

/** What Node itself is started with, as in the image; the reasons stand in the Dockerfile. */
export const nodeFlags = ['--max-semi-space-size=4', '--disable-sigusr1'] as const;

/** Starts `src/main.ts`; disposing of it asks it to stop and waits for that. */
export function startProgram(options: ProgramOptions): Program {
  const inherited = Object.entries(process.env).filter(([name]) => !ownVariables.test(name));
  const child = spawn(process.execPath, [...nodeFlags, options.main ?? ownMain, options.command], {
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ['ignore', 'pipe', options.onErrorText === undefined ? 'inherit' : 'pipe'],
    // Ctrl-C on the terminal is the demo's to handle: it stops the program before the cluster.
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => {
    // `close` comes after the last output; `exit` may come before it.
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
