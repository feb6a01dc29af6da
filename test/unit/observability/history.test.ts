import { describe, expect, test } from '@jest/globals';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import {
  describeHistory,
  emptyHistory,
  reduceHistory,
  type History,
} from '../../../src/observability/history.ts';
import { account, finished } from './telemetry-events.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The history of a process that started at 0, after events, each at its time. */
function historyAfter(...events: readonly (readonly [number, TelemetryEvent])[]): History {
  return events.reduce(
    (history, [nowMs, event]) => reduceHistory(history, event, nowMs),
    emptyHistory(0),
  );
}

const committed = (records: number, stream = 'media'): TelemetryEvent => ({
  type: 'committed',
  stream,
  records,
  deadLetters: 0,
});
const request = (calls: number): TelemetryEvent => ({
  type: 'request',
  endpoint: '/{account}',
  calls,
  outcome: 'ok',
  durationMs: 5,
});
const polled = (durationMs: number, stream = 'media') => finished({ stream, calls: 3, durationMs });
const usage = (percent: number, id = ''): TelemetryEvent => ({
  type: 'scope',
  scope: id === '' ? { kind: 'app', id } : { kind: 'account', id },
  percent,
  state: 'free',
  untilMs: null,
});

describe('history: hours', () => {
  test('are shown as empty from the start of the process on, at most 24 of them', () => {
    const { hours } = describeHistory(emptyHistory(0), 2.5 * hourMs);

    expect(hours).toEqual(
      ['00', '01', '02'].map((hour) => ({
        start: `1970-01-01T${hour}:00:00.000Z`,
        records: 0,
        calls: 0,
        polls: 0,
        medianSeconds: null,
        largestSeconds: null,
        streams: [],
      })),
    );
    expect(describeHistory(emptyHistory(0), 240.5 * hourMs).hours).toHaveLength(24);
  });

  test('sum records, calls and polls, by stream and in all', () => {
    const history = historyAfter(
      [0, committed(7)],
      [hourMs - 1, committed(5, 'users')],
      [hourMs - 1, committed(2)],
      [hourMs - 2, request(1)],
      [hourMs - 1, request(3)],
      [hourMs - 1, polled(1000)],
      [hourMs, committed(100)],
    );

    const [first, second] = describeHistory(history, hourMs).hours;
    expect(first).toMatchObject({ records: 14, calls: 4, polls: 1 });
    expect(first?.streams).toEqual([
      {
        stream: 'media',
        records: 9,
        calls: 3,
        polls: 1,
        medianSeconds: 1,
        largestSeconds: 1,
      },
      {
        stream: 'users',
        records: 5,
        calls: 0,
        polls: 0,
        medianSeconds: null,
        largestSeconds: null,
      },
    ]);
    expect(second).toMatchObject({ records: 100, calls: 0, polls: 0 });
  });

  test('show the median within 5 % and the exact largest duration of a poll', () => {
    const durations = [1, 2, 3, 3.05, 4, 50].map((seconds) => [0, polled(seconds * 1000)] as const);
    const users = [1, 3600].map((seconds) => [0, polled(seconds * 1000, 'users')] as const);
    const history = historyAfter(...durations, ...users);

    const [hour] = describeHistory(history, 0).hours;
    const [media, ofUsers] = hour?.streams ?? [];

    expect(media).toMatchObject({ polls: 6, medianSeconds: 3.025, largestSeconds: 50 });
    expect(ofUsers).toMatchObject({ polls: 2, medianSeconds: 1, largestSeconds: 3600 });
    expect(hour).toMatchObject({ polls: 8, medianSeconds: 3.025, largestSeconds: 3600 });
  });

  test('never show a median above the largest duration', () => {
    for (const durationMs of [0, 1, 2, 999, 12_345]) {
      const [hour] = describeHistory(historyAfter([0, polled(durationMs)]), 0).hours;
      expect(hour?.medianSeconds).toBeLessThanOrEqual(hour?.largestSeconds ?? NaN);
    }
  });

  test('are kept for a day', () => {
    const history = historyAfter([0, committed(1)], [24 * hourMs, committed(2)]);

    expect(history.hours).toHaveLength(1);
    expect(describeHistory(history, 24 * hourMs).hours).toHaveLength(24);
  });

  test('count an event in the latest hour when the clock was set back', () => {
    const history = historyAfter([5 * hourMs, committed(1)], [2 * hourMs, committed(2)]);

    expect(history.hours).toHaveLength(1);
    expect(describeHistory(history, 5 * hourMs).hours.at(-1)).toMatchObject({ records: 3 });
  });

  test('end with the current one when the clock was set back before the start', () => {
    expect(describeHistory(emptyHistory(5 * hourMs), 2 * hourMs).hours).toEqual([]);
  });
});

