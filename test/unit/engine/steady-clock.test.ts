import { describe, expect, test } from '@jest/globals';
import { createSteadyClock } from '../../../src/engine/steady-clock.ts';

describe('createSteadyClock', () => {
  test('goes on from where it stood when the host is set back, and never back', () => {
    let hostMs = 1000;
    const clock = createSteadyClock({ nowMs: () => hostMs, sleep: () => Promise.resolve() });
    const read = (ms: number): number => {
      hostMs = ms;
      return clock.nowMs();
    };

    expect([1000, 1500, 200, 300, 900, 5000, 4000].map(read)).toEqual([
      1000, 1500, 1500, 1600, 2200, 6300, 6300,
    ]);
  });
});
