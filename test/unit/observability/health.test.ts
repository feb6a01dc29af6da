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
  test('has nothing ready before anything was reported', () => {
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

  test('keeps what a dependency last said', () => {
    const down = { type: 'dependency', name: 'kafka', ready: false, reason: 'away' } as const;
    const health = reduceHealth(initialHealth(streams), down, 0);

    expect(health.dependencies.kafka).toEqual({ ready: false, reason: 'away' });
    expect(
      reduceHealth(health, { ...down, ready: true, reason: '' }, 1).dependencies.kafka,
    ).toEqual({ ready: true, reason: '' });
  });

  test('remembers when an account was added, also when it is reported again', () => {
    const again = { type: 'accounts', added: [account('1')], removed: [] } as const;

    expect(reduceHealth(withAccount(), again, 99).accounts.get('1')?.addedAtMs).toBe(10);
  });

  test('forgets a removed account, and its poll that ends later', () => {
    const removed = reduceHealth(
      withAccount(),
      { type: 'accounts', added: [], removed: [account('1')] },
      20,
    );

    expect(removed.accounts.size).toBe(0);
    expect(reduceHealth(removed, finished(), 30).accounts.size).toBe(0);
  });

  test('keeps the time of a finished poll, and a failed one does not change it', () => {
    const health = reduceHealth(withAccount(), finished(), 30);

    expect(health.accounts.get('1')?.succeededAtMs).toEqual({ users: 30 });
    expect(reduceHealth(health, failed(), 40).accounts.get('1')?.succeededAtMs).toEqual({
      users: 30,
    });
  });

  test('takes the last poll of an earlier run for a success, and keeps when the next one is', () => {
    const event = { stream: 'media', accountId: '1', polledMs: 5, nextPollMs: 9000 } as const;
    const after = reduceHealth(withAccount(), { type: 'poll-awaited', ...event }, 20);
    expect(after.accounts.get('1')).toMatchObject({
      succeededAtMs: { media: 5 },
      streams: { media: { polls: 0, nextPollMs: 9000 } },
    });
  });

  test('adds up what the polls of a stream brought and keeps when the next one is', () => {
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
        deadLetters: 1,
        requests: 5,
        nextPollMs: 900,
        trouble: null,
        stateMs: null,
        stateSize: null,
        refusals: [],
      },
    });
  });

  test('remembers since when a stream fails and how often, until it succeeds', () => {
    const once = reduceHealth(withAccount(), failed({ retryInMs: 5 }), 30);

    expect(once.accounts.get('1')?.streams['users']?.trouble).toMatchObject({
      sinceMs: 30,
      atMs: 30,
      tries: 1,
      retryAtMs: 35,
    });
    const twice = reduceHealth(once, failed({ message: 'HTTP 503', retryInMs: null }), 40);
    expect(twice.accounts.get('1')?.streams['users']?.trouble).toEqual({
      code: 'graph.server',
      disposition: 'retry',
      message: 'HTTP 503',
      sinceMs: 30,
      atMs: 40,
      tries: 2,
      retryAtMs: null,
    });
    const healed = reduceHealth(twice, finished(), 50);
    expect(healed.accounts.get('1')?.streams['users']?.trouble).toBeNull();
  });

  test('knows an account as stopped until it is polled again, whatever poll was in hand then', () => {
    const stop = failed({ disposition: 'stop-account', code: 'graph.token', retryInMs: null });
    const stopped = reduceHealth(withAccount(), stop, 30);

    expect(stopped.accounts.get('1')?.stopped).toMatchObject({ code: 'graph.token', atMs: 30 });
    const other = reduceHealth(stopped, failed({ stream: 'media' }), 31);
    expect(other.accounts.get('1')?.stopped?.code).toBe('graph.token');
    const ended = reduceHealth(other, finished({ stream: 'media' }), 32);
    expect(ended.accounts.get('1')?.stopped?.code).toBe('graph.token');
    const again = { type: 'accounts', added: [account('1')], removed: [] } as const;
    const resumed = reduceHealth(ended, again, 33).accounts.get('1');
    expect([resumed?.stopped, resumed?.streams['users']?.trouble]).toEqual([null, null]);
    expect(resumed?.succeededAtMs).toEqual({ media: 32 });
  });

  test('knows since when a token is refused until it is taken again', () => {
    const refusal = { code: 'graph.token', message: 'expired' } as const;
    const refused = { type: 'token-refused', name: 'default', refusal } as const;
    const told = { type: 'token', name: 'default', expiresAtMs: 99 } as const;
    const health = [refused, told, { ...refused, refusal: { ...refusal, message: 'b' } }].reduce(
      (so, event, index) => reduceHealth(so, event, 30 + index),
      withAccount(),
    );

    expect([...health.tokens]).toEqual([
      [
        'default',
        {
          expiresAtMs: 99,
          action: '',
          refusal: { code: 'graph.token', message: 'b', sinceMs: 30 },
        },
      ],
    ]);
    const taken = reduceHealth(health, { ...refused, refusal: null }, 40);
    expect(taken.tokens.get('default')?.refusal).toBeNull();
    const unknown = reduceHealth(withAccount(), refused, 30);
    expect(reduceHealth(unknown, { ...refused, refusal: null }, 40).tokens.size).toBe(0);
  });

  test('keeps what is known of a token', () => {
    const told = { type: 'token', name: 'default', expiresAtMs: 99 } as const;
    const health = reduceHealth(withAccount(), told, 30);

    expect([...health.tokens]).toEqual([
      ['default', { expiresAtMs: 99, action: '', refusal: null }],
    ]);
    const never = reduceHealth(health, { ...told, expiresAtMs: null }, 31);
    expect([...never.tokens]).toEqual([
      ['default', { expiresAtMs: null, action: '', refusal: null }],
    ]);
    const others = { ...told, name: '1', inUse: ['1', '2'], action: 'Get a new one.' };
    expect([...reduceHealth(health, others, 32).tokens]).toEqual([
      ['1', { expiresAtMs: 99, action: 'Get a new one.', refusal: null }],
    ]);
  });

  test('keeps the end of the API version that was reported last', () => {
    const ends = { type: 'api-version', version: 'v25.0', endsAtMs: 99, warning: '' } as const;

    expect(initialHealth(streams).apiVersion).toBeNull();
    expect(reduceHealth(withAccount(), ends, 30).apiVersion).toEqual({
      version: 'v25.0',
      endsAtMs: 99,
      warning: '',
    });
  });

  test('forgets the quota of a removed account', () => {
    const scope = { kind: 'account', id: '1' } as const;
    const told = { type: 'scope', scope, percent: 5, state: 'free', untilMs: null } as const;
    const health = reduceHealth(withAccount(), told, 30);

    expect([...health.scopes.keys()]).toEqual(['account 1']);
    const removed = { type: 'accounts', added: [], removed: [account('1')] } as const;
    expect(reduceHealth(health, removed, 31).scopes.size).toBe(0);
  });

  test('changes the maps of accounts and scopes in place, since a copy costs by the account', () => {
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
