import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, jitteredMs } from '../../../src/engine/backoff.ts';

describe('backoffMs', () => {
  test.each([
    [1, 0, 500],
    [1, 0.5, 750],
    [2, 0, 1000],
    [3, 0.5, 3000],
    [7, 0, 30_000],
    [7, 0.999999, 60_000],
    [5000, 0, 30_000],
  ])('after attempt %d with random value %d waits %d ms', (attempt, random, ms) => {
    expect(backoffMs({ baseMs: 1000, maxMs: 60_000 }, attempt, random)).toBe(ms);
  });
});

describe('jitteredMs', () => {
  test.each([
    [0, 0, 1000],
    [0, 0.9, 1000],
    [0.1, 0, 900],
    [0.1, 0.5, 1000],
    [0.5, 0.75, 1250],
  ])('with jitter %d and random value %d turns 1000 ms into %d ms', (jitter, random, ms) => {
    expect(jitteredMs(1000, jitter, random)).toBe(ms);
  });

  test('stays within the jitter fraction of the interval', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(chance, (random) => {
        expect(Math.abs(jitteredMs(10_000, 0.2, random) - 10_000)).toBeLessThanOrEqual(2000);
      }),
    );
  });
});
