import { describe, expect, test } from '@jest/globals';
import type { Scope } from '../../../src/engine/errors.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import {
  initialHealth,
  reduceHealth,
  type ServiceHealth,
} from '../../../src/observability/health.ts';
import { noCalls } from '../../../src/observability/measured-calls.ts';
import { describeStatus } from '../../../src/observability/status.ts';
import { account, failed, finished } from './telemetry-events.ts';

const hourMs = 3_600_000;
const app: Scope = { kind: 'app', id: '' };
const until = '1970-01-01T05:00:00.000Z';
const added: TelemetryEvent = { type: 'accounts', added: [account('1')], removed: [] };

function healthAfter(...events: readonly TelemetryEvent[]): ServiceHealth {
  return events.reduce(
    (health, event) => reduceHealth(health, event, 0),
    initialHealth({ users: { intervalMs: hourMs } }),
  );
}

function describeAt(health: ServiceHealth, nowMs: number) {
  const query = { offset: 0, limit: 50, search: '', trouble: false };
  const program = { version: '1.2.3', instance: 'here', startedMs: 0, controlEnabled: true };
  return describeStatus(health, query, {
    ...program,
    nowMs,
    calls: noCalls(0),
    callLimit: () => null,
  });
}

const stopped = (scope: Scope, untilMs = 5 * hourMs): TelemetryEvent => {
  return { type: 'scope', scope, percent: 100, state: 'stopped', untilMs };
};

const awaited = (accountId: string, ...scopes: readonly Scope[]): TelemetryEvent => {
  return { type: 'quota-awaited', stream: 'users', accountId, scopes };
};

describe('describeStatus: a stream whose poll waits for a limit', () => {
  // A health must not be used after a later event.
  const waiting = () => healthAfter(added, finished(), stopped(app), awaited('1', app));

  test('is waiting until the limit ends, also after three intervals', () => {
    const expected = {
      state: 'waiting',
      waitsFor: { scope: 'app', id: null, until },
      nextPoll: until,
      error: null,
    };

    for (const nowMs of [hourMs, 4 * hourMs]) {
      const { accounts, streams } = describeAt(waiting(), nowMs);
      expect(accounts.items[0]?.streams[0]).toMatchObject(expected);
      expect(streams[0]?.states).toEqual({ waiting: 1 });
    }
    expect(describeAt(waiting(), 5 * hourMs).accounts.items[0]?.streams[0]).toMatchObject({
      state: 'late',
      waitsFor: null,
    });
  });

  test('is listed among the problems, with the time at which polls resume', () => {
    expect(describeAt(waiting(), hourMs).trouble).toEqual([
      {
        code: 'graph.rate-limited',
        action: `No action needed: polls resume at ${until}, when the limit of the app ends. A \`poll\` request does not shorten the wait.`,
        streams: 1,
        accounts: 1,
        example: `the limit of the app is reached until ${until}`,
      },
    ]);
    expect(describeAt(waiting(), 5 * hourMs).trouble).toEqual([]);
  });

  test('is the reason of a late stream in /readyz', () => {
    expect(describeAt(waiting(), 4 * hourMs).reasons).toContain(
      `users: no successful poll for more than 10800 s (3 intervals) of account 1; waits for the limit of the app until ${until}`,
    );
  });

  test('no longer waits once its request was admitted', () => {
    const admitted = reduceHealth(waiting(), awaited('1'), hourMs);

    expect(describeAt(admitted, hourMs).accounts.items[0]?.streams[0]?.state).toBe('ok');
  });

  test('keeps the state of its error, and names it', () => {
    const failing = reduceHealth(waiting(), failed({ retryInMs: null }), 0);
    const { accounts, trouble } = describeAt(failing, hourMs);

    expect(accounts.items[0]?.streams[0]).toMatchObject({ state: 'failed', nextPoll: until });
    expect(trouble.map(({ code }) => code)).toEqual(['graph.server']);
  });
});

describe('describeStatus: the last record of a stream', () => {
  test('is the end of the last poll that published one, null for none since the start', () => {
    const lastAfter = (...events: readonly TelemetryEvent[]) =>
      describeAt(healthAfter(added, ...events), 0).accounts.items[0]?.streams[0]?.lastRecord;

    expect(lastAfter(finished())).toBeNull();
    const health = healthAfter(added, finished({ records: 2 }));
    const later = reduceHealth(health, finished(), 6 * hourMs);
    expect(describeAt(later, 6 * hourMs).accounts.items[0]?.streams[0]).toMatchObject({
      lastSuccess: '1970-01-01T06:00:00.000Z',
      lastRecord: '1970-01-01T00:00:00.000Z',
    });
  });
});

describe('describeStatus: the limits of many accounts', () => {
  const ids = ['1', '2', '3', '4', '5'];
  const scopes = ids.map((id): Scope => ({ kind: 'account', id }));
  const others: TelemetryEvent = { type: 'accounts', added: ids.map(account), removed: [] };
  const health = healthAfter(
    others,
    ...scopes.map((scope, index) => stopped(scope, (5 + index) * hourMs)),
    ...scopes.map((scope) => awaited(scope.id, scope)),
  );
  const names = 'the limits of account 5, account 4, account 3 and 2 more';

  test('are one entry and one reason, which name three of them', () => {
    const { trouble, reasons } = describeAt(health, 4 * hourMs);

    expect(trouble).toMatchObject([{ streams: 5, accounts: 5 }]);
    expect(trouble[0]?.action).toBe(
      `No action needed: polls resume by 1970-01-01T09:00:00.000Z, when ${names} end. A \`poll\` request does not shorten the wait.`,
    );
    expect(reasons.at(-1)).toBe(
      `users: no successful poll for more than 10800 s (3 intervals) of accounts 1, 2, 3 and 2 more; waits for ${names} until 1970-01-01T09:00:00.000Z`,
    );
  });
});
