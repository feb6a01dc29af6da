import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextAlone, nextTogether } from '../../../src/engine/schedule.ts';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 4, 12, 12, 5);

describe('the next poll', () => {
  test.each([
    [0, 54],
    [0.5, 60],
    [1, 66],
  ])('alone is within a tenth of the interval when chance says %d', (drawn, minutes) => {
    const next = nextAlone(hourMs, { nowMs, jitter: 0.1, drawn });

    expect(next - nowMs).toBe(minutes * 60_000);
  });

  test('together is the same for accounts that ended at different times, whatever chance says', () => {
    const first = nextTogether(hourMs, { nowMs, jitter: 0.1, drawn: 0 });
    const second = nextTogether(hourMs, { nowMs: nowMs + 60_000, jitter: 0.1, drawn: 0.9 });

    expect(second).toBe(first);
  });

  test('together is between half an interval and two from now, give or take the jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 1000, max: 30 * 24 * hourMs }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (now, intervalMs, jitter) => {
          const waitMs = nextTogether(intervalMs, { nowMs: now, jitter, drawn: 0 }) - now;
          expect(waitMs).toBeGreaterThanOrEqual(Math.floor(intervalMs / 2) - 1);
          expect(waitMs).toBeLessThanOrEqual(2 * intervalMs * (1 + jitter) + 1);
        },
      ),
    );
  });
});
