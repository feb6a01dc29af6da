import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, deploy } from './deployment.ts';

interface Line {
  readonly timestamp: string;
  readonly value: Readonly<Record<string, unknown>>;
}

let deployment: Deployment;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  const world = createWorld({
    seed: 11,
    accounts: 1,
    smallAccounts: 0,
    mediaPerAccount: 12,
    storiesPerAccount: 0,
    insightsDays: 5,
  });
  deployment = await deploy(world);
  env = {
    ...deployment.env,
    STREAMS: 'media,users,user_insights',
    KAFKA_RECORD_TIMESTAMP: 'event',
  };
  const { code, stderr } = await deployment.onceWith(env);
  if (code !== 0) throw new Error(stderr);
}, 120_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

async function tail(...args: readonly string[]): Promise<readonly Line[]> {
  const { stdout } = await runCommand(['tail', ...args, '--no-follow', '--json'], { env });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Line);
}

describe('KAFKA_RECORD_TIMESTAMP=event', () => {
  test('stores the time of each media as the timestamp of its record, in any order', async () => {
    const records = await tail('media', '--from-beginning');
    expect(records).toHaveLength(12);
    for (const { timestamp, value } of records) {
      expect(timestamp).toBe(value['timestamp']);
    }
    const times = records.map(({ timestamp }) => Date.parse(timestamp));
    const since = new Date(times.toSorted((a, b) => a - b)[6] ?? 0).toISOString();
    const recent = await tail('media', '--since', `${since.slice(0, 19)}Z`);
    expect(recent.length).toBeGreaterThanOrEqual(6);
  }, 60_000);

  test('stores the end of each day, at most the time of the poll', async () => {
    const records = await tail('user_insights', '--from-beginning');
    expect(records.length).toBeGreaterThan(3);
    for (const { timestamp, value } of records) {
      const [date, polled] = ['date', 'polled_at'].map((name) => Date.parse(String(value[name])));
      expect(Date.parse(timestamp)).toBe(Math.min(date ?? 0, polled ?? 0));
    }
  }, 60_000);

  test('keeps the time of publishing for a reading', async () => {
    const [user] = await tail('users', '--from-beginning');
    const polledMs = Date.parse(String(user?.value['polled_at']));
    expect(Date.parse(user?.timestamp ?? '')).toBeGreaterThanOrEqual(polledMs);
  }, 60_000);
});
