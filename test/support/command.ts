import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
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

/** What a host is sent: a command and the text that ends its output, then its standard input. */
export type HostMessage =
  | {
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly mark: string;
    }
  | { readonly input: string; readonly mark: string };

const host = fileURLToPath(new URL('command-host.ts', import.meta.url));

/** An idle host ends after this time. */
const IDLE_MS = 5000;

const idleHosts: { readonly child: ChildProcess; readonly expiry: NodeJS.Timeout }[] = [];

/** Runs a command as `runProcess` does, in a process that has run others and is loaded already. */
export async function runCommand(args: readonly string[], given: Given = {}): Promise<Finished> {
  const { env = {}, input = '', onErrorText = () => undefined } = given;
  const child = takeHost();
  const mark = `\n${randomUUID()}\n`;
  const stdout = readUntil(child.stdout, mark);
  const stderr = readUntil(child.stderr, mark, onErrorText);
  const replied = new Promise<number | null>((resolve) => {
    child.once('message', resolve);
    child.once('exit', resolve);
  });
  const send = (message: HostMessage): boolean => child.connected && child.send(message);
  send({ args, env, mark });
  void Promise.resolve(input).then((text) => send({ input: text, mark }));
  const finished = { exitCode: await replied, stdout: await stdout, stderr: await stderr };
  if (child.exitCode === null) keepHost(child);
  return finished;
}

function takeHost(): ChildProcess {
  const idle = idleHosts.pop();
  if (idle === undefined) {
    return fork(host, { env: compileCache, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  }
  clearTimeout(idle.expiry);
  return idle.child;
}

function keepHost(child: ChildProcess): void {
  child.removeAllListeners('message').removeAllListeners('exit');
  const expiry = setTimeout(() => {
    idleHosts.splice(idleHosts.indexOf(entry), 1);
    child.kill();
  }, IDLE_MS);
  const entry = { child, expiry };
  idleHosts.push(entry);
}

/** Resolves with the text before the mark, or before the end. */
async function readUntil(
  stream: NodeJS.ReadableStream | null,
  mark: string,
  onText: (text: string) => void = () => undefined,
): Promise<string> {
  let text = '';
  await new Promise<void>((resolve) => {
    const end = (): void => {
      stream?.off('data', take).off('close', end);
      resolve();
    };
    const take = (part: string): void => {
      text += part;
      onText(part);
      if (text.endsWith(mark)) end();
    };
    stream?.setEncoding('utf8').on('data', take).on('close', end);
  });
  return text.replace(mark, '');
}
