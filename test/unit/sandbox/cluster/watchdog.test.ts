import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { describe, expect, test } from '@jest/globals';

const WATCHDOG = pathToFileURL(
  join(import.meta.dirname, '../../../../sandbox/cluster/watchdog.ts'),
).href;

/** A program that guards a long sleep and a folder, and prints the process id of the sleep. */
const PROGRAM = `
import { spawn } from 'node:child_process';
import { startWatchdog } from ${JSON.stringify(WATCHDOG)};
const watchdog = await startWatchdog(process.argv[1], process.env);
const sleeper = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
watchdog.guardProcess(sleeper.pid);
console.log(sleeper.pid);
process.stdin.resume();
process.stdin.on('data', (data) => {
  if (String(data).startsWith('throw')) throw new Error('as asked');
});
`;

async function startProgram(): Promise<{ program: ChildProcess; pid: number; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'watchdog-test-'));
  const args = ['--input-type=module', '--eval', PROGRAM, directory];
  const program = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(program, 'exit').then(([code]) => {
    throw new Error(`the program ended too early, with code ${String(code)}`);
  });
  const [line] = (await Promise.race([once(program.stdout, 'data'), ended])) as [Buffer];
  ended.catch(() => undefined);
  return { program, pid: Number(line.toString('utf8')), directory };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function becomesTrue(condition: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 200 && !condition(); attempt += 1) await sleep(25);
  return condition();
}

describe('watchdog of the sandbox', () => {
  test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
    'ends its processes and removes the folder when its owner receives %s',
    async (signal) => {
      const { program, pid, directory } = await startProgram();
      expect(isAlive(pid)).toBe(true);
      program.kill(signal);
      await once(program, 'exit');
      expect(await becomesTrue(() => !isAlive(pid) && !existsSync(directory))).toBe(true);
    },
  );

  test('ends its processes and removes the folder when its owner dies of an exception', async () => {
    const { program, pid, directory } = await startProgram();
    program.stdin?.write('throw\n');
    await once(program, 'exit');
    expect(await becomesTrue(() => !isAlive(pid) && !existsSync(directory))).toBe(true);
  });
});
