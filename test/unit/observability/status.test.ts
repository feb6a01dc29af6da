import { describe, expect, test } from '@jest/globals';
import {
  initialHealth,
  reduceHealth,
  type ServiceHealth,
} from '../../../src/observability/health.ts';
import { countCalls, noCalls } from '../../../src/observability/measured-calls.ts';
import type { StatusQuery } from '../../../src/observability/status-query.ts';
import { describeStatus, type StatusFacts } from '../../../src/observability/status.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { account, failed, finished } from './telemetry-events.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const streams = { users: { intervalMs: hourMs }, media: { intervalMs: hourMs } };
const everything: StatusQuery = { offset: 0, limit: 50, search: '', trouble: false };

/** Health after events, each at its time. */
function healthAfter(...events: readonly (readonly [number, TelemetryEvent])[]): ServiceHealth {
  return events.reduce(
    (health, [nowMs, event]) => reduceHealth(health, event, nowMs),
    initialHealth(streams),
  );
}

function describeAt(health: ServiceHealth, nowMs: number, query: Partial<StatusQuery> = {}) {
  return describeStatus(health, { ...everything, ...query }, factsAt(nowMs));
}

function factsAt(nowMs: number): StatusFacts {
  const program = { version: '1.2.3', instance: 'here', startedMs: 0, controlEnabled: true };
  return { ...program, nowMs, calls: noCalls(0), callLimit: () => null };
}

const withAccounts = (...ids: readonly string[]): [number, TelemetryEvent] => [
  0,
  { type: 'accounts', added: ids.map(account), removed: [] },
];

function scopeTold(changes: Partial<Extract<TelemetryEvent, { type: 'scope' }>>): TelemetryEvent {
  const scope = { kind: 'app', id: '' } as const;
  return { type: 'scope', scope, percent: 10, state: 'free', untilMs: null, ...changes };
}

