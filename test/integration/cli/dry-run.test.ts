import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GraphApi, startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { runCommand } from '../../support/command.ts';

interface Line {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Readonly<Record<string, unknown>>;
}

describe('dry-run', () => {
  let api: GraphApi;

  beforeAll(async () => {
    const world = createWorld({
      seed: 5,
      accounts: 2,
      smallAccounts: 0,
      mediaPerAccount: 30,
      storiesPerAccount: 1,
      insightsDays: 10,
    });
    api = await startGraphApi({ world });
  });

  afterAll(async () => {
    await api[Symbol.asyncDispose]();
  });

  const run = async (args: readonly string[], changes: Readonly<Record<string, string>> = {}) => {
    // The environment names no Kafka and no registry.
    const env = {
      INSTAGRAM_ACCESS_TOKEN: api.world.token,
      INSTAGRAM_BASE_URL: api.url,
      ...changes,
    };
    const ended = await runCommand(['dry-run', ...args], { env });
    const lines = ended.stdout.split('\n').filter((line) => line !== '');
    return { ...ended, records: lines.map((line) => JSON.parse(line) as Line) };
  };
  const ids = () => api.world.accounts.map(({ id }) => id);

  test('prints the records of the given streams without Kafka and registry', async () => {
    const { exitCode, stderr, records } = await run(['users', 'media', 'user_insights']);

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^6 polls, all succeeded; \d+ records; /);
    const media = records.filter(({ topic }) => topic === 'instagram.media');
    expect(media).toHaveLength(60);
    expect(media[0]).toEqual({
      topic: 'instagram.media',
      key: media[0]?.value['id'],
      headers: {
        stream: 'media',
        account: ids()[0],
        poll: expect.stringContaining(`media/${ids()[0] ?? ''}/`),
      },
      value: expect.objectContaining({
        business_account_id: ids()[0],
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        media_type: expect.any(String),
      }),
    });
    expect(records.filter(({ topic }) => topic === 'instagram.users')).toHaveLength(2);
    expect(records.some(({ topic }) => topic === 'instagram.user-insights')).toBe(true);
  }, 30_000);

  test('prints at most the given number of records of one account', async () => {
    const [, second = ''] = ids();
    const { exitCode, records } = await run(['media', '--account', second, '--limit', '7']);

    expect(exitCode).toBe(0);
    expect(records.map(({ headers }) => headers['account'])).toEqual(Array(7).fill(second));
  }, 30_000);

  test.each([
    [['reels'], 'stream "reels": expected one of stories, '],
    [['media', '--limit', '0'], '--limit "0": expected a whole number from 1 on'],
    [['media', '--account', 'me'], '--account "me": expected account ids'],
  ])('rejects invalid arguments with exit code 2: %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await run(args);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('exits with 3 on a rejected token, and never prints the token', async () => {
    const wrong = 'EAAGnotavalidtokenatall';
    const { exitCode, stdout, stderr } = await run(['media'], { INSTAGRAM_ACCESS_TOKEN: wrong });

    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(/^graph\.token: /m);
    expect(stderr).not.toContain(wrong);
  }, 30_000);
});
