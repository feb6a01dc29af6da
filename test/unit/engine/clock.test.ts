import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/engine/clock.ts';

describe('the system clock', () => {
  test('rejects a sleep with the reason when it is aborted', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, stop.signal);
    stop.abort(new Error('stopping'));

    await expect(sleeping).rejects.toThrow('stopping');
  });

  test('rejects a sleep of nothing when it was aborted before', async () => {
    const stopped = AbortSignal.abort(new Error('stopping'));

    await expect(systemClock.sleep(0, stopped)).rejects.toThrow('stopping');
  });

  test('sleeps longer than a timer can hold until it is aborted', async () => {
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
