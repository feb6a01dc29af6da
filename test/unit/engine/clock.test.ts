import { describe, expect, test } from '@jest/globals';
import { createSteadyClock, systemClock } from '../../../src/engine/clock.ts';

describe('the system clock', () => {
  test('rejects a sleep with the abort reason when the signal is aborted', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, stop.signal);
    stop.abort(new Error('stopping'));

    await expect(sleeping).rejects.toThrow('stopping');
  });

  test('rejects a sleep of 0 ms when the signal was aborted before', async () => {
    const stopped = AbortSignal.abort(new Error('stopping'));

    await expect(systemClock.sleep(0, stopped)).rejects.toThrow('stopping');
  });

  test('sleeps longer than the maximum delay of a timer', async () => {
    const stop = new AbortController();
    let over = false;
    const sleeping = systemClock.sleep(2 ** 32, stop.signal).finally(() => (over = true));
    sleeping.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(over).toBe(false);

    stop.abort(new Error('stopping'));
    await expect(sleeping).rejects.toThrow('stopping');
  });
});

describe('createSteadyClock', () => {
  test("advances from its last value and never goes back when the host's clock is set back", () => {
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
