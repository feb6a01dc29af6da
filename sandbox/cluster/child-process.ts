import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import type { Member } from './cluster.ts';
import { waitUntil } from './readiness.ts';
import type { Watchdog } from './watchdog.ts';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const LOG_TAIL_LINES = 25;

/** A program to run as a member of a cluster. */
export interface MemberProgram {
  /** What to call it in errors, such as `broker 0`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Both outputs are appended to this file. */
  readonly logFile: string;
  /** Whether it serves; must not reject. */
  readonly serves: () => Promise<boolean>;
}

interface RunningChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/**
 * Makes a member out of a program; nothing runs before its `start`.
 *
 * The program gets a session of its own, so that Ctrl-C in a terminal reaches only us, who then stop it in order. It
 * does not keep this process alive; the watchdog ends it when this process ends.
 *
 * @param signal - ends a start that is under way
 */
export function createProcessMember(
  program: MemberProgram,
  watchdog: Watchdog,
  signal?: AbortSignal,
): Member {
  let current: RunningChild | undefined;

  async function end(child: RunningChild, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    child.process.ref();
    child.process.kill(how);
    await child.exited;
  }

  async function start(): Promise<void> {
    if (current !== undefined) return;
    const child = await launch(program, watchdog);
    current = child;
    void child.exited.then(() => {
      if (current === child) current = undefined;
    });
    const check = (): void => {
      if (current !== child) throw new Error(`${program.name} ended while starting`);
    };
    try {
      const patience = { what: program.name, timeoutMs: START_TIMEOUT_MS, signal, check };
      await waitUntil(program.serves, patience);
    } catch (error) {
      await end(child, 'SIGKILL');
      throw await withLogTail(error, program.logFile);
    }
  }

  return {
    start,
    async kill() {
      if (current !== undefined) await end(current, 'SIGKILL');
    },
    async stop() {
      if (current === undefined) return;
      const child = current;
      child.process.kill('SIGCONT');
      const timer = setTimeout(() => child.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await end(child, 'SIGTERM');
      clearTimeout(timer);
    },
    pause: () => Promise.resolve(void current?.process.kill('SIGSTOP')),
    resume: () => Promise.resolve(void current?.process.kill('SIGCONT')),
  };
}

async function launch(program: MemberProgram, watchdog: Watchdog): Promise<RunningChild> {
  const output = openSync(program.logFile, 'a');
  const child = spawn(program.command, program.args, {
    env: program.env,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  watchdog.guardProcess(pid);
  const exited = once(child, 'exit').then(() => {
    watchdog.releaseProcess(pid);
  });
  child.unref();
  return { process: child, pid, exited };
}

async function withLogTail(error: unknown, logFile: string): Promise<Error> {
  const reason = error instanceof Error ? error.message : String(error);
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const tail = text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  return new Error(`${reason}; the last lines of its log:\n${tail}`, { cause: error });
}

/** What a short-lived command gave. */
export interface CommandResult {
  readonly exitCode: number | null;
  /** Both outputs, in the order of their coming. */
  readonly output: string;
}

/**
 * Runs a command to its end.
 *
 * @throws Error when it cannot be started (`ENOENT`: no such program) or the signal aborts, which ends it
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; signal?: AbortSignal | undefined },
): Promise<CommandResult> {
  const child = spawn(command, args, {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const chunks: Buffer[] = [];
  const collect = (chunk: Buffer): void => {
    chunks.push(chunk);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output: Buffer.concat(chunks).toString('utf8') };
}
