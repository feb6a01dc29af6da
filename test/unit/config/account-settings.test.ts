import { describe, expect, test } from '@jest/globals';
import { enabledStreams } from '../../../src/config/config.ts';
import { explainConfig } from '../../../src/config/explain.ts';
import { env, failure, load, useFolder } from './loading.ts';

const { write } = useFolder();

let files = 0;
const settingsFile = (accountSettings: unknown, rest: object = {}): string => {
  files += 1;
  return write(`settings-${files}.json`, { instagram: { accountSettings }, ...rest });
};

/** The problems of a file with these settings of accounts. */
const problemsOf = (settings: unknown, rest: object = {}, more: Record<string, string> = {}) =>
  failure({ configFile: settingsFile(settings, rest), env: { ...env, ...more } }).problems;

describe('settings of single accounts', () => {
  test('give an account its own streams and intervals, and leave those of others as they are', () => {
    const configFile = settingsFile({
      '17841400000000001': { streams: ['users', 'media'], intervals: { media: '10m' } },
      '@Some.Name': { intervals: { stories: '1h', users: 'off' } },
    });
    const config = load({ configFile, env: { ...env, STREAMS: 'users,stories' } });

    expect(config.accountPolling).toEqual({
      byAccount: {
        '17841400000000001': { streams: ['users', 'media'], intervalsMs: { media: 600_000 } },
        '@some.name': { streams: ['stories'], intervalsMs: { stories: 3_600_000 } },
      },
      others: { streams: ['stories', 'users'], intervalsMs: {} },
    });
  });

  test('enable the streams of any account, which thus get their topics', () => {
    const configFile = settingsFile({ '@name': { streams: ['default', 'tags'] } });
    const config = load({ configFile, env: { ...env, STREAMS: 'users' } });

    expect(enabledStreams(config)).toEqual([
      'stories',
      'story_insights',
      'users',
      'media',
      'media_insights',
      'user_insights',
      'user_lifetime_insights',
      'tags',
    ]);
    expect(config.accountPolling.others.streams).toEqual(['users']);
  });

  test('can be the JSON of a variable, which replaces the object of the file', () => {
    const INSTAGRAM_ACCOUNT_SETTINGS = '{"@name": {"streams": "users"}}';
    const configFile = settingsFile({ '@other': { streams: ['media'] } });
    const config = load({ configFile, env: { ...env, INSTAGRAM_ACCOUNT_SETTINGS } });

    expect(Object.keys(config.accountPolling.byAccount)).toEqual(['@name']);
  });

  test('are named in messages as the source that sets them calls them', () => {
    const inFile = '"instagram.accountSettings" in the configuration file';
    const { settingNames } = load({
      configFile: settingsFile({ '@name': { streams: ['media'] } }),
      env: { ...env, INSTAGRAM_ACCOUNTS_EXCLUDE: '18' },
      args: { 'instagram-accounts': '17' },
    }).instagram;

    expect(settingNames).toEqual({
      accounts: '--instagram-accounts',
      accountsExclude: 'INSTAGRAM_ACCOUNTS_EXCLUDE',
      accountSettings: inFile,
    });
    // The file may set them while the program runs.
    const empty = write('empty.json', {});
    expect(load({ configFile: empty }).instagram.settingNames.accountSettings).toBe(inFile);
  });

  test('are shown by "config" as they are in the file', () => {
    const settings = { '@name': { intervals: { media: '10m' } } };
    const { values, problems } = explainConfig({
      configFile: settingsFile(settings),
      env,
      args: {},
    });

    expect(problems).toEqual([]);
    expect(values.find(({ path }) => path === 'instagram.accountSettings')).toMatchObject({
      value: settings,
      origin: 'file',
    });
  });

  test('are shown by "config" as an empty text when the variable is empty', () => {
    const { values } = explainConfig({ env: { ...env, INSTAGRAM_ACCOUNT_SETTINGS: '' }, args: {} });

    expect(values.find(({ path }) => path === 'instagram.accountSettings')?.value).toBe('');
  });

  test.each([
    [
      'an interval without a unit, as the one of a stream does',
      { '@name': { intervals: { media: '10' } } },
      '- instagram.accountSettings.@name.intervals.media (INSTAGRAM_ACCOUNT_SETTINGS): got "10", expected a duration from 1s to 24d, a number with its unit (ms, s, m, h, d), or off; correct it',
    ],
    [
      'an interval below the bound',
      { '@name': { intervals: { media: '10ms' } } },
      'got "10ms", expected a duration from 1s to 24d, a number',
    ],
    [
      'an unknown stream in the list, with the nearest name',
      { '17': { streams: ['users', 'storys'] } },
      '- instagram.accountSettings.17.streams (INSTAGRAM_ACCOUNT_SETTINGS): got ["users","storys"], expected a comma separated list of one or more entries, none empty, each one of stories,',
    ],
    [
      'the nearest name of an unknown stream',
      { '17': { streams: ['storys'] } },
      'did you mean stories?',
    ],
    [
      'an unknown stream of an interval, with the nearest name',
      { '17': { intervals: { medias: '1h' } } },
      '- instagram.accountSettings.17.intervals.medias (INSTAGRAM_ACCOUNT_SETTINGS): got the unknown key medias, expected one of stories,',
    ],
    [
      'an unknown key, with the nearest one',
      { '17': { stream: ['users'] } },
      'got the unknown key stream, expected one of streams, intervals; remove or correct it; did you mean streams?',
    ],
    [
      'a key that names no account',
      { 'a-b': {} },
      'got "a-b", expected an account id as a string of digits, such as "17841400000000000", or a user name, such as @name',
    ],
    [
      'a second entry of an account',
      { '@name': {}, Name: {} },
      'got a second entry, expected one entry of an account; join the two entries',
    ],
    [
      'an entry that is no object',
      { '17': ['users'] },
      'got ["users"], expected an object with streams, intervals',
    ],
    [
      'intervals that are no object',
      { '17': { intervals: '1h' } },
      'got "1h", expected an object of intervals by stream',
    ],
    [
      'an account without any stream',
      { '17': { streams: ['users'], intervals: { users: 'off' } } },
      'got no stream to poll, expected one or more; name one, or name 17 in INSTAGRAM_ACCOUNTS_EXCLUDE',
    ],
    [
      'a list in place of the object',
      ['users'],
      'expected a JSON object by account, such as {"@name":',
    ],
  ])('are rejected with one error for %s', (_case, settings, message) => {
    const { message: text, problems } = failure({ configFile: settingsFile(settings) });

    expect(problems).toHaveLength(1);
    expect(text).toContain(message);
  });

  test('are rejected with one error when the variable is no JSON', () => {
    const { problems } = failure({ env: { ...env, INSTAGRAM_ACCOUNT_SETTINGS: '{' } });

    expect(problems).toEqual([
      expect.objectContaining({
        path: 'instagram.accountSettings',
        env: 'INSTAGRAM_ACCOUNT_SETTINGS',
        action: 'correct INSTAGRAM_ACCOUNT_SETTINGS',
      }),
    ]);
  });

  test('are rejected for a stream that the login does not have', () => {
    const problems = problemsOf(
      { '@name': { streams: ['users', 'collaborative_media'] } },
      {},
      { INSTAGRAM_LOGIN: 'instagram' },
    );

    expect(problems).toEqual([
      {
        path: 'instagram.accountSettings.@name.streams',
        env: 'INSTAGRAM_ACCOUNT_SETTINGS',
        received: 'collaborative_media',
        expected: 'streams that the API has for INSTAGRAM_LOGIN=instagram',
        action: 'remove it from the streams of the account',
      },
    ]);
  });

  test('are rejected for an interval of a stream with a schedule, which may be off', () => {
    const rest = { streams: { media: { schedule: '0 6 * * *' } } };
    const problems = problemsOf({ '@name': { intervals: { media: '1h' } } }, rest);
    const off = settingsFile({ '@name': { intervals: { media: 'off' } } }, rest);

    expect(problems).toEqual([
      expect.objectContaining({
        path: 'instagram.accountSettings.@name.intervals.media',
        expected: 'nothing or off, because STREAM_MEDIA_SCHEDULE sets the times',
      }),
    ]);
    expect(load({ configFile: off }).accountPolling.byAccount['@name']?.streams).not.toContain(
      'media',
    );
  });
});

