import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { watchConfigFile } from '../../../src/cli/config-watch.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const env = {
  INSTAGRAM_ACCESS_TOKEN: 'token',
  KAFKA_BROKERS: 'kafka:9092',
  SCHEMA_REGISTRY_URL: 'http://registry:8081',
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-watch-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Resolves without I/O, so that advancing the clock is enough. */
const readText = (path: string) => Promise.resolve().then(() => readFileSync(path, 'utf8'));

/** Watches a file with the content `first`; `write` replaces it and waits for the next look. */
async function watching(first: object, args: Record<string, string> = {}) {
  const configFile = join(folder, 'config.json');
  writeFileSync(configFile, JSON.stringify(first));
  const clock = createManualClock(0);
  const stop = new AbortController();
  const done: (readonly unknown[])[] = [];
  const log = {
    debug: () => undefined,
    info: (fields: object, message: string) => done.push(['info', message, fields]),
    warn: (fields: object, message: string) => done.push(['warn', message, fields]),
    error: (fields: object, message: string) => done.push(['error', message, fields]),
    level: () => 'info',
    setLevel: (level: string) => done.push(['level', level]),
  };
  const ended = watchConfigFile(
    { env, configFile, args },
    {
      log,
      setAccounts: (changes) => done.push(['accounts', changes]),
      setPublicContent: (changes) => done.push(['public content', changes]),
      setInterval: (stream, ms) => done.push(['interval', stream, ms]),
    },
    { signal: stop.signal, clock, readText },
  );
  const look = () => clock.advance(2000);
  await look();
  return {
    done,
    look,
    async write(text: string) {
      done.length = 0;
      writeFileSync(configFile, text);
      await look();
      return [...done];
    },
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

const nextListing = 'from the next listing of the accounts (INSTAGRAM_ACCOUNTS_REFRESH)';

describe('the watched configuration file', () => {
  test('changes intervals and the log level of the running program', async () => {
    const file = await watching({ streams: { media: { interval: '6h' } } });

    expect(file.done).toEqual([]);
    const changed = { streams: { media: { interval: '10m' } }, log: { level: 'debug' } };
    expect(await file.write(JSON.stringify(changed))).toEqual([
      ['interval', 'media', 600_000],
      ['level', 'debug'],
      [
        'info',
        'configuration changed',
        { fields: ['streams.media.interval', 'log.level'], applies: 'at once' },
      ],
    ]);
    expect(await file.write(JSON.stringify(changed, null, 2))).toEqual([]);
    await file.stop();
  });

  test('changes the accounts of the running program', async () => {
    const file = await watching({ instagram: { accounts: ['17'] } });

    expect(await file.write('{"instagram":{"accounts":["17","18"]}}')).toEqual([
      ['accounts', { accounts: ['17', '18'] }],
      ['info', 'configuration changed', { fields: ['instagram.accounts'], applies: nextListing }],
    ]);
    expect(await file.write('{}')).toContainEqual(['accounts', { accounts: [] }]);
    await file.stop();
  });

  test('changes the lists of public content of the running program', async () => {
    const file = await watching({});
    const instagram = { discoveredUsers: ['@Brand'], discoveredMediaAge: '7d', hashtags: ['#Sun'] };
    const done = await file.write(JSON.stringify({ instagram }));

    expect(done.slice(0, 3)).toEqual([
      ['public content', { users: ['brand'] }],
      ['public content', { mediaAgeMs: 7 * 86_400_000 }],
      ['public content', { hashtags: ['sun'] }],
    ]);
    await file.stop();
  });

  test('logs a line for each time from which changed fields apply', async () => {
    const file = await watching({});
    const changed = { instagram: { accounts: ['17'], hashtags: ['sun'] }, log: { level: 'debug' } };
    const done = await file.write(JSON.stringify(changed));

    expect(done.filter(([kind]) => kind === 'info').map(([, , fields]) => fields)).toEqual([
      { fields: ['instagram.accounts'], applies: nextListing },
      { fields: ['instagram.hashtags'], applies: 'from the next poll of their streams' },
      { fields: ['log.level'], applies: 'at once' },
    ]);
    await file.stop();
  });

  test('causes one warning when a changed field needs a restart', async () => {
    const file = await watching({});

    const told = [['warn', 'configuration needs a restart', { fields: ['kafka.clientId'] }]];
    expect(await file.write('{"kafka":{"clientId":"other"}}')).toEqual(told);
    expect(await file.write('{ "kafka": {"clientId":"other"}}')).toEqual([]);
    expect(await file.write('{}')).toEqual([]);
    expect(await file.write('{"kafka":{"clientId":"other"}}')).toEqual(told);
    await file.stop();
  });

  test('changes nothing and causes one error while it is invalid or missing', async () => {
    const file = await watching({ streams: { media: { interval: '6h' } } });

    const bad = await file.write('{"streams":{"media":{"interval":"soon"}}}');
    expect(bad).toEqual([
      [
        'error',
        'configuration file invalid',
        { problems: [expect.objectContaining({ path: 'streams.media.interval' })] },
      ],
    ]);
    file.done.length = 0;
    await file.look();
    expect(file.done).toEqual([]);
    rmSync(join(folder, 'config.json'));
    await file.look();
    await file.look();
    expect(file.done).toEqual([['error', 'configuration file invalid', expect.anything()]]);
    expect(await file.write('{"streams":{"media":{"interval":"5h"}}}')).toContainEqual([
      'interval',
      'media',
      18_000_000,
    ]);
    await file.stop();
  });

  test('does not override an argument', async () => {
    const file = await watching({}, { 'stream-media-interval': '3h' });

    expect(await file.write('{"streams":{"media":{"interval":"1h"}}}')).toEqual([]);
    await file.stop();
  });

  test('changes exclusions, and streams and intervals of single accounts', async () => {
    const file = await watching({ streams: { enabled: ['users', 'media'] } });
    const others = { streams: ['users', 'media'], intervalsMs: {} };
    const changed = {
      streams: { enabled: ['users', 'media'] },
      instagram: {
        accountsExclude: ['@Name'],
        accountSettings: { '17': { streams: ['users'], intervals: { users: '5m' } } },
      },
    };

    expect(await file.write(JSON.stringify(changed))).toEqual([
      ['accounts', { accountsExclude: ['@name'] }],
      [
        'accounts',
        {
          accountPolling: {
            byAccount: { '17': { streams: ['users'], intervalsMs: { users: 300_000 } } },
            others,
          },
        },
      ],
      [
        'info',
        'configuration changed',
        {
          fields: ['instagram.accountsExclude', 'instagram.accountSettings'],
          applies: nextListing,
        },
      ],
    ]);
    await file.stop();
  });

  test('needs a restart for a stream that no account had at the start', async () => {
    const file = await watching({ streams: { enabled: ['users'] } });
    const changed = {
      streams: { enabled: ['users'] },
      instagram: { accountSettings: { '17': { streams: ['users', 'tags'] } } },
    };

    expect(await file.write(JSON.stringify(changed))).toContainEqual([
      'warn',
      'configuration needs a restart',
      { fields: ['instagram.accountSettings'] },
    ]);
    await file.stop();
  });
});