describe('describeStatus', () => {
  test('starts as not ready, without accounts', () => {
    expect(describeAt(initialHealth(streams), minuteMs)).toMatchObject({
      formatVersion: 1,
      startedAt: '1970-01-01T00:00:00.000Z',
      now: '1970-01-01T00:01:00.000Z',
      ready: false,
      tokens: [],
      quota: { total: 0, items: [] },
      trouble: [],
      accounts: { total: 0, matching: 0, items: [] },
    });
  });

  test('shows the last success, the next poll, the sums and the lag of a stream', () => {
    const poll = finished({ records: 7, deadLetters: 2, requests: 3, nextPollMs: 2 * hourMs });
    const status = describeAt(healthAfter(withAccounts('1'), [hourMs, poll]), 2.5 * hourMs);

    expect(status.accounts.items[0]?.streams[0]).toEqual({
      stream: 'users',
      state: 'ok',
      lastSuccess: '1970-01-01T01:00:00.000Z',
      intervalSeconds: 3600,
      nextPoll: '1970-01-01T02:00:00.000Z',
      pause: null,
      waitsFor: null,
      lagSeconds: 1800,
      polls: 1,
      records: 7,
      lastRecord: '1970-01-01T01:00:00.000Z',
      requests: 3,
      deadLetters: 2,
      error: null,
    });
  });

  test('shows a stream as late after three intervals without success and without an error', () => {
    const health = healthAfter(withAccounts('1'), [0, finished()]);
    const stateAt = (ms: number) => describeAt(health, ms).accounts.items[0]?.streams[0]?.state;

    expect(stateAt(3 * hourMs)).toBe('ok');
    expect(stateAt(3 * hourMs + 1)).toBe('late');
  });

  test.each([
    [failed({ retryInMs: 1000 }), 'retrying', '1970-01-01T00:00:01.000Z'],
    [failed({ disposition: 'wait', retryInMs: 1000 }), 'waiting', '1970-01-01T00:00:01.000Z'],
    [failed({ retryInMs: null, nextPollMs: hourMs }), 'failed', '1970-01-01T01:00:00.000Z'],
    [failed({ disposition: 'stop-stream', retryInMs: null }), 'stopped', null],
  ])('shows the state and the next poll after a failed poll: case %#', (event, state, nextPoll) => {
    const { accounts } = describeAt(healthAfter(withAccounts('1'), [0, event]), 0);

    expect(accounts.items[0]?.streams[0]).toMatchObject({ state, nextPoll });
  });

  test('shows an error with the advice, its start and the number of attempts', () => {
    const health = healthAfter(
      withAccounts('1'),
      [minuteMs, failed()],
      [2 * minuteMs, failed({ code: 'graph.timeout', message: 'no answer' })],
    );

    expect(describeAt(health, hourMs).accounts.items[0]?.streams[0]?.error).toEqual({
      code: 'graph.timeout',
      message: 'no answer',
      action:
        'It is retried automatically. If it persists, raise INSTAGRAM_REQUEST_TIMEOUT or lower INSTAGRAM_PAGE_SIZE.',
      since: '1970-01-01T00:01:00.000Z',
      at: '1970-01-01T00:02:00.000Z',
      tries: 2,
    });
  });

  test('shows an error that stops an account once, and all streams of the account as stopped', () => {
    const stop = failed({ disposition: 'stop-account', code: 'graph.token', retryInMs: null });
    const { accounts, trouble } = describeAt(healthAfter(withAccounts('1'), [0, stop]), 0);

    expect(accounts.items[0]).toMatchObject({
      error: { code: 'graph.token' },
      streams: [
        { state: 'stopped', error: null },
        { state: 'stopped', error: null },
      ],
    });
    expect(trouble).toEqual([
      {
        code: 'graph.token',
        action: 'Get a new token (instagram-kafka login) and replace the old one.',
        streams: 2,
        accounts: 1,
        example: 'HTTP 500',
      },
    ]);
  });

  test('lists errors that need a person before more frequent errors', () => {
    const health = healthAfter(
      withAccounts('1', '2', '3'),
      [0, failed({ accountId: '1' })],
      [0, failed({ accountId: '2' })],
      [0, failed({ accountId: '3', disposition: 'stop-stream', code: 'graph.permission' })],
    );

    expect(describeAt(health, 0).trouble.map(({ code, streams }) => [code, streams])).toEqual([
      ['graph.permission', 1],
      ['graph.server', 2],
    ]);
  });

  test('sums a stream over its accounts, with the oldest success', () => {
    const health = healthAfter(
      withAccounts('1', '2'),
      [minuteMs, finished({ accountId: '1', records: 2 })],
      [0, finished({ accountId: '2', records: 3, deadLetters: 1 })],
    );

    expect(describeAt(health, minuteMs).streams).toEqual([
      {
        name: 'users',
        intervalSeconds: 3600,
        states: { ok: 2 },
        records: 5,
        requests: 2,
        deadLetters: 1,
        calls: { measured: 0, perDay: null, foundNothingShare: null, byAge: [] },
        oldestSuccess: '1970-01-01T00:00:00.000Z',
      },
      expect.objectContaining({ name: 'media', states: { starting: 2 }, oldestSuccess: null }),
    ]);
  });

  test('shows the calls of each account, and those that exceed their limit, by how much', () => {
    const calls = noCalls(0);
    const health = healthAfter(withAccounts('1', '2', '3'));
    countCalls(calls, withAccounts('1', '2', '3')[1], 0);
    for (const [accountId, count] of [
      ['1', 20],
      ['2', 40],
      ['3', 5],
    ] as const) {
      const event = { type: 'calls', stream: 'users', accountId, calls: count } as const;
      countCalls(calls, { ...event, results: {}, impressions: 0 }, 0);
    }
    const status = describeStatus(health, everything, {
      ...factsAt(2 * hourMs),
      calls,
      callLimit: () => 120,
    });

    expect(status.overLimit).toEqual({
      total: 2,
      items: [
        {
          id: '2',
          username: null,
          perDay: 480,
          limit: 120,
          fittingInterval: { stream: 'users', seconds: 14_400 },
        },
        {
          id: '1',
          username: null,
          perDay: 240,
          limit: 120,
          fittingInterval: { stream: 'users', seconds: 7200 },
        },
      ],
    });
    expect(status.accounts.items.map(({ calls: one }) => one?.perDay)).toEqual([240, 480, 60]);
    expect(status.streams[0]?.calls.perDay).toBe(780);
  });

  test('shows the remaining days of each token', () => {
    const token = (name: string, expiresAtMs: number | null): [number, TelemetryEvent] => [
      0,
      { type: 'token', name, expiresAtMs },
    ];
    const health = healthAfter(token('a', 2.5 * dayMs), token('b', null), token('c', -1));

    expect(describeAt(health, 0).tokens).toEqual([
      {
        name: 'a',
        expiresAt: '1970-01-03T12:00:00.000Z',
        daysLeft: 2,
        action: null,
        refusal: null,
      },
      { name: 'b', expiresAt: null, daysLeft: null, action: null, refusal: null },
      {
        name: 'c',
        expiresAt: '1969-12-31T23:59:59.999Z',
        daysLeft: -1,
        action: null,
        refusal: null,
      },
    ]);
  });
});

describe('describeStatus: a rejected token', () => {
  const rejection = { code: 'graph.token', message: 'revoked' } as const;
  const health = healthAfter(
    [0, { type: 'token', name: 'default', expiresAtMs: 60 * dayMs }],
    [hourMs, { type: 'token-rejected', name: 'default', rejection }],
  );

  test('is expired since its rejection, has an advice, and makes the program not ready', () => {
    const { ready, reasons, tokens } = describeAt(health, 2 * hourMs);

    expect(ready).toBe(false);
    expect(reasons).toContain('token default: graph.token: revoked');
    expect(tokens).toEqual([
      {
        name: 'default',
        expiresAt: '1970-01-01T01:00:00.000Z',
        daysLeft: -1,
        action: 'Get a new token (instagram-kafka login) and replace the old one.',
        refusal: rejection,
      },
    ]);
  });
});

