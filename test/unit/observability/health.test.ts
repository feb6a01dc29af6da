import { describe, expect, test } from '@jest/globals';
import { initialHealth, reduceHealth } from '../../../src/observability/health.ts';
import { account, failed, finished } from './telemetry-events.ts';

const streams = { users: { intervalMs: 1000 } };
const withAccount = reduceHealth(
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

    expect(reduceHealth(withAccount, again, 99).accounts.get('1')).toEqual({
      addedAtMs: 10,
      succeededAtMs: {},
    });
  });

  test('forgets a removed account, and its poll that ends later', () => {
    const removed = reduceHealth(
      withAccount,
      { type: 'accounts', added: [], removed: [account('1')] },
      20,
    );

    expect(removed.accounts.size).toBe(0);
    expect(reduceHealth(removed, finished(), 30).accounts.size).toBe(0);
  });

  test('keeps the time of a finished poll and ignores a failed one', () => {
    const health = reduceHealth(withAccount, finished(), 30);

    expect(health.accounts.get('1')?.succeededAtMs).toEqual({ users: 30 });
    expect(reduceHealth(health, failed(), 40)).toBe(health);
  });

  test('leaves the snapshot before it as it was', () => {
    reduceHealth(withAccount, finished(), 30);

    expect(withAccount.accounts.get('1')).toEqual({ addedAtMs: 10, succeededAtMs: {} });
  });
});
