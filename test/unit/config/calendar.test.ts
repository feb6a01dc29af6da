import { describe, expect, test } from '@jest/globals';
import {
  createCalendar,
  cronExpression,
  quietHours,
  timeZone,
} from '../../../src/config/calendar.ts';

const nowMs = Date.UTC(2026, 4, 12, 12);
const hourMs = 3_600_000;

function calendarOf(schedule: string | null, hours: string | null, zone = 'Europe/Berlin') {
  return createCalendar({
    polling: { timeZone: zone, quietHours: hours },
    streams: { media: { schedule }, users: { schedule: null } },
  });
}

const ms = (iso: string): number => Date.parse(iso);
const iso = (time: number | null): string | null =>
  time === null ? null : new Date(time).toISOString();

describe('format of a cron expression', () => {
  test.each(['*/15 * * * *', '0 6 * * MON-FRI', '30 2 1,15 * *', '0 6 L * *', '0 12 * * 1#1'])(
    'accepts %s',
    (text) => {
      expect(cronExpression.parse(text, nowMs)).toBe(text);
    },
  );

  test('rejects other numbers of fields, wrong values, nicknames and a day that never comes', () => {
    const wrong = [
      '',
      '* * * *',
      '* * * * * *',
      '61 * * * *',
      '@daily',
      '0 0 31 2 *',
      'x',
      6,
      null,
    ];
    expect(wrong.filter((raw) => cronExpression.parse(raw, nowMs) !== undefined)).toEqual([]);
  });
});

describe('format of a time zone', () => {
  test('accepts names of the IANA database and rejects any other text', () => {
    expect(timeZone.parse('Europe/Berlin', nowMs)).toBe('Europe/Berlin');
    const wrong = ['Mars/Olympus', 'Berlin', '', 2, null];
    expect(wrong.filter((raw) => timeZone.parse(raw, nowMs) !== undefined)).toEqual([]);
  });
});

describe('format of quiet hours', () => {
  test('accepts two different times of day and rejects any other text', () => {
    expect(quietHours.parse('22:00-06:30', nowMs)).toBe('22:00-06:30');
    const wrong = ['22:00-22:00', '24:00-06:00', '22-6', '22:00', '9:00-17:00', '', null];
    expect(wrong.filter((raw) => quietHours.parse(raw, nowMs) !== undefined)).toEqual([]);
  });
});

describe('calendar of cron expressions', () => {
  test('returns the first run after a time in the time zone', () => {
    const { nextRunMs } = calendarOf('0 6 * * MON-FRI', null);
    // A Saturday, the day before the clocks change; the next run is on Monday in summer time.
    expect(iso(nextRunMs('media', ms('2026-03-28T12:00:00Z')))).toBe('2026-03-30T04:00:00.000Z');
    expect(iso(nextRunMs('media', ms('2026-03-30T04:00:00Z')))).toBe('2026-03-31T04:00:00.000Z');
  });

  test('has no runs for a stream with an interval', () => {
    expect(calendarOf('0 6 * * *', null).nextRunMs('users', nowMs)).toBeNull();
  });

  test('reports the longest pause between two runs', () => {
    expect(calendarOf('0 6 * * MON-FRI', null, 'UTC').longestPauseMs('media', nowMs)).toBe(
      72 * hourMs,
    );
    expect(calendarOf('0 6 * * *', null).longestPauseMs('users', nowMs)).toBeNull();
  });
});

describe('calendar of quiet hours', () => {
  const calendar = calendarOf(null, '22:00-06:00');

  test('contains their start, but not their end', () => {
    // Berlin is two hours ahead of UTC in May.
    expect(calendar.quietUntilMs(ms('2026-05-12T19:59:59Z'))).toBeNull();
    expect(iso(calendar.quietUntilMs(ms('2026-05-12T20:00:00Z')))).toBe('2026-05-13T04:00:00.000Z');
    expect(iso(calendar.quietUntilMs(ms('2026-05-13T03:59:59Z')))).toBe('2026-05-13T04:00:00.000Z');
    expect(calendar.quietUntilMs(ms('2026-05-13T04:00:00Z'))).toBeNull();
  });

  test('last an hour less in the night in which the clocks go forward', () => {
    const quiet = ms('2026-03-28T23:00:00Z');
    expect(iso(calendar.quietUntilMs(quiet))).toBe('2026-03-29T04:00:00.000Z');
    expect(calendar.quietPauseMs(quiet, 0)).toBe(7 * hourMs);
  });

  test('count as a pause in them and for a while after them', () => {
    expect(calendar.quietPauseMs(ms('2026-05-13T01:00:00Z'), 0)).toBe(8 * hourMs);
    expect(calendar.quietPauseMs(ms('2026-05-13T04:30:00Z'), hourMs)).toBe(8 * hourMs);
    expect(calendar.quietPauseMs(ms('2026-05-13T05:30:00Z'), hourMs)).toBe(0);
    // The quiet hours are shorter than the time within which they count.
    expect(calendar.quietPauseMs(ms('2026-05-13T04:30:00Z'), 9 * hourMs)).toBe(8 * hourMs);
    expect(calendar.quietPauseMs(ms('2026-05-13T04:00:00Z'), 0)).toBe(8 * hourMs);
  });

  test('do not exist without the setting', () => {
    const none = calendarOf(null, null);
    expect(none.quietUntilMs(nowMs)).toBeNull();
    expect(none.quietPauseMs(nowMs, hourMs)).toBe(0);
  });
});
