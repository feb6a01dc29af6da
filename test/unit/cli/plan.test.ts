import { describe, expect, test } from '@jest/globals';
import { planSettings, sumsOf } from '../../../src/cli/plan.ts';
import { planCalls } from '../../../src/instagram/call-plan.ts';
import { env, load } from '../config/loading.ts';
import { runMain } from './command-line.ts';

describe('the command plan', () => {
  test('needs no token, and prints the calls of each stream', async () => {
    const args = ['plan', '--accounts', '10', '--media', '200', '--posts', '1', '--stories', '0'];
    const { exitCode, stdout, stderr } = await runMain(args, { STREAMS: 'users,media' });

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      'Calls of 10 hypothetical accounts, as Meta counts them, if every count changes between two polls:\n\n' +
        'STREAM  POLLS A DAY  FIRST POLL  CALLS A DAY\n' +
        'users   24           10          240\n' +
        'media   24           20          250\n' +
        'all                  30          490\n\n' +
        'Meta allows 4800 calls a day for each impression of an account. Each account needs 1 impression for the first poll, and 1 a day after it.\n',
    );
  });

  test('plans public content for one of hypothetical accounts', async () => {
    const { stdout } = await runMain(['plan', '--accounts', '5', '--json'], {
      STREAMS: 'users,discovered_users',
      INSTAGRAM_DISCOVERED_USERS: 'one,two',
    });

    expect(JSON.parse(stdout)).toMatchObject({
      streams: [
        { stream: 'users', first: 5 },
        { stream: 'discovered_users', polls: 4, first: 2, day: 8 },
      ],
      accounts: [{ calls: 24 }, { calls: 24 }, {}, {}, {}],
    });
  });

  test('compares public content with the limit of one user of the app', async () => {
    const users = Array.from({ length: 400 }, (_, index) => `user${index}`).join(',');
    const planWith = (interval: string, ...args: readonly string[]) =>
      runMain(['plan', '--accounts', '2', ...args], {
        STREAMS: 'users,discovered_users',
        INSTAGRAM_DISCOVERED_USERS: users,
        STREAM_DISCOVERED_USERS_INTERVAL: interval,
      });
    const [over, fits, json] = [
      await planWith('5m'),
      await planWith('2h'),
      await planWith('5m', '--json'),
    ];

    expect([over.exitCode, fits.exitCode, json.exitCode]).toEqual([4, 0, 4]);
    expect(over.stdout).toContain(
      '\nplatform: 115200 calls a day of discovered_users, 2400.0 % of the 4800 (200 an hour) that Meta allows for one user of the app, apart from the limits of accounts; these intervals fit: discovered_users 2h. Set them by STREAM_<NAME>_INTERVAL\n',
    );
    expect(fits.stdout).toContain('\nplatform: 4800 calls a day of discovered_users, 100.0 % of');
    expect(JSON.parse(json.stdout)).toMatchObject({
      platform: {
        streams: ['discovered_users'],
        calls: 115_200,
        limit: 4800,
        share: 24,
        fitting: { discovered_users: '2h' },
      },
    });
  });

  test('prints JSON with --json', async () => {
    const args = ['plan', '--accounts', '2', '--json'];
    const { stdout } = await runMain(args, { STREAMS: 'users', STREAM_USERS_INTERVAL: '12h' });

    expect(JSON.parse(stdout)).toMatchObject({
      streams: [{ stream: 'users', polls: 2, first: 2, day: 4 }],
      platform: null,
      accounts: [{ account: 'each', calls: 2, limit: null, fitting: null, error: null }, {}],
    });
  });

  test('uses the streams and intervals of an account that has its own', () => {
    const INSTAGRAM_ACCOUNT_SETTINGS = JSON.stringify({
      '17': { streams: ['media', 'tags'], intervals: { tags: '6h' } },
    });
    const config = load({ env: { ...env, STREAMS: 'users,media', INSTAGRAM_ACCOUNT_SETTINGS } });
    const hoursOf = (settings: ReturnType<typeof planSettings>) =>
      settings.streams.map(({ stream, intervalMs }) => [stream.name, intervalMs / 3_600_000]);

    expect(hoursOf(planSettings(config, 0))).toEqual([
      ['users', 1],
      ['media', 1],
    ]);
    expect(hoursOf(planSettings(config, 0, config.accountPolling.byAccount['17']))).toEqual([
      ['media', 1],
      ['tags', 6],
    ]);
  });

  test('counts the extra metrics and omits the excluded breakdowns of the configuration', async () => {
    const args = ['plan', '--accounts', '1', '--media', '7', '--posts', '1', '--stories', '0'];
    const STREAMS = 'media,media_insights,user_daily_breakdowns';
    const callsOf = async (settings: NodeJS.ProcessEnv) => {
      const { stdout } = await runMain([...args, '--json'], { STREAMS, ...settings });
      const { streams } = JSON.parse(stdout) as {
        readonly streams: readonly { readonly first: number }[];
      };
      return streams.slice(1).map(({ first }) => first);
    };
    const [plain = 0, days = 0] = await callsOf({});
    const [extra, fewer] = await callsOf({
      STREAM_MEDIA_INSIGHTS_EXTRA: 'facebook_views',
      STREAM_USER_DAILY_BREAKDOWNS_EXCLUDE: 'views_by_follow_type,reach_by_follow_type',
    });

    expect([extra, fewer]).toEqual([2 * plain, (days / 10) * 8]);
  });

  test('sums the calls of accounts, and has the mean of their polls', () => {
    const INSTAGRAM_ACCOUNT_SETTINGS = JSON.stringify({ '17': { intervals: { users: '6h' } } });
    const config = load({ env: { ...env, STREAMS: 'users', INSTAGRAM_ACCOUNT_SETTINGS } });
    const { byAccount, others } = config.accountPolling;
    const plans = [others, byAccount['17']].map((polling) => ({
      plan: planCalls({ mediaMs: [], storiesADay: 0 }, planSettings(config, 0, polling)),
    }));

    expect(sumsOf(plans)).toEqual([{ stream: 'users', polls: 14, first: 2, day: 28 }]);
  });

  test('rejects a text that is no number, by its option', async () => {
    const { exitCode, stderr } = await runMain(['plan', '--accounts', 'many']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--accounts "many": expected a whole number from 1 to 10000');
  });

  test.each([
    [['--accounts', '10001'], '--accounts "10001": expected a whole number from 1 to 10000'],
    [
      ['--accounts', '1', '--media', '999999999'],
      '--media "999999999": expected a whole number from 0 to 100000',
    ],
    [['--media', '800'], 'plan: expected --accounts with --media, --posts and --stories'],
  ])('rejects %j', async (options, error) => {
    const { exitCode, stderr } = await runMain(['plan', ...options]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(error);
  });

  test('needs a token to read real accounts', async () => {
    const { exitCode, stderr } = await runMain(['plan']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('INSTAGRAM_ACCESS_TOKEN');
  });
});
