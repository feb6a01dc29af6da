import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FAULT_KINDS } from './schedule.ts';

const main = join(import.meta.dirname, 'main.ts');

/** Runs the suite as `npm run test:chaos` does. */
function startChaos(args: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=TimeoutNegativeWarning', main, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, output: () => output, told: () => told };
}

describe('chaos suite', () => {
  test.concurrent(
    'finds no loss, no duplicate and no reordering in half a minute of random faults',
    async () => {
      const { ended, output, told } = startChaos(['--minutes', '0.6', '--seed', '1']);
      const code = await ended;
      const report = JSON.parse(output().trim().split('\n').at(-1) ?? 'null') as unknown;
      expect({ code, report, told: code === 0 ? '' : told() }).toEqual({
        code: 0,
        report: {
          faults: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 1])),
          records: expect.any(Number) as unknown,
          lost: 0,
          duplicated: 0,
          reordered: 0,
          state_ahead: 0,
          state_behind: 0,
        },
        told: '',
      });
      expect((report as { records: number }).records).toBeGreaterThan(100);
    },
    // Two minutes on an idle machine; four beside other tests on two cores.
    900_000,
  );

  test.concurrent(
    'exits with 130 and leaves nothing behind when it is interrupted',
    async () => {
      const { child, ended, told } = startChaos(['--minutes', '1', '--seed', '2']);
      while (!told().includes('starting 3 Kafka brokers')) await once(child.stderr, 'data');
      child.kill('SIGINT');
      expect(await ended).toBe(130);
    },
    120_000,
  );

  test.concurrent.each([
    ['--minutes', '0'],
    ['--minutes', 'long'],
    ['--seed', '1.5'],
    ['--instances', '0'],
    ['--logs', '/dev/null/logs'],
  ])('rejects the option %s %s', async (name, value) => {
    const { ended, told } = startChaos([name, value]);
    expect(await ended).toBe(2);
    expect(told()).toContain(`${name}: got "${value}"`);
  });
});
