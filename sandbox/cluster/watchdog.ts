import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/*
 * The shell reads from a pipe that only this process holds. However this process ends (an exception, Ctrl-C, SIGKILL),
 * the system closes the pipe, and the shell kills what is left. It ignores the signals of a terminal, which would
 * otherwise end it together with us.
 */
const SCRIPT = `
trap '' HUP INT TERM
pids=
containers=
while read -r verb value; do
  case $verb in
    pid) pids="$pids $value" ;;
    container) containers="$containers $value" ;;
    gone)
      left=
      for pid in $pids; do [ "$pid" = "$value" ] || left="$left $pid"; done
      pids=$left ;;
    rest) exit 0 ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done
[ -z "$containers" ] || docker rm --force --volumes $containers
for pid in $pids; do
  tries=0
  while kill -0 "$pid" && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
done
rm -rf "$1"
`;

/** Sees to it that nothing outlives this process, whatever ends it. Disposing ends the guard and removes the folder. */
export interface Watchdog extends AsyncDisposable {
  /** Guards a process: it is killed when this process ends. */
  guardProcess(pid: number): void;
  /** Ends the guard of a process that has ended, so that nobody else with its number is killed. */
  releaseProcess(pid: number): void;
  /** Guards a container: it is removed, by the `docker` command, when this process ends. */
  guardContainer(id: string): void;
}

/**
 * Starts a guard.
 *
 * @param directory - a folder of ours that is removed when this process ends or the guard is disposed
 * @param env - environment of the `docker` command
 * @throws Error when the system has no `sh`
 */
export async function startWatchdog(directory: string, env: NodeJS.ProcessEnv): Promise<Watchdog> {
  const shell = await spawnShell(directory, env);
  const pids = new Set<number>();
  // On a plain exit the shell would be a moment late for somebody who looks at once.
  const killNow = (): void => {
    for (const pid of pids) killQuietly(pid);
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', killNow);
  const tell = (line: string): void => {
    shell.stdin.write(`${line}\n`);
  };
  return {
    guardProcess(pid) {
      pids.add(pid);
      tell(`pid ${pid}`);
    },
    releaseProcess(pid) {
      pids.delete(pid);
      tell(`gone ${pid}`);
    },
    guardContainer(id) {
      tell(`container ${id}`);
    },
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', killNow);
      tell('rest');
      shell.stdin.end();
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

async function spawnShell(
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<ChildProcessByStdio<Writable, null, null>> {
  const shell = spawn('sh', ['-c', SCRIPT, 'sandbox-watchdog', directory], {
    cwd: '/',
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(shell, 'spawn');
  // A guard that has gone already cannot be told anything more; that is no reason to end the program.
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // A pipe is a socket to Node, which is what has `unref`; the types say only that it can be written to.
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return shell;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
