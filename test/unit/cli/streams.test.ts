import { describe, expect, test } from '@jest/globals';
import { describeCost } from '../../../src/cli/streams.ts';
import { requestCost } from '../../../src/instagram/call-plan.ts';
import { streams, streamNames } from '../../../src/instagram/streams/index.ts';
import { runMain } from './command-line.ts';

describe('the command streams', () => {
  test('lists topic, key, subject, interval and cost of each stream without a configuration', async () => {
    const { exitCode, stdout, stderr } = await runMain(['streams'], {
      KAFKA_TOPIC_TEMPLATE: 'ig.{stream}.v1',
      STREAM_MEDIA_INTERVAL: '90m',
      STREAMS: 'media,tags',
    });
    const lines = stdout.trimEnd().split('\n');

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(lines[0]?.split(/ {2,}/)).toEqual([
      'STREAM',
      'ENABLED',
      'TOPIC',
      'KEY',
      'SUBJECT',
      'INTERVAL',
      'CALLS AT MOST',
    ]);
    expect(lines.map((line) => line.split(' ')[0]).slice(1)).toEqual([...streamNames]);
    expect(lines.find((line) => line.startsWith('media '))?.split(/ {2,}/)).toEqual([
      'media',
      'yes',
      'ig.media.v1',
      'id',
      'ig.media.v1-value',
      '90m',
      '1 per page',
    ]);
    expect(lines.find((line) => line.startsWith('users '))?.split(/ {2,}/)[1]).toBe('no');
  });

  test('lists the accounts with streams or intervals of their own', async () => {
    const INSTAGRAM_ACCOUNT_SETTINGS = JSON.stringify({
      '17': { streams: ['tags'] },
      '@Name': { intervals: { media: '10m', users: 'off' } },
    });
    const env = { INSTAGRAM_ACCOUNT_SETTINGS, STREAMS: 'users,media' };
    const { stdout } = await runMain(['streams'], env);
    const { stdout: json } = await runMain(['streams', '--json'], env);
    const rows = JSON.parse(json) as readonly Record<string, unknown>[];

    expect(stdout).toMatch(/^tags +no /m);
    expect(stdout).toMatch(/\n\nACCOUNT {2}STREAMS\n17 +tags\n@name +media every 10m\n$/);
    expect(rows.find(({ stream }) => stream === 'media')).toMatchObject({
      enabled: true,
      accounts: [
        { account: '17', enabled: false, interval_ms: null },
        { account: '@name', enabled: true, interval_ms: 600_000 },
      ],
    });
  });

  test('prints a JSON list with --json', async () => {
    const { stdout } = await runMain(['streams', '--json']);
    const rows = JSON.parse(stdout) as readonly Record<string, unknown>[];

    expect(rows.find(({ stream }) => stream === 'user_insights')).toMatchObject({
      topic: 'instagram.user-insights',
      key: 'business_account_id/date',
      subject: 'instagram.user-insights-value',
      key_subject: null,
      mode: 'incremental',
      enabled: true,
      interval: '3h',
      interval_ms: 10_800_000,
      cost: { calls: 4, per: 'window of 30 days', list: false },
    });
  });

  test('rejects an invalid setting with exit code 2, and has examples in its help', async () => {
    const wrong = await runMain(['streams'], { STREAM_MEDIA_INTERVAL: '15min' });
    const help = await runMain(['streams', '--help']);

    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toContain('STREAM_MEDIA_INTERVAL');
    expect(help.stdout).toContain('Examples:\n  instagram-kafka streams\n');
  });
});

const costOf = (name: keyof typeof streams) => describeCost(requestCost(streams[name].request));

describe('requestCost', () => {
  test('counts the calls of each kind of request', () => {
    expect(costOf('users')).toBe('1 per account');
    expect(costOf('media')).toBe('1 per page');
    expect(costOf('media_insights')).toBe('1 per due media, plus the list');
    expect(costOf('story_insights')).toBe('2 per due media, plus the list');
    expect(costOf('user_insights')).toBe('4 per window of 30 days');
    expect(costOf('user_daily_totals')).toBe('2 per day');
    expect(costOf('user_lifetime_insights')).toBe('3 per poll');
    expect(costOf('comments')).toBe('1 per media whose comments_count changed, plus the list');
  });
});