describe('describeStatus: the API version', () => {
  const version = { type: 'api-version', version: 'v25.0', endsAtMs: 2.5 * dayMs } as const;

  test('has its end, the remaining days and the warning', () => {
    const health = healthAfter([0, { ...version, warning: 'v25.0 ends soon.' }]);

    expect(describeAt(health, 0).apiVersion).toEqual({
      version: 'v25.0',
      endsAt: '1970-01-03T12:00:00.000Z',
      daysLeft: 2,
      warning: 'v25.0 ends soon.',
    });
  });

  test('has null as an unknown end, and is null before the start-up has reported it', () => {
    const health = healthAfter([0, { ...version, endsAtMs: null, warning: '' }]);

    expect(describeAt(health, 0).apiVersion).toEqual({
      version: 'v25.0',
      endsAt: null,
      daysLeft: null,
      warning: null,
    });
    expect(describeAt(initialHealth(streams), 0).apiVersion).toBeNull();
  });
});

describe('describeStatus: the quota', () => {
  test('lists stopped scopes first, then scopes by usage', () => {
    const health = healthAfter(
      [0, scopeTold({ percent: 60.4 })],
      [0, scopeTold({ scope: { kind: 'account', id: '1' }, percent: 80, state: 'slowed' })],
      [
        0,
        scopeTold({
          scope: { kind: 'page', id: '9' },
          percent: 20,
          state: 'stopped',
          untilMs: hourMs,
        }),
      ],
    );

    expect(describeAt(health, 0).quota.items).toEqual([
      { scope: 'page', id: '9', percent: 20, state: 'stopped', until: '1970-01-01T01:00:00.000Z' },
      { scope: 'account', id: '1', percent: 80, state: 'slowed', until: null },
      { scope: 'app', id: null, percent: 60, state: 'free', until: null },
    ]);
  });

  test('has a scope as no longer stopped after the end of its block', () => {
    const health = healthAfter([0, scopeTold({ percent: 100, state: 'stopped', untilMs: hourMs })]);

    expect(describeAt(health, hourMs).quota.items).toMatchObject([
      { state: 'slowed', until: null },
    ]);
  });
});

describe('describeStatus: the accounts', () => {
  const health = healthAfter(
    [
      0,
      {
        type: 'accounts',
        added: [account('1'), { ...account('2'), username: 'Museum' }, account('33')],
        removed: [],
      },
    ],
    [0, failed({ accountId: '33', disposition: 'stop-stream', retryInMs: null })],
    [0, failed({ accountId: '2' })],
  );
  const idsOf = (query: Partial<StatusQuery>) =>
    describeAt(health, 0, query).accounts.items.map(({ id }) => id);

  test('are sorted by severity, stopped accounts first', () => {
    expect(idsOf({})).toEqual(['33', '2', '1']);
  });

  test('are filtered by a search for a part of the id or name, in any case', () => {
    expect(idsOf({ search: 'mUSEUm' })).toEqual(['2']);
    expect(idsOf({ search: '3' })).toEqual(['33']);
  });

  test('are filtered to those with errors by the query "trouble"', () => {
    expect(idsOf({ trouble: true })).toEqual(['33', '2']);
  });

  test('are limited to one page of hundreds, so that the response stays small', () => {
    const ids = Array.from(
      { length: 800 },
      (_, index) => `1784140000000${String(index).padStart(4, '0')}`,
    );
    const long = 'x'.repeat(500);
    const many = healthAfter(
      withAccounts(...ids),
      ...ids.flatMap((accountId): [number, TelemetryEvent][] => [
        [0, failed({ accountId, message: long })],
        [0, failed({ accountId, stream: 'media', message: long })],
        [0, scopeTold({ scope: { kind: 'account', id: accountId } })],
      ]),
    );
    const status = describeAt(many, 0, { offset: 100, limit: 200 });

    expect(status.accounts).toMatchObject({ total: 800, matching: 800, offset: 100 });
    expect(status.accounts.items).toHaveLength(200);
    expect(status.accounts.items[0]?.id).toBe('17841400000000100');
    expect(status.quota).toMatchObject({ total: 800, items: { length: 25 } });
    expect(JSON.stringify(status).length).toBeLessThan(600_000);
  });

  test('shows the streams and intervals that an account has, also after they changed', () => {
    const polling = { streams: ['media'], intervalsMs: { media: 2 * hourMs } };
    const added = (one: Partial<ReturnType<typeof account>>): TelemetryEvent => ({
      type: 'accounts',
      added: [{ ...account('1'), ...one }],
      removed: [],
    });
    const own = healthAfter([0, added({ polling })]);
    const streamsOf = (health: ServiceHealth) =>
      describeAt(health, 5 * hourMs).accounts.items[0]?.streams.map((one) => [
        one.stream,
        one.intervalSeconds,
        one.state,
      ]);

    expect(streamsOf(own)).toEqual([['media', 7200, 'starting']]);
    expect(describeAt(own, 0).streams.map(({ name, states }) => [name, states])).toEqual([
      ['users', {}],
      ['media', { starting: 1 }],
    ]);
    expect(streamsOf(reduceHealth(own, added({}), hourMs))).toEqual([
      ['users', 3600, 'late'],
      ['media', 3600, 'late'],
    ]);
  });
});
