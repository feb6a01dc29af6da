import { createWriteStream } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWatchdog } from '../../sandbox/cluster/watchdog.ts';
import { type Program, startProgram } from '../../sandbox/program.ts';

/** The real program, several times over, each a process of its own. */
export interface Fleet extends AsyncDisposable {
  readonly size: number;
  /** Starts those that do not run. */
  start(index?: number): void;
  /** SIGKILL; resolves when it is gone. */
  kill(index: number): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(index: number): Promise<number | null>;
  /** SIGSTOP. */
  pause(index: number): void;
  /** SIGCONT. */
  resume(index: number): void;
  /** Instances that ended although nobody asked them to, and how. */
  readonly surprises: readonly string[];
}

/** What the instances are. */
export interface FleetOptions {
  readonly size: number;
  /** The environment of each instance. */
  readonly env: (index: number) => Readonly<Record<string, string>>;
  /** The program to run in place of this project's own. */
  readonly main?: string;
  /** Folder for a log file of each instance. */
  readonly logs?: string;
  readonly say: (line: string) => void;
}

/** Makes a fleet; nothing runs before its `start`. */
export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const directory = await mkdtemp(join(tmpdir(), 'chaos-'));
  const watchdog = await startWatchdog(directory, process.env);
  const running = new Map<number, Program>();
  const surprises: string[] = [];
  const launch = (index: number): void => {
    const program = startInstance(index, options);
    const { pid = 0 } = program.process;
    running.set(index, program);
    watchdog.guardProcess(pid);
    void program.ended.then((code) => {
      watchdog.releaseProcess(pid);
      if (running.get(index) !== program) return;
      running.delete(index);
      surprises.push(`instance ${index} ended by itself with ${String(code)}`);
      options.say(surprises.at(-1) ?? '');
    });
  };
  const end = async (index: number, signal: NodeJS.Signals): Promise<number | null> => {
    const program = running.get(index);
    if (program === undefined) return null;
    running.delete(index);
    // A stopped process does not hear what it is asked.
    if (signal !== 'SIGKILL') program.process.kill('SIGCONT');
    program.process.kill(signal);
    return program.ended;
  };
  const fleet: Fleet = {
    size: options.size,
    surprises,
    start(index) {
      const wanted = index === undefined ? [...Array(options.size).keys()] : [index];
      wanted.filter((one) => !running.has(one)).forEach(launch);
    },
    async kill(index) {
      await end(index, 'SIGKILL');
    },
    stop: (index) => end(index, 'SIGTERM'),
    pause: (index) => void running.get(index)?.process.kill('SIGSTOP'),
    resume: (index) => void running.get(index)?.process.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map((index) => end(index, 'SIGKILL')));
      await watchdog[Symbol.asyncDispose]();
    },
  };
  return fleet;
}

function startInstance(index: number, { env, main, logs }: FleetOptions): Program {
  const file =
    logs === undefined
      ? undefined
      : createWriteStream(join(logs, `instance-${index}.log`), { flags: 'a' });
  const write = (text: string): void => void file?.write(text);
  const program = startProgram({
    command: 'run',
    env: { ...env(index), POLLING_INSTANCE: `instance-${index}` },
    onLine: (line) => {
      write(`${line}\n`);
    },
    onErrorText: write,
    ...(main === undefined ? {} : { main }),
  });
  void program.ended.then(() => file?.end());
  return program;
}
