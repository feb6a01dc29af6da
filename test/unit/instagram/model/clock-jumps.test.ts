import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planDays } from '../../../../src/instagram/model/daily-totals.ts';
import { detectChangedDays } from '../../../../src/instagram/model/days.ts';
import { isDue } from '../../../../src/instagram/model/freshness.ts';
import type { Value } from '../../../../src/engine/json.ts';
import { Rejections } from '../../../../src/instagram/extract/rejections.ts';
import { type Checkpoint, emptyCheckpoint } from '../../../../src/engine/state.ts';
import { planWindows } from '../../../../src/instagram/model/windows.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const yearMs = 365 * dayMs;
const lookbackMs = 2 * dayMs;
const beginMs = Date.UTC(2026, 4, 1);

/** The final reach of the day that ends at this time. */
const reachOf = (dateMs: number): number => dateMs / dayMs;

/** The days of the API in a window: only days that have ended, whatever the host's clock says. */
function daysOf(sinceMs: number, untilMs: number, trueMs: number): readonly Value[] {
  const first = Math.ceil(Math.max(sinceMs, beginMs - 30 * dayMs) / dayMs);
  const last = Math.floor(Math.min(untilMs, trueMs) / dayMs);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => {
    const date = (first + index) * dayMs;
    return { date, reach: reachOf(date) };
  });
}

/** One poll of user_insights by a host whose clock is wrong by `wrongMs`. */
function poll(checkpoint: Checkpoint, trueMs: number, wrongMs: number) {
  const nowMs = trueMs + wrongMs;
  const published: Value[] = [];
  const plan = { nowMs, startDateMs: beginMs, lookbackMs, missingFromMs: null };
  const windows = planWindows({ ...checkpoint, ...plan });
  let after = checkpoint;
  for (const { sinceMs, untilMs } of windows) {
    const changes = detectChangedDays(daysOf(sinceMs, untilMs, trueMs), {
      checkpoint: after,
      nowMs,
      lookbackMs,
      coveredUntilMs: untilMs,
    });
    published.push(...changes.records);
    after = changes.checkpoint;
  }
  return { published, checkpoint: after };
}

describe('host with a jumping clock', () => {
  const wrongs = fc.constantFrom(0, 0, -dayMs, yearMs, -3 * dayMs, 40 * dayMs);
  const history = fc.array(fc.record({ afterMs: fc.nat(9 * dayMs), wrongMs: wrongs }), {
    maxLength: 12,
  });

  test('loses no day of user_insights and publishes no day with a wrong value (Invariant 2)', () => {
    fc.assert(
      fc.property(history, fc.nat(9 * dayMs), (polls, lastMs) => {
        let trueMs = beginMs + 5 * dayMs;
        let checkpoint: Checkpoint = emptyCheckpoint;
        const seen = new Map<unknown, unknown>();
        for (const { afterMs, wrongMs } of [...polls, { afterMs: lastMs, wrongMs: 0 }]) {
          trueMs += afterMs;
          const result = poll(checkpoint, trueMs, wrongMs);
          checkpoint = result.checkpoint;
          for (const { date, reach } of result.published) seen.set(date, reach);
        }
        for (let date = beginMs; date <= trueMs; date += dayMs) {
          expect([date, seen.get(date)]).toEqual([date, reachOf(date)]);
        }
        expect(checkpoint.cursorMs).toBe(Math.floor(trueMs / dayMs) * dayMs);
      }),
    );
  });

  test('requests daily totals again that were covered by a clock a year ahead', () => {
    const plan = {
      nowMs: beginMs,
      cursorMs: beginMs - dayMs,
      startDateMs: null,
      lookbackMs,
      missingFromMs: null,
    };
    const dates = (coveredUntilMs: number | null, cursorMs: number | null = plan.cursorMs) =>
      planDays({ ...plan, cursorMs, coveredUntilMs }).map(({ date }) => date);

    expect(dates(beginMs + yearMs)).toEqual(dates(null));
    expect(dates(null).length).toBeGreaterThan(0);
    expect(dates(null, beginMs + yearMs).length).toBeGreaterThan(0);
  });

  const tiers = [{ untilAgeMs: Infinity, everyMs: 7 * dayMs }];

  test.each([dayMs, yearMs])(
    'requests media again that were last requested %i ms ahead of now',
    (aheadMs) => {
      const media = { id: '17', createdMs: beginMs };
      expect(isDue(media, { nowMs: beginMs, lastMs: beginMs + aheadMs }, tiers)).toBe(true);
    },
  );

  test('drops a rejection that was recorded by a clock a year ahead, and keeps a current one', () => {
    const listed = { id: '17', createdMs: beginMs, kind: 'FEED/IMAGE' };
    const refusedAt = (atMs: number, metric: string | null): Checkpoint => ({
      ...emptyCheckpoint,
      rejections: [{ subject: '17', metric, reason: 'graph.gone', untilMs: atMs + 7 * dayMs }],
    });
    const at = (atMs: number, metric: string | null) =>
      new Rejections(refusedAt(atMs, metric), beginMs);
    const asked = (atMs: number) => at(atMs, 'views').metricsFor(['views'], listed);

    expect(at(beginMs + yearMs, null).isExcluded(listed)).toBe(false);
    expect(at(beginMs - dayMs, null).isExcluded(listed)).toBe(true);
    expect(asked(beginMs + yearMs)).toEqual(['views']);
    expect(asked(beginMs - dayMs)).toEqual([]);
  });
});
