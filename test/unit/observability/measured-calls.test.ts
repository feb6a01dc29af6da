import { describe, expect, test } from '@jest/globals';
import {
  countCalls,
  describeAccountCalls,
  describeStreamCalls,
  type MeasuredCalls,
  noCalls,
} from '../../../src/observability/measured-calls.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { account } from './telemetry-events.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The start of an hour. */
const startMs = 1000 * dayMs;

type Calls = Extract<TelemetryEvent, { type: 'calls' }>;

function calls(changes: Partial<Calls> = {}): Calls {
  const event = { type: 'calls', stream: 'media', accountId: '1', calls: 1 } as const;
  return { ...event, results: {}, impressions: null, ...changes };
}

function measuredAfter(
  ...events: readonly (readonly [atMs: number, event: TelemetryEvent])[]
): MeasuredCalls {
  const measured = noCalls(startMs);
  const accounts = { type: 'accounts', added: [account('1'), account('2')], removed: [] } as const;
  countCalls(measured, accounts, startMs);
  for (const [atMs, event] of events) countCalls(measured, event, startMs + atMs);
  return measured;
}

const streamAt = (measured: MeasuredCalls, atMs: number, stream = 'media') =>
  describeStreamCalls(measured, stream, startMs + atMs);

const accountAt = (measured: MeasuredCalls, atMs: number, limit: number | null = null, id = '1') =>
  describeAccountCalls(
    measured,
    { id, intervals: { media: 900, comments: 900 } },
    { nowMs: startMs + atMs, callLimit: (views) => (views === null ? limit : views * 4800) },
  );

describe('measured calls of a stream', () => {
  test('are those of all accounts, projected to a day from the measured time', () => {
    const measured = measuredAfter(
      [0, calls({ calls: 5 })],
      [hourMs, calls({ calls: 7, accountId: '2' })],
    );

    expect(streamAt(measured, 6 * hourMs)).toMatchObject({ measured: 12, perDay: 48 });
  });

  test('have no projection in the first hour, in which the first polls read everything', () => {
    const measured = measuredAfter([0, calls({ calls: 500 })]);

    expect(streamAt(measured, hourMs - 1)).toMatchObject({ measured: 500, perDay: null });
    expect(streamAt(measured, hourMs)).toMatchObject({ measured: 500, perDay: 12_000 });
  });

  test('forget an hour after 24 hours, also when no call was counted since', () => {
    const measured = measuredAfter([0, calls({ calls: 100 })], [23 * hourMs, calls({ calls: 10 })]);

    expect(streamAt(measured, 24 * hourMs - 1).measured).toBe(110);
    expect(streamAt(measured, 24 * hourMs).measured).toBe(10);
    expect(streamAt(measured, 60 * hourMs).measured).toBe(0);
  });

  test('count in the latest hour after the clock was set back', () => {
    const measured = measuredAfter([5 * hourMs, calls()], [hourMs, calls({ calls: 2 })]);

    expect(streamAt(measured, 5 * hourMs).measured).toBe(3);
  });

  test('show the share that found nothing new, and that of each age', () => {
    const measured = measuredAfter(
      [0, calls({ calls: 4, results: { new: { found: 3, nothing: 1 } } })],
      [0, calls({ calls: 4, results: { old: { found: 0, nothing: 4 } }, accountId: '2' })],
      // The calls of a failed try have no result.
      [0, calls({ calls: 2 })],
    );

    expect(streamAt(measured, 2 * hourMs)).toEqual({
      measured: 10,
      perDay: 120,
      foundNothingShare: 0.625,
      byAge: [
        { age: 'new', calls: 4, foundNothing: 1 },
        { age: 'old', calls: 4, foundNothing: 4 },
      ],
    });
  });

  test('are none for a stream without a poll', () => {
    expect(streamAt(measuredAfter(), 2 * hourMs)).toEqual({
      measured: 0,
      perDay: 0,
      foundNothingShare: null,
      byAge: [],
    });
  });
});

describe('measured calls of an account', () => {
  test('are shown by stream, without a limit while its impressions are unknown', () => {
    const measured = measuredAfter(
      [0, calls({ calls: 6 })],
      [0, calls({ calls: 4, stream: 'comments' })],
      [0, calls({ calls: 99, accountId: '2' })],
    );

    expect(accountAt(measured, 12 * hourMs)).toEqual({
      measured: 10,
      perDay: 20,
      streams: [
        { stream: 'media', measured: 6, perDay: 12 },
        { stream: 'comments', measured: 4, perDay: 8 },
      ],
      limit: null,
      fits: null,
      fittingInterval: null,
    });
  });

  test('are compared with the limit by the impressions that a poll has counted last', () => {
    const measured = measuredAfter([0, calls({ impressions: 3 })], [0, calls()]);

    expect(accountAt(measured, 12 * hourMs)).toMatchObject({ limit: 14_400, fits: true });
  });

  test('that exceed the limit name the interval of the costliest stream by which they fit', () => {
    const measured = measuredAfter(
      [0, calls({ calls: 60 })],
      [0, calls({ calls: 40, stream: 'comments' })],
    );

    expect(accountAt(measured, 12 * hourMs, 140)).toMatchObject({
      perDay: 200,
      fits: false,
      fittingInterval: { stream: 'media', seconds: 1800 },
    });
    expect(accountAt(measured, 12 * hourMs, 70)).toMatchObject({
      fits: false,
      fittingInterval: null,
    });
  });

  test('are projected from the time at which it was added', () => {
    const added = { type: 'accounts', added: [account('3')], removed: [] } as const;
    const measured = measuredAfter([6 * hourMs, added], [6 * hourMs, calls({ accountId: '3' })]);

    expect(accountAt(measured, 8 * hourMs, null, '3')).toMatchObject({ perDay: 12 });
  });

  test('end with the account', () => {
    const removed = { type: 'accounts', added: [], removed: [account('1')] } as const;
    const measured = measuredAfter([0, calls()], [0, removed], [0, calls()]);

    expect(accountAt(measured, hourMs)).toBeNull();
    expect(measured.series).toBe(0);
  });

  test('are not counted singly beyond 20,000 streams of accounts (Invariant 10)', () => {
    const measured = noCalls(startMs);
    const ids = Array.from({ length: 20_010 }, (_, index) => `${index}`);
    countCalls(measured, { type: 'accounts', added: ids.map(account), removed: [] }, startMs);
    for (const accountId of ids) countCalls(measured, calls({ accountId }), startMs);

    expect(measured.series).toBe(20_000);
    expect(accountAt(measured, hourMs, null, '20009')).toMatchObject({ measured: 0 });
    expect(streamAt(measured, hourMs).measured).toBe(20_010);
  });
});
