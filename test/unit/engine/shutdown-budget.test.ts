import { describe, expect, test } from '@jest/globals';
import { createShutdownBudget, shutdownSteps } from '../../../src/engine/shutdown-budget.ts';

function setUp(graceMs: number) {
  const clock = { nowMs: 5000 };
  const stop = new AbortController();
  const budget = createShutdownBudget(graceMs, () => clock.nowMs);
  budget.beginWith(stop.signal);
  return { clock, stop, budget };
}

describe('the shutdown budget', () => {
  test.each([100, 5000, 25_000, 3_600_000])(
    'ends all steps within the grace period of %i ms when each step uses its full time (Invariant 7)',
    (graceMs) => {
      const { clock, stop, budget } = setUp(graceMs);
      stop.abort();
      for (const step of shutdownSteps) clock.nowMs += budget.leftMs(step);
      expect(clock.nowMs - 5000).toBeLessThanOrEqual(graceMs * 0.96);
    },
  );

  test('leaves time for every step when the steps before it use their full time', () => {
    const { clock, stop, budget } = setUp(25_000);
    stop.abort();
    for (const step of shutdownSteps) {
      expect([step, budget.leftMs(step) > 0]).toEqual([step, true]);
      clock.nowMs += budget.leftMs(step);
    }
  });

  test('gives a step its usual time before a shutdown begins, for any grace period', () => {
    const { budget } = setUp(100);
    expect(budget.leftMs('transaction')).toBe(8000);
    expect(budget.leftMs('producer')).toBe(1000);
  });

  test('counts from now when the signal is already aborted', () => {
    const { clock, budget } = setUp(10_000);
    budget.beginWith(AbortSignal.abort());
    clock.nowMs += 2000;
    expect(budget.leftMs('transaction')).toBe(1200);
    clock.nowMs += 20_000;
    expect(budget.leftMs('transaction')).toBe(0);
  });
});
