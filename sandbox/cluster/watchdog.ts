import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/*
 * The shell reads from a pipe that only this process holds. On every end of this process (an
 * exception, Ctrl-C, SIGKILL) the system closes the pipe, and the shell kills the remaining
 * processes. It ignores a terminal's signals, which would otherwise end it together with this
 * process.
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

/**
 * Kills guarded processes and removes guarded containers and the folder when this process ends.
 * Disposal ends the guard and removes the folder.
 */
export interface Watchdog extends AsyncDisposable {
  /** Guards a process: it is killed when this process ends. */
  guardProcess(pid: number): void;
  /** Releases an ended process, so that another process with the same id is not killed. */
  releaseProcess(pid: number): void;
  /** Guards a container: the `docker` command removes it when this process ends. */
  guardContainer(id: string): void;
}

/**
 * Starts a guard.
 *
 * @param directory - a temporary folder that is removed when this process ends or the guard is
 *   disposed
 * @param env - environment of the `docker` command
 * @throws Error when the system has no `sh`
 */
export async function startWatchdog(directory: string, env: NodeJS.ProcessEnv): Promise<Watchdog> {
  const shell = await spawnShell(directory, env);
  const pids = new Set<number>();
  // On a plain exit the shell would react a moment too late for an immediate check.
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
  // Writes to an ended guard fail; that must not end the program.
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // Node implements a pipe as a socket with `unref`; the type declares a writable stream only.
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return shell;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended already.
  }
}
