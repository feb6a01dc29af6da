import { describe, expect, test } from '@jest/globals';
import { initialHealth, reduceHealth } from '../../../src/observability/health.ts';
import { account, failed, finished } from './telemetry-events.ts';

const streams = { users: { intervalMs: 1000 } };
const withAccount = () =>
  reduceHealth(
    initialHealth(streams),
    { type: 'accounts', added: [account('1')], removed: [] },
    10,
  );

describe('reduceHealth', () => {
  test('starts with every dependency not ready', () => {
    const { dependencies, accounts } = initialHealth(streams);

    expect(Object.values(dependencies).map(({ ready }) => ready)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(accounts.size).toBe(0);
  });

  test('keeps the last report of a dependency', () => {
    const down = { type: 'dependency', name: 'kafka', ready: false, reason: 'away' } as const;
    const health = reduceHealth(initialHealth(streams), down, 0);

    expect(health.dependencies.kafka).toEqual({ ready: false, reason: 'away' });
    expect(
      reduceHealth(health, { ...down, ready: true, reason: '' }, 1).dependencies.kafka,
    ).toEqual({ ready: true, reason: '' });
  });

  test('keeps the time when an account was first added', () => {
    const again = { type: 'accounts', added: [account('1')], removed: [] } as const;

    expect(reduceHealth(withAccount(), again, 99).accounts.get('1')?.addedAtMs).toBe(10);
  });

  test('drops a removed account, and ignores its polls that end later', () => {
    const removed = reduceHealth(
      withAccount(),
      { type: 'accounts', added: [], removed: [account('1')] },
      20,
    );

    expect(removed.accounts.size).toBe(0);
    expect(reduceHealth(removed, finished(), 30).accounts.size).toBe(0);
  });

  test('keeps the time of the last successful poll when a later poll fails', () => {
    const health = reduceHealth(withAccount(), finished(), 30);

    expect(health.accounts.get('1')?.succeededAtMs).toEqual({ users: 30 });
    expect(reduceHealth(health, failed(), 40).accounts.get('1')?.succeededAtMs).toEqual({
      users: 30,
    });
  });

  test('counts the last poll of an earlier run as a success, and keeps the time of the next poll', () => {
    const event = { stream: 'media', accountId: '1', polledMs: 5, nextPollMs: 9000 } as const;
    const after = reduceHealth(withAccount(), { type: 'poll-awaited', ...event }, 20);
    expect(after.accounts.get('1')).toMatchObject({
      succeededAtMs: { media: 5 },
      streams: { media: { polls: 0, nextPollMs: 9000 } },
    });
  });

  test("sums the results of a stream's polls and keeps the time of the next poll", () => {
    const first = finished({ records: 3, deadLetters: 1, requests: 4, nextPollMs: 500 });
    const second = finished({ records: 2, requests: 1, nextPollMs: 900 });
    const health = [first, second].reduce(
      (so, event) => reduceHealth(so, event, 30),
      withAccount(),
    );

    expect(health.accounts.get('1')?.streams).toEqual({
      users: {
        polls: 2,
        records: 5,
        recordMs: 30,
        deadLetters: 1,
        deadLetterMs: 30,
        requests: 5,
        nextPollMs: 900,
        error: null,
        stateMs: null,
        stateSize: null,
        rejections: [],
      },
    });
  });

  test("keeps the start and the number of a stream's failures until the stream succeeds", () => {
    const once = reduceHealth(withAccount(), failed({ retryInMs: 5 }), 30);

    expect(once.accounts.get('1')?.streams['users']?.error).toMatchObject({
      sinceMs: 30,
      atMs: 30,
      tries: 1,
      retryAtMs: 35,
    });
    const twice = reduceHealth(once, failed({ message: 'HTTP 503', retryInMs: null }), 40);
    expect(twice.accounts.get('1')?.streams['users']?.error).toEqual({
      code: 'graph.server',
      disposition: 'retry',
      message: 'HTTP 503',
      trigger: 'schedule',
      sinceMs: 30,
      atMs: 40,
      tries: 2,
      retryAtMs: null,
    });
    const healed = reduceHealth(twice, finished(), 50);
    expect(healed.accounts.get('1')?.streams['users']?.error).toBeNull();
  });

  test('keeps an account stopped until its next start, even when a running poll ends later', () => {
    const stop = failed({ disposition: 'stop-account', code: 'graph.token', retryInMs: null });
    const stopped = reduceHealth(withAccount(), stop, 30);

    expect(stopped.accounts.get('1')?.stopped).toMatchObject({ code: 'graph.token', atMs: 30 });
    const other = reduceHealth(stopped, failed({ stream: 'media' }), 31);
    expect(other.accounts.get('1')?.stopped?.code).toBe('graph.token');
    const ended = reduceHealth(other, finished({ stream: 'media' }), 32);
    expect(ended.accounts.get('1')?.stopped?.code).toBe('graph.token');
    const again = { type: 'accounts', added: [account('1')], removed: [] } as const;
    const resumed = reduceHealth(ended, again, 33).accounts.get('1');
    expect([resumed?.stopped, resumed?.streams['users']?.error]).toEqual([null, null]);
    expect(resumed?.succeededAtMs).toEqual({ media: 32 });
  });

  test("keeps the start of a token's rejection until the token is accepted again", () => {
    const rejection = { code: 'graph.token', message: 'expired' } as const;
    const refused = { type: 'token-rejected', name: 'default', rejection } as const;
    const told = { type: 'token', name: 'default', expiresAtMs: 99 } as const;
    const health = [
      refused,
      told,
      { ...refused, rejection: { ...rejection, message: 'b' } },
    ].reduce((so, event, index) => reduceHealth(so, event, 30 + index), withAccount());

    expect([...health.tokens]).toEqual([
      [
        'default',
        {
          expiresAtMs: 99,
          action: '',
          rejection: { code: 'graph.token', message: 'b', sinceMs: 30 },
        },
      ],
    ]);
    const taken = reduceHealth(health, { ...refused, rejection: null }, 40);
    expect(taken.tokens.get('default')?.rejection).toBeNull();
    const unknown = reduceHealth(withAccount(), refused, 30);
    expect(reduceHealth(unknown, { ...refused, rejection: null }, 40).tokens.size).toBe(0);
  });

  test('keeps the last report of each token in use', () => {
    const told = { type: 'token', name: 'default', expiresAtMs: 99 } as const;
    const health = reduceHealth(withAccount(), told, 30);

    expect([...health.tokens]).toEqual([
      ['default', { expiresAtMs: 99, action: '', rejection: null }],
    ]);
    const never = reduceHealth(health, { ...told, expiresAtMs: null }, 31);
    expect([...never.tokens]).toEqual([
      ['default', { expiresAtMs: null, action: '', rejection: null }],
    ]);
    const others = { ...told, name: '1', inUse: ['1', '2'], action: 'Get a new one.' };
    expect([...reduceHealth(health, others, 32).tokens]).toEqual([
      ['1', { expiresAtMs: 99, action: 'Get a new one.', rejection: null }],
    ]);
  });

  test('keeps the last reported end of the API version', () => {
    const ends = { type: 'api-version', version: 'v25.0', endsAtMs: 99, warning: '' } as const;

    expect(initialHealth(streams).apiVersion).toBeNull();
    expect(reduceHealth(withAccount(), ends, 30).apiVersion).toEqual({
      version: 'v25.0',
      endsAtMs: 99,
      warning: '',
    });
  });

  test('drops the quota of a removed account and of its page', () => {
    const usage = { type: 'scope', percent: 5, state: 'free', untilMs: null } as const;
    const scopes = [
      { kind: 'account', id: '1' },
      { kind: 'page', id: 'p1' },
      { kind: 'page', id: 'p2' },
    ] as const;
    const health = scopes.reduce(
      (so, scope) => reduceHealth(so, { ...usage, scope }, 30),
      withAccount(),
    );

    expect([...health.scopes.keys()]).toEqual(['account 1', 'page p1', 'page p2']);
    const gone = { ...account('1'), pageId: 'p1' };
    const after = reduceHealth(health, { type: 'accounts', added: [], removed: [gone] }, 31);
    expect([...after.scopes.keys()]).toEqual(['page p2']);
  });

  test('updates the maps of accounts and scopes in place, because copies cost time per account', () => {
    const health = withAccount();
    const scope = { kind: 'account', id: '1' } as const;
    const told = { type: 'scope', scope, percent: 5, state: 'free', untilMs: null } as const;
    const after = [finished(), failed(), told].reduce(
      (so, event) => reduceHealth(so, event, 30),
      health,
    );

    expect(after.accounts).toBe(health.accounts);
    expect(after.scopes).toBe(health.scopes);
  });
});
