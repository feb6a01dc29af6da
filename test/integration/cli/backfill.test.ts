import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Program } from '../../../sandbox/program.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, DAY_MS, deploy } from '../end-to-end/deployment.ts';

type Entry = Readonly<Record<string, unknown>>;

const settings = {
  // An hour, so that only a restored state makes the program poll again.
  STREAMS: 'user_insights',
  STREAM_USER_INSIGHTS_INTERVAL: '1h',
  INSTAGRAM_START_DATE: day(10),
  KAFKA_GROUP_SESSION_TIMEOUT: '6s',
  KAFKA_GROUP_HEARTBEAT: '500ms',
  POLLING_INSTANCE: 'worker',
};

/** The date a number of days ago. */
function day(ago: number): string {
  return new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);
}

let deployment: Deployment;
let program: Program;
const log: Entry[] = [];

/** The finished polls of one account. */
function polls(account: string): readonly Entry[] {
  return log.filter(({ msg, accountId }) => msg === 'poll finished' && accountId === account);
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 40_000;
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain until ${what}`);
    await sleep(25);
  }
}

async function run(args: readonly string[]) {
  const env = { ...deployment.env, ...settings, POLLING_INSTANCE: 'desk' };
  return runCommand(args, { env });
}

/** The keys of an account's records: one per day. */
async function daysOf(account: string): Promise<ReadonlySet<string>> {
  const records = await deployment.read('user_insights');
  return new Set(records.flatMap(({ key }) => (key.startsWith(account) ? [key] : [])));
}

/** The states of an account, and a flag whether the last one equals the published records. */
async function history(account: string) {
  const states = (await deployment.read('state')).filter(({ key }) => key.endsWith(account));
  const records = await deployment.read('user_insights');
  const sequences = states.map(({ value }) => Number(value?.['sequence']));
  const dates = records.flatMap(({ key, value }) =>
    key.startsWith(account) ? [Number(value?.['date'])] : [],
  );
  const last = states.at(-1)?.value;
  return {
    inOrder: sequences.every((sequence, index) => sequence === index + 1),
    last: last?.['written_by'],
    equal: last?.['cursor'] === Math.max(...dates),
  };
}

beforeAll(async () => {
  const world = createWorld({
    seed: 5,
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 0,
    storiesPerAccount: 0,
    insightsDays: 100,
  });
  deployment = await deploy(world);
  program = deployment.run(settings, (entry) => log.push(entry));
  const ids = world.accounts.map(({ id }) => id);
  await until(() => ids.every((id) => polls(id).length === 1), 'both accounts were polled');
}, 60_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

describe('backfill', () => {
  test('prints the change and its cost, and changes nothing without --apply', async () => {
    const before = await deployment.read('state');

    const { exitCode, stdout } = await run(['backfill', 'user_insights', '--since', day(90)]);

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`-> ${day(90)}T00:00:00.000Z`);
    expect(stdout).toContain(
      `The next poll reads from ${day(92)} on (POLLING_LOOKBACK included) and takes `,
    );
    expect(stdout).toContain('--apply has it handed over');
    expect(await deployment.read('state')).toEqual(before);
  }, 60_000);

  test('moves the state of a running instance, which continues from there (Invariants 1 and 2)', async () => {
    const [first = '', second = ''] = deployment.truth().accounts.map(({ id }) => id);
    const [ownBefore, othersBefore] = [await daysOf(first), await daysOf(second)];

    const { exitCode, stdout, stderr } = await run([
      'backfill',
      'user_insights',
      '--since',
      day(90),
      '--account',
      first,
      '--apply',
      '--json',
    ]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ applied: true, owners: [{}] });
    await until(() => polls(first).length === 2, 'it was polled again');
    const days = await daysOf(first);
    expect(ownBefore.size).toBeLessThan(15);
    expect(days.size).toBeGreaterThanOrEqual(89);
    expect([...ownBefore].filter((key) => !days.has(key))).toEqual([]);
    expect(await daysOf(second)).toEqual(othersBefore);
    // The instance gave up the partition; it was not fenced.
    expect(log.filter(({ msg }) => msg === 'partition fenced')).toEqual([]);
    expect(await history(first)).toEqual({ inOrder: true, last: 'worker', equal: true });
  }, 60_000);

  test('warns about an account without any state', async () => {
    const [known = ''] = deployment.truth().accounts.map(({ id }) => id);
    const accounts = ['--account', `${known},17841400000000099`];

    const args = ['backfill', 'user_insights', '--since', day(90), ...accounts];
    const { exitCode, stdout } = await run(args);

    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      "no stream of 17841400000000099 has a state yet: is that the account's",
    );
    expect(stdout).not.toContain(`no stream of ${known}`);
  }, 60_000);

  test('rejects invalid arguments, and changes nothing for a date after the cursor', async () => {
    const media = await run(['backfill', 'media', '--since', day(90)]);
    const never = await run(['backfill', 'user_insights', '--since', 'yesterday']);
    const ahead = await run(['backfill', 'user_insights', '--since', day(-1), '--apply']);

    expect(media).toMatchObject({ exitCode: 2, stdout: '' });
    expect(media.stderr).toContain('stream "media" has no cursor');
    expect(never.stderr).toContain('--since "yesterday": expected a day');
    expect(ahead.exitCode).toBe(0);
    expect(ahead.stdout).toContain('these days are polled without this');
    expect(ahead.stdout).toContain('Nothing to change.');
  }, 60_000);

  test('equals state set with --hand-over, during which the instance gives up its partition', async () => {
    const [, second = ''] = deployment.truth().accounts.map(({ id }) => id);
    const key = `user_insights/${second}`;
    const before = polls(second).length;

    const set = ['state', 'set', key, '--cursor', day(40), '--apply'];
    const refused = await run(set);
    const handedOver = await run([...set, '--hand-over']);

    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toMatch(/^state\.owned: /);
    expect(refused.stderr).toContain('add --hand-over');
    expect({ ...handedOver, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    await until(() => polls(second).length > before, 'it was polled again');
    expect((await daysOf(second)).size).toBeGreaterThanOrEqual(39);
    expect(log.filter(({ msg }) => msg === 'partition fenced')).toEqual([]);
    program.process.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  }, 60_000);
});
