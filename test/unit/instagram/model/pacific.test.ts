import { describe, expect, test } from '@jest/globals';
import { pacificDays } from '../../../../src/instagram/model/pacific.ts';

const zone = 'America/Los_Angeles';
const clock = new Intl.DateTimeFormat('en-CA', {
  timeZone: zone,
  dateStyle: 'short',
  timeStyle: 'medium',
  hour12: false,
});

describe('pacificDays', () => {
  test('matches the calendar of California over twenty years, according to Intl', () => {
    const days = pacificDays(Date.UTC(2010, 0, 1, 12), Date.UTC(2030, 0, 1, 12));
    const wrong = days.filter(
      ({ date, startMs }) => !/^(?:24|00):00:00$/.test(told(startMs, date)),
    );

    expect(wrong).toEqual([]);
    expect(days).toHaveLength(20 * 365 + 5);
    expect(days.at(0)?.date).toBe('2010-01-01');
  });

  test('returns days without a gap between them', () => {
    const days = pacificDays(Date.UTC(2025, 0, 1, 8), Date.UTC(2027, 0, 1, 8));
    const ends = days.slice(0, -1).map(({ endMs }) => endMs);

    expect(days.slice(1).map(({ startMs }) => startMs)).toEqual(ends);
  });

  test.each([
    ['2026-03-08', 23],
    ['2026-03-09', 24],
    ['2026-11-01', 25],
    ['2026-11-02', 24],
  ])('gives %s %i hours', (date, hours) => {
    const days = pacificDays(Date.UTC(2026, 0, 1), Date.UTC(2026, 11, 31));
    const { startMs = 0, endMs = 0 } = days.find((day) => day.date === date) ?? {};

    expect((endMs - startMs) / 3_600_000).toBe(hours);
  });

  test('includes a day that ends at the last moment, but not one that ends at the first', () => {
    const endMs = Date.UTC(2026, 4, 12, 7);

    expect(pacificDays(endMs - 1, endMs)).toEqual([
      { date: '2026-05-11', startMs: Date.UTC(2026, 4, 11, 7), endMs },
    ]);
    expect(pacificDays(endMs, endMs + 3_600_000)).toEqual([]);
    expect(pacificDays(endMs, endMs - 3_600_000)).toEqual([]);
  });
});

/** The time of day in California when the date matches, else date and time. */
function told(ms: number, date: string): string {
  return clock.format(ms).replace(`${date}, `, '');
}
