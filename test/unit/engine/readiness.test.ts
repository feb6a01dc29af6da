import { describe, expect, test } from '@jest/globals';
import {
  type AccountHealth,
  type HealthSnapshot,
  readiness,
} from '../../../src/engine/readiness.ts';

const up = { ready: true, reason: '' };
const allUp: HealthSnapshot['dependencies'] = {
  state: up,
  kafka: up,
  registry: up,
  graph: up,
  group: up,
};
const hourMs = 3_600_000;
const users = { users: { intervalMs: hourMs } };

describe('readiness', () => {
  test('is ready when every dependency is ready and no account is known', () => {
    const snapshot = { dependencies: allUp, streams: users, accounts: new Map(), partitions: [] };

    expect(readiness(snapshot, 0)).toEqual({ ready: true, reasons: [], partitions: [] });
  });

  test('names every dependency that is not ready, in order', () => {
    const dependencies = {
      graph: { ready: false, reason: 'no answer within 30 s' },
      registry: up,
      kafka: { ready: false, reason: 'no broker answers' },
      state: { ready: false, reason: 'not restored yet' },
      group: { ready: false, reason: 'not joined yet' },
    };

    expect(
      readiness({ dependencies, streams: users, accounts: new Map(), partitions: [] }, 0),
    ).toEqual({
      ready: false,
      reasons: [
        'state: not restored yet',
        'kafka: no broker answers',
        'graph: no answer within 30 s',
        'group: not joined yet',
      ],
      partitions: [],
    });
  });

  test('names each rejected token and the stopped accounts, with the error code and the advice', () => {
    const rejection = { code: 'graph.token', message: 'revoked' } as const;
    const tokens: NonNullable<HealthSnapshot['tokens']> = new Map<
      string,
      { rejection: typeof rejection | null }
    >([
      ...['1', '2', '4', '5'].map((name) => [name, { rejection }] as const),
      ['3', { rejection: null }] as const,
    ]);
    const stopped = { addedAtMs: 0, succeededAtMs: {}, stopped: { code: 'graph.token' } } as const;
    const accounts: HealthSnapshot['accounts'] = new Map<string, AccountHealth>([
      ...['a', 'b', 'c', 'd'].map((id) => [id, stopped] as const),
      ['e', { ...stopped, stopped: null }] as const,
    ]);
    const snapshot = { dependencies: allUp, streams: users, accounts, tokens, partitions: [] };

    expect(readiness(snapshot, 0).reasons).toEqual([
      'token 1: graph.token: revoked',
      'token 2: graph.token: revoked',
      'token 4: graph.token: revoked',
      'tokens: 1 more rejected',
      'stopped by graph.token until a person acts: accounts a, b, c and 1 more. Get a new token (instagram-kafka login) and replace the old one.',
    ]);
  });

  test('names the streams whose states the registry does not know, at once', () => {
    const message = 'states cannot be read: the registry knows no schema with id 7';
    const stopped = { error: { code: 'registry.mismatch', message } } as const;
    const other = { error: { code: 'state.unreadable', message: 'it is not Avro' } } as const;
    const account = { addedAtMs: 0, succeededAtMs: {} };
    const accounts: HealthSnapshot['accounts'] = new Map<string, AccountHealth>([
      ['1', { ...account, streams: { users: stopped, media: stopped } }],
      ['2', { ...account, streams: { users: stopped, media: { error: null } } }],
      ['3', { ...account, streams: { users: other } }],
    ]);
    const snapshot = { dependencies: allUp, streams: users, accounts, partitions: [] };

    expect(readiness(snapshot, 0).reasons).toEqual([
      `stopped by registry.mismatch until a person acts: 3 streams of accounts 1, 2. ${message}`,
    ]);
  });

  test('ends more than three intervals after the last successful poll', () => {
    const accounts = new Map([['1', { addedAtMs: 0, succeededAtMs: { users: hourMs } }]]);
    const snapshot = { dependencies: allUp, streams: users, accounts, partitions: [] };

    expect(readiness(snapshot, 4 * hourMs)).toEqual({ ready: true, reasons: [], partitions: [] });
    expect(readiness(snapshot, 4 * hourMs + 1)).toEqual({
      ready: false,
      reasons: ['users: no successful poll for more than 10800 s (3 intervals) of account 1'],
      partitions: [],
    });
  });

  test('counts from the time when the account was added until its first success', () => {
    const accounts = new Map([['1', { addedAtMs: 10, succeededAtMs: { media: 99 * hourMs } }]]);
    const snapshot = { dependencies: allUp, streams: users, accounts, partitions: [] };

    expect(readiness(snapshot, 3 * hourMs + 10).ready).toBe(true);
    expect(readiness(snapshot, 3 * hourMs + 11).ready).toBe(false);
  });

  test('measures each stream by its own interval', () => {
    const accounts = new Map([['1', { addedAtMs: 0, succeededAtMs: {} }]]);
    const streams = { users: { intervalMs: hourMs }, stories: { intervalMs: 1000 } };

    expect(
      readiness({ dependencies: allUp, streams, accounts, partitions: [] }, hourMs).reasons,
    ).toEqual(['stories: no successful poll for more than 3 s (3 intervals) of account 1']);
  });

  test('names three accounts and counts the rest when many are late', () => {
    const late = { addedAtMs: 0, succeededAtMs: {} };
    const accounts = new Map(['1', '2', '3', '4', '5'].map((id) => [id, late]));

    expect(
      readiness({ dependencies: allUp, streams: users, accounts, partitions: [] }, 4 * hourMs)
        .reasons,
    ).toEqual([
      'users: no successful poll for more than 10800 s (3 intervals) of accounts 1, 2, 3 and 2 more',
    ]);
  });

  test('ignores a stream that is not enabled', () => {
    const accounts = new Map([['1', { addedAtMs: 0, succeededAtMs: {} }]]);

    expect(
      readiness({ dependencies: allUp, streams: {}, accounts, partitions: [] }, 99 * hourMs).ready,
    ).toBe(true);
  });

  test('measures an account by its own streams and intervals, and by the pause of quiet hours', () => {
    const polled = { addedAtMs: 0, succeededAtMs: {} };
    const accounts = new Map<string, AccountHealth>([
      ['1', { ...polled, polling: { streams: ['users'], intervalsMs: { users: 3 * hourMs } } }],
      ['2', { ...polled, polling: { streams: ['media'], intervalsMs: {} } }],
      ['3', { ...polled, polling: { streams: ['users'], intervalsMs: { users: 60_000 } } }],
      ['4', polled],
    ]);
    const reasonsWith = (pauseMs: number) => {
      const streams = { users: { intervalMs: hourMs, pauseMs } };
      return readiness({ dependencies: allUp, streams, accounts, partitions: [] }, 4 * hourMs)
        .reasons;
    };

    expect(reasonsWith(0)).toEqual([
      'users: no successful poll for more than 180 s (3 intervals) of account 3',
      'users: no successful poll for more than 10800 s (3 intervals) of account 4',
    ]);
    expect(reasonsWith(2 * hourMs)).toEqual([]);
  });
});
