import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  correctUsage,
  evenUsage,
  msUntilAtMost,
  nextLeaveMs,
  noUsage,
  usedPercent,
} from '../../../../src/engine/rate-limit/rolling-usage.ts';

const hourMs = 3_600_000;
const windowMs = 24 * hourMs;

describe('the usage of a rolling window', () => {
  test('decays linearly when it was spent evenly before the first answer', () => {
    const usage = evenUsage(windowMs, 48, 0);

    expect(usedPercent(usage, 0)).toBe(48);
    expect(usedPercent(usage, 12 * hourMs)).toBe(24);
    expect(usedPercent(usage, windowMs)).toBe(0);
  });

  test('stays for the whole window and leaves at once when it was spent at once', () => {
    const usage = correctUsage(noUsage(windowMs), 60, 0);

    expect(usedPercent(usage, windowMs - 1)).toBe(60);
    expect(usedPercent(usage, windowMs)).toBe(0);
  });

  test('leaves at the end of its window, and at most a 96th of the window later', () => {
    const usage = correctUsage(noUsage(windowMs), 60, 1);

    expect(usedPercent(usage, windowMs + 1)).toBe(60);
    expect(usedPercent(usage, windowMs + windowMs / 96)).toBe(0);
  });

  test('loses its oldest part when the API reports less than was computed', () => {
    const early = correctUsage(noUsage(windowMs), 30, 0);
    const late = correctUsage(early, 50, 10 * hourMs);
    const corrected = correctUsage(late, 25, 11 * hourMs);

    expect(usedPercent(corrected, 11 * hourMs)).toBe(25);
    expect(usedPercent(corrected, windowMs)).toBe(20);
  });

  test('equals the last reported percentage, for any earlier reports', () => {
    const reports = fc.array(fc.tuple(fc.nat(windowMs), fc.nat(100)), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(reports, (steps) => {
        let nowMs = 0;
        let usage = noUsage(windowMs);
        for (const [afterMs, percent] of steps) {
          nowMs += afterMs;
          usage = correctUsage(usage, percent, nowMs);
          expect(usedPercent(usage, nowMs)).toBeCloseTo(percent, 6);
        }
      }),
    );
  });

  test('keeps at most one part per 96th of the window', () => {
    let usage = noUsage(windowMs);
    for (let minute = 0; minute < 3 * 24 * 60; minute += 1) {
      usage = correctUsage(usage, (minute % 100) + 1, minute * 60_000);
    }

    expect(usage.parts.length).toBeLessThanOrEqual(97);
  });
});

describe('the time until a rolling window has room', () => {
  const burst = correctUsage(noUsage(windowMs), 40, 0);
  const both = correctUsage(burst, 70, 6 * hourMs);

  test.each([
    [70, 0],
    [69, 14 * hourMs],
    [30, 14 * hourMs],
    [29, 20 * hourMs],
    [0, 20 * hourMs],
  ])('down to %d %% is %d ms, when enough of the oldest usage has left', (percent, ms) => {
    expect(msUntilAtMost(both, percent, 10 * hourMs)).toBe(ms);
  });

  test('is found part by part with nextLeaveMs', () => {
    expect(nextLeaveMs(both, 0)).toBe(windowMs);
    expect(nextLeaveMs(both, windowMs)).toBe(30 * hourMs);
    expect(nextLeaveMs(both, 31 * hourMs)).toBe(Infinity);
  });
});
