import { describe, expect, test } from '@jest/globals';
import { endedSoon, settled } from '../../../src/engine/shutdown.ts';

const never = new Promise<never>(() => undefined);

describe('settled', () => {
  test('waits no longer than its limit for work that never ends', async () => {
    await expect(settled(never, 1)).resolves.toBeUndefined();
  });

  test('resolves when the work rejects', async () => {
    await expect(settled(Promise.reject(new Error('failed')), 60_000)).resolves.toBeUndefined();
  });
});

describe('endedSoon', () => {
  test('rejects with the abort reason when the work does not end in time after the abort', async () => {
    const stop = new AbortController();
    const ended = endedSoon(never, stop.signal, () => 1);
    stop.abort(new Error('stopped by SIGTERM'));
    await expect(ended).rejects.toThrow('stopped by SIGTERM');
  });

  test('settles like the work when the work ends in time after the abort', async () => {
    const stop = new AbortController();
    const work = Promise.withResolvers<string>();
    const ended = endedSoon(work.promise, stop.signal, () => 60_000);
    stop.abort();
    work.resolve('done');
    expect(await ended).toBe('done');
  });

  test('waits for the work without a limit while nothing is aborted', async () => {
    const { signal } = new AbortController();
    expect(await endedSoon(Promise.resolve('done'), signal, () => 0)).toBe('done');
  });
});