describe('history: quota', () => {
  const percents = (history: History, nowMs: number) =>
    describeHistory(history, nowMs).quota.map(({ id, points }) => [
      id ?? 'app',
      ...points.map(({ percent }) => percent),
    ]);

  test('holds the largest usage of each quarter, and a report until the next one', () => {
    const history = historyAfter(
      [0, usage(10)],
      [5 * minuteMs, usage(90)],
      [6 * minuteMs, usage(20.4)],
      [40 * minuteMs, usage(15)],
    );

    expect(percents(history, 50 * minuteMs)).toEqual([['app', 90, 20, 20, 15]]);
    expect(describeHistory(history, 50 * minuteMs).quota[0]).toMatchObject({
      scope: 'app',
      id: null,
      percent: 15,
    });
  });

  test('begins with the first hour, and holds the report from before it', () => {
    const history = historyAfter([20 * minuteMs, usage(80)], [20 * hourMs, usage(30)]);
    const nowMs = 24 * hourMs + 5 * minuteMs;
    const { hours, quota } = describeHistory(history, nowMs);

    expect(quota[0]?.points[0]).toEqual({ start: '1970-01-01T01:00:00.000Z', percent: 80 });
    expect(quota[0]?.points[0]?.start).toBe(hours[0]?.start);
    expect(quota[0]?.points.at(-1)).toEqual({ start: '1970-01-02T00:00:00.000Z', percent: 30 });
  });

  test('keeps the five scopes with the highest usage, those first', () => {
    const history = historyAfter(
      ...[30, 20, 60, 50, 40].map((percent) => [0, usage(percent, `a${percent}`)] as const),
      [1, usage(70, 'high')],
      [2, usage(25, 'low')],
    );

    expect(percents(history, 3)).toEqual([
      ['high', 70],
      ['a60', 60],
      ['a50', 50],
      ['a40', 40],
      ['a30', 30],
    ]);
  });

  test('updates a known scope whatever its usage', () => {
    const history = historyAfter(
      ...[30, 20, 60, 50, 40].map((percent) => [0, usage(percent, `a${percent}`)] as const),
      [1, usage(1, 'a20')],
    );

    expect(describeHistory(history, 1).quota.at(-1)).toMatchObject({ id: 'a20', percent: 1 });
  });

  test('forgets the page of a removed account', () => {
    const page = { ...usage(50), scope: { kind: 'page', id: 'p1' } } as TelemetryEvent;
    const gone = { ...account('1'), pageId: 'p1' };
    const history = historyAfter([0, page], [1, { type: 'accounts', added: [], removed: [gone] }]);

    expect(percents(history, 2)).toEqual([]);
  });

  test('forgets a scope without a report for a day, and that of a removed account', () => {
    const history = historyAfter([0, usage(10)], [1, usage(20, '1')], [1, usage(30, '2')]);
    const removed = { type: 'accounts', added: [], removed: [account('1')] } as const;

    expect(percents(reduceHistory(history, removed, 2), 2)).toEqual([
      ['2', 30],
      ['app', 10],
    ]);
    expect(percents(history, 24 * hourMs)).toHaveLength(2);
    expect(percents(history, 24 * hourMs + 1)).toEqual([]);
  });

  test('is limited to 96 quarters a scope', () => {
    const reports = Array.from({ length: 300 }, (_, index) => {
      return [index * 15 * minuteMs, usage(index % 100)] as const;
    });

    const history = historyAfter(...reports);
    expect(history.scopes[0]?.quarters).toHaveLength(96);
    expect(describeHistory(history, 299 * 15 * minuteMs).quota[0]?.points).toHaveLength(96);
  });
});

test('history: has a size that depends on streams alone, whatever accounts and polls there are (Invariant 10)', () => {
  const events = Array.from({ length: 20_000 }, (_, index): readonly [number, TelemetryEvent] => [
    index * 10_000,
    index % 2 === 0 ? usage(index % 101, `account-${index}`) : polled(((index * 7919) % 3e8) + 1),
  ]);

  const history = historyAfter(...events);
  expect(history.scopes.length).toBeLessThanOrEqual(5);
  expect(history.hours).toHaveLength(24);
  for (const { streams } of history.hours) {
    expect(streams['media']?.polls.size).toBeLessThanOrEqual(376);
  }
});
