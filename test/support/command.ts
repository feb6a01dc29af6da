import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
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

/** Runs the program in a process of its own, as a user would, to its end. */
export function runProcess(args: readonly string[], given: Given = {}): Promise<Finished> {
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

/** A message to a worker process: a command, or the standard input of a command. */
export type WorkerMessage =
  | {
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      /** The text that ends the command's output on both streams. */
      readonly delimiter: string;
    }
  | { readonly input: string; readonly delimiter: string };

const workerModule = fileURLToPath(new URL('command-worker.ts', import.meta.url));

/** The time after which an idle worker process is stopped. */
const IDLE_MS = 5000;

/** The idle worker processes and the timers that stop them. */
const idleWorkers = new Map<ChildProcess, NodeJS.Timeout>();

/** Runs a command as `runProcess` does, but in a worker process that is reused for later commands. */
export async function runCommand(args: readonly string[], given: Given = {}): Promise<Finished> {
  const { env = {}, input = '', onErrorText = () => undefined } = given;
  const worker = takeWorker();
  const delimiter = `\n${randomUUID()}\n`;
  const stdout = readUntil(worker.stdout, delimiter);
  const stderr = readUntil(worker.stderr, delimiter, onErrorText);
  const { promise: exitCode, resolve } = Promise.withResolvers<number | null>();
  worker.once('message', resolve).once('exit', resolve);
  // A worker that ends while a message is sent is reported by `exit`.
  const send = (message: WorkerMessage): boolean =>
    worker.connected && worker.send(message, () => undefined);
  send({ args, env, delimiter });
  void Promise.resolve(input).then((text) => send({ input: text, delimiter }));
  const finished = { exitCode: await exitCode, stdout: await stdout, stderr: await stderr };
  worker.off('message', resolve).off('exit', resolve);
  if (worker.connected && worker.exitCode === null && worker.signalCode === null) keepIdle(worker);
  return finished;
}

function takeWorker(): ChildProcess {
  const [worker] = idleWorkers.keys();
  if (worker === undefined) return startWorker();
  removeIdle(worker);
  setReferenced(worker, 'ref');
  return worker;
}

function startWorker(): ChildProcess {
  const worker = fork(workerModule, {
    env: compileCache,
    // Jest's own flags would hide the program's warnings.
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return worker.once('exit', () => {
    removeIdle(worker);
  });
}

/** Keeps a worker, which neither keeps this process alive nor outlives it. */
function keepIdle(worker: ChildProcess): void {
  setReferenced(worker, 'unref');
  const expiry = setTimeout(() => {
    removeIdle(worker);
    worker.kill();
  }, IDLE_MS);
  idleWorkers.set(worker, expiry.unref());
}

function removeIdle(worker: ChildProcess): void {
  clearTimeout(idleWorkers.get(worker));
  idleWorkers.delete(worker);
}

function setReferenced(worker: ChildProcess, method: 'ref' | 'unref'): void {
  worker[method]();
  worker.channel?.[method]();
  for (const stream of [worker.stdout, worker.stderr]) (stream as Socket | null)?.[method]();
}

/** Resolves with the text before the delimiter, or with all of it if the stream closes first. */
async function readUntil(
  stream: NodeJS.ReadableStream | null,
  delimiter: string,
  onText: (text: string) => void = () => undefined,
): Promise<string> {
  let text = '';
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      stream?.off('data', take).off('close', finish);
      resolve();
    };
    const take = (part: string): void => {
      text += part;
      const [own = '', ...later] = text.split(delimiter);
      if (later.length === 0) {
        onText(part);
        return;
      }
      onText(own.slice(text.length - part.length));
      text = own;
      finish();
    };
    stream?.setEncoding('utf8').on('data', take).on('close', finish);
  });
  return text;
}