describe('the choice of accounts', () => {
  test('is rejected when an account is both listed and excluded', () => {
    const { problems } = failure({
      env: { ...env, INSTAGRAM_ACCOUNTS: '17,@Name', INSTAGRAM_ACCOUNTS_EXCLUDE: 'name,18' },
    });

    expect(problems).toEqual([
      {
        path: 'instagram.accountsExclude',
        env: 'INSTAGRAM_ACCOUNTS_EXCLUDE',
        received: '@name, which INSTAGRAM_ACCOUNTS lists',
        expected: 'accounts that INSTAGRAM_ACCOUNTS does not list',
        action: 'remove it from one of the two',
      },
    ]);
  });

  test('is rejected when an excluded account has settings', () => {
    const more = { INSTAGRAM_ACCOUNTS_EXCLUDE: '17' };

    expect(problemsOf({ '17': { streams: ['users'] } }, {}, more)).toEqual([
      expect.objectContaining({
        path: 'instagram.accountSettings.17',
        expected: 'nothing, because INSTAGRAM_ACCOUNTS_EXCLUDE names the account',
      }),
    ]);
  });

  test.each([
    [{ INSTAGRAM_BUSINESSES: 'mine' }, 'got "mine", expected a comma separated list of entries'],
    [
      { INSTAGRAM_BUSINESSES: '12,all', INSTAGRAM_LOGIN: 'instagram' },
      'INSTAGRAM_BUSINESSES): got businesses, expected nothing, because INSTAGRAM_LOGIN=instagram',
    ],
    [
      { INSTAGRAM_LOGIN_CONFIG_ID: '12', INSTAGRAM_LOGIN: 'instagram' },
      'INSTAGRAM_LOGIN_CONFIG_ID): got a configuration, expected nothing, because INSTAGRAM_LOGIN',
    ],
    [
      { INSTAGRAM_LOGIN_CONFIG_ID: '12', INSTAGRAM_SCOPE: 'instagram_basic' },
      'got a configuration, and permissions in INSTAGRAM_SCOPE, expected one of the two',
    ],
    [
      { INSTAGRAM_LOGIN_CONFIG_ID: 'abc' },
      'got "abc", expected the id of a configuration as digits',
    ],
  ])('is rejected with one error for %j', (more, message) => {
    const { message: text, problems } = failure({ env: { ...env, ...more } });

    expect(problems).toHaveLength(1);
    expect(text).toContain(message);
  });
});
