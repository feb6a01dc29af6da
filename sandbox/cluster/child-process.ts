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

/** A program that runs as a member of a cluster. */
export interface MemberProgram {
  /** Name in errors, such as `broker 0`. */
  readonly name: string;
  readonly command: string;
  /** Its arguments at each start. */
  readonly args: () => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Both outputs are appended to this file. */
  readonly logFile: string;
  /** True when the program accepts requests; must not reject. */
  readonly serves: () => Promise<boolean>;
  /** The longest start; 90 s by default. */
  readonly startTimeoutMs?: number;
}

interface RunningChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/**
 * Creates a member from a program; nothing runs before its `start`.
 * The program gets its own session, so that Ctrl-C in a terminal reaches only this process, which
 * then stops the members in order. The program does not keep this process alive; the watchdog ends
 * it when this process ends.
 *
 * @param signal - aborts a running start
 */
export function createProcessMember(
  program: MemberProgram,
  watchdog: Watchdog,
  signal?: AbortSignal,
): Member {
  let current: RunningChild | undefined;

  async function end(child: RunningChild, signalName: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    child.process.ref();
    child.process.kill(signalName);
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
      const { name: subject, startTimeoutMs: timeoutMs = START_TIMEOUT_MS } = program;
      const limits = { subject, timeoutMs, signal, check };
      await waitUntil(program.serves, limits);
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
  const child = spawn(program.command, program.args(), {
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

/** The result of a short-lived command. */
export interface CommandResult {
  readonly exitCode: number | null;
  /** Both outputs, in order of arrival. */
  readonly output: string;
}

/**
 * Runs a command to its end.
 *
 * @throws Error when it cannot be started (`ENOENT`: no such program), or when the signal aborts,
 *   which ends it
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
