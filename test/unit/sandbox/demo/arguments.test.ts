import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import {
  parseDemoArguments,
  parseSandboxArguments,
  SANDBOX_USAGE,
  USAGE,
} from '../../../../sandbox/demo/arguments.ts';
import { parseQuotaArguments, QUOTA_USAGE } from '../../../../bench/quota-arguments.ts';
import { demoWorld } from '../../../../sandbox/demo/world.ts';
import { describeSpeed } from '../../../../sandbox/graph-api/world/clock.ts';

describe('arguments of the demo and the sandbox', () => {
  test('default to a new cluster in real time, and accept another cluster, speed and login', () => {
    const usual = { speed: 1, login: 'facebook', help: false };
    expect(parseDemoArguments([])).toEqual({ ...usual, once: false });
    expect(parseSandboxArguments([])).toEqual(usual);
    const asked = ['--speed', '60', '--given-cluster', 'demo', '--login', 'instagram'];
    expect(parseSandboxArguments(asked)).toEqual({
      help: false,
      speed: 60,
      givenCluster: 'demo',
      login: 'instagram',
    });
  });

  test.each([
    [['--speed', '0'], '--speed: got "0", expected a number above 0'],
    [['--speed', 'fast'], '--speed: got "fast", expected a number above 0'],
    [['--given-cluster', 'instagram'], 'expected a prefix of topics other than "instagram"'],
    [['--given-cluster', ''], '--given-cluster: got "", expected a prefix'],
    [['--given-cluster', "a'b"], `--given-cluster: got "a'b", expected a prefix`],
    [['--login', 'meta'], '--login: got "meta", expected one of facebook, instagram'],
    [['--speed', '2', '--recording', 'x'], '--speed: the clock of a --recording stands still'],
    [['--once', '--open'], '--open: neither with --once'],
    [['--no-open', '--open'], '--open: neither with --once'],
  ])('are rejected with the expected form: %j', (args, message) => {
    expect(() => parseDemoArguments(args)).toThrow(message);
  });

  test('decide whether the status page is opened, only when they name it', () => {
    expect(parseDemoArguments([])).not.toHaveProperty('open');
    expect(parseDemoArguments(['--open'])).toMatchObject({ open: true });
    expect(parseDemoArguments(['--no-open', '--once'])).toMatchObject({ open: false });
  });

  test.each([
    ['demo.ts', USAGE],
    ['main.ts', SANDBOX_USAGE],
  ])('make %s print its usage for --help, without starting a world', (main, usage) => {
    const path = fileURLToPath(new URL(`../../../../sandbox/${main}`, import.meta.url));
    const options = { encoding: 'utf8', timeout: 20_000 } as const;
    const { status, stdout } = spawnSync(process.execPath, [path, '--help'], options);

    expect([status, stdout]).toEqual([0, `${usage}\n`]);
  });

  test('set the speed of the simulated clock, and describe it', async () => {
    const said = async (speed: number) => describeSpeed((await demoWorld({ speed })).clock);

    await expect(said(1)).resolves.toBe('runs in real time');
    await expect(said(60)).resolves.toContain('60 times real time: times in records are ahead of');
  });
});

describe('arguments of bench:quota', () => {
  test('put the figures on record of the default size only', () => {
    expect(parseQuotaArguments(['--record'])).toMatchObject({ isRecorded: true });
    expect(() => parseQuotaArguments(['--record', '--media', '5'])).toThrow(
      '--record: expected the default size',
    );
  });

  test('default to the size of the targets, and accept another size', () => {
    expect(parseQuotaArguments([])).toMatchObject({
      hasTargets: true,
      size: { accounts: 5, mediaPerAccount: 2000, childrenPerAccount: 3000, storiesPerAccount: 4 },
    });
    expect(parseQuotaArguments(['--accounts', '2', '--media', '40', '--stories', '0'])).toEqual({
      help: false,
      hasTargets: false,
      isRecorded: false,
      size: { accounts: 2, mediaPerAccount: 40, childrenPerAccount: 60, storiesPerAccount: 0 },
    });
  });

  test.each(['0', '-1', '1.5', 'many', ''])(
    'are rejected with the expected form for %j accounts',
    (text) => {
      expect(() => parseQuotaArguments([`--accounts=${text}`])).toThrow(
        `--accounts: got "${text}", expected a whole number from 1 to 100000`,
      );
    },
  );

  test('make the bench print its usage for --help and measure nothing', () => {
    const bench = fileURLToPath(new URL('../../../../bench/quota.ts', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [bench, '--help'], { encoding: 'utf8' });

    expect([status, stdout]).toEqual([0, `${QUOTA_USAGE}\n`]);
  });
});
