import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type WindowPlan, planWindows } from '../../../../src/instagram/model/windows.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.UTC(2026, 4, 12, 12);

const plan = (changes: Partial<WindowPlan> = {}): WindowPlan => ({
  nowMs,
  cursorMs: null,
  coveredUntilMs: null,
  startDateMs: null,
  lookbackMs: 2 * dayMs,
  missingFromMs: null,
  ...changes,
});

/** Windows as text, which is easier to compare. */
const windowsOf = (changes: Partial<WindowPlan> = {}) =>
  planWindows(plan(changes)).map(({ sinceMs, untilMs, recent }) => {
    const text = (ms: number) => new Date(ms).toISOString().slice(0, 16);
    return `${text(sinceMs)} ${text(untilMs)} ${recent ? 'recent' : 'old'}`;
  });

describe('windows of a first poll', () => {
  test('reach back as far as every metric does when there is no start date', () => {
    expect(windowsOf()).toEqual(['2026-04-12T13:00 2026-05-12T13:00 recent']);
  });

  test('backfill from the start date, oldest first, and split where the metrics of 30 days begin', () => {
    expect(windowsOf({ startDateMs: Date.UTC(2026, 1, 1) })).toEqual([
      '2026-02-01T00:00 2026-03-03T00:00 old',
      '2026-03-03T00:00 2026-04-02T00:00 old',
      '2026-04-02T00:00 2026-04-12T13:00 old',
      '2026-04-12T13:00 2026-05-12T13:00 recent',
    ]);
  });

  test('reach back two years less a day when the start date is older', () => {
    const windows = windowsOf({ startDateMs: Date.UTC(2019, 0, 1) });

    expect(windows[0]).toBe('2024-05-13T12:00 2024-06-12T12:00 old');
    expect(windows).toHaveLength(25);
  });

  test('begin at the start date when it is within 30 days', () => {
    expect(windowsOf({ startDateMs: Date.UTC(2026, 4, 1) })).toEqual([
      '2026-05-01T00:00 2026-05-13T12:00 recent',
    ]);
  });

  test('begin now when the start date is in the future', () => {
    expect(windowsOf({ startDateMs: Date.UTC(2027, 0, 1) })).toEqual([
      '2026-05-12T12:00 2026-05-13T12:00 recent',
    ]);
  });
});

describe('windows of a catch-up poll', () => {
  const known = { cursorMs: Date.UTC(2026, 4, 12, 7) };
  const caughtUp = (changes: Partial<WindowPlan>) =>
    planWindows(plan({ ...known, ...changes })).map(({ catchUp }) => catchUp);

  test('begin at the first missing day, and split where the other metrics begin', () => {
    const missing = { missingFromMs: Date.UTC(2026, 2, 20) };

    expect(windowsOf({ ...known, ...missing })).toEqual([
      '2026-03-20T00:00 2026-04-12T13:00 old',
      '2026-04-12T13:00 2026-05-10T07:00 recent',
      '2026-05-10T07:00 2026-05-13T12:00 recent',
    ]);
    expect(caughtUp(missing)).toEqual([true, true, false]);
  });

  test('begin no earlier than the start date and the reach of the API', () => {
    const missing = { missingFromMs: Date.UTC(2020, 0, 1) };

    expect(windowsOf({ ...known, ...missing, startDateMs: Date.UTC(2026, 4, 1) })[0]).toBe(
      '2026-05-01T00:00 2026-05-10T07:00 recent',
    );
    expect(windowsOf({ ...known, ...missing })[0]).toBe('2024-05-13T12:00 2024-06-12T12:00 old');
  });

  test('are not marked as catch-up when the look-back covers the missing days', () => {
    expect(caughtUp({ missingFromMs: Date.UTC(2026, 4, 11) })).toEqual([false]);
  });
});

describe('windows of a later poll', () => {
  test('begin a look-back before the cursor, whatever the start date', () => {
    expect(
      windowsOf({ cursorMs: Date.UTC(2026, 4, 12, 7), startDateMs: Date.UTC(2025, 0, 1) }),
    ).toEqual(['2026-05-10T07:00 2026-05-13T12:00 recent']);
  });

  test('begin a look-back before the coverage when the covered days had no data', () => {
    expect(
      windowsOf({ cursorMs: Date.UTC(2026, 2, 1), coveredUntilMs: Date.UTC(2026, 4, 10, 12) }),
    ).toEqual(['2026-05-08T12:00 2026-05-13T12:00 recent']);
  });

  test('begin a look-back before now when the cursor is in the future', () => {
    expect(windowsOf({ cursorMs: nowMs + hourMs })).toEqual([
      '2026-05-10T12:00 2026-05-13T12:00 recent',
    ]);
  });

  test('cover all days since the cursor after a long pause', () => {
    expect(windowsOf({ cursorMs: Date.UTC(2026, 2, 20, 7) })).toEqual([
      '2026-03-18T07:00 2026-04-12T13:00 old',
      '2026-04-12T13:00 2026-05-12T13:00 recent',
    ]);
  });

  test.each([
    ['spring', Date.UTC(2026, 2, 9, 7), '2026-03-07T07:00'],
    ['autumn', Date.UTC(2026, 10, 2, 8), '2026-10-31T08:00'],
  ])('look back 48 hours across the clock change in %s', (_when, cursorMs, since) => {
    const [first] = windowsOf({ nowMs: cursorMs + 5 * hourMs, cursorMs });

    expect(first?.slice(0, 16)).toBe(since);
  });
});

describe('windows of any poll', () => {
  const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) });
  const plans = fc.record({
    nowMs: moment,
    cursorMs: fc.option(moment),
    coveredUntilMs: fc.option(moment),
    startDateMs: fc.option(moment),
    lookbackMs: fc.integer({ min: 0, max: 30 * dayMs }),
    missingFromMs: fc.option(moment),
  });

  test('have no gap and no overlap, and end at most a day after now', () => {
    fc.assert(
      fc.property(plans, (any) => {
        const windows = planWindows(any);
        windows.slice(1).forEach((window, index) => {
          expect(window.sinceMs).toBe(windows[index]?.untilMs);
        });
        const endMs = windows.at(-1)?.untilMs ?? 0;
        expect(endMs).toBeGreaterThanOrEqual(any.nowMs);
        expect(endMs).toBeLessThanOrEqual(any.nowMs + dayMs);
      }),
    );
  });

  test('are within the limits of the API: 30 days each, two years back, none that begins after now', () => {
    fc.assert(
      fc.property(plans, (any) => {
        const windows = planWindows(any);
        expect(windows[0]?.sinceMs).toBeGreaterThanOrEqual(any.nowMs - 730 * dayMs);
        expect(windows[0]?.sinceMs).toBeLessThanOrEqual(any.nowMs);
        for (const { sinceMs, untilMs, recent } of windows) {
          expect(untilMs - sinceMs).toBeGreaterThan(0);
          expect(untilMs - sinceMs).toBeLessThanOrEqual(2_592_000_000);
          // Metrics of 30 days are requested in every window where the API answers them.
          expect(recent).toBe(sinceMs >= any.nowMs - 30 * dayMs + hourMs);
        }
      }),
    );
  });
});
