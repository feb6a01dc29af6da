import { describe, expect, test } from '@jest/globals';
import {
  createThrottle,
  DeadlineError,
  ThrottledError,
  withThrottledDeadline,
} from '../../../../src/kafka/client/deadline.ts';

const never = new Promise<never>(() => undefined);
const nowMs = () => performance.now();

describe('createThrottle', () => {
  test('counts overlapping delays once', () => {
    let at = 0;
    const throttle = createThrottle(() => at);
    expect([throttle.record(100), throttle.record(150), throttle.record(50)]).toEqual([100, 50, 0]);
    expect(throttle.leftMs()).toBe(150);
    at = 200;
    expect(throttle.leftMs()).toBe(0);
    expect(throttle.record(10)).toBe(10);
    expect(throttle.totalMs()).toBe(160);
  });
});

describe('withThrottledDeadline', () => {
  test('rejects at the deadline when the broker delays nothing', async () => {
    const deadline = {
      deadlineMs: 20,
      throttledDeadlineMs: 10_000,
      throttle: createThrottle(nowMs),
    };
    const late = withThrottledDeadline(never, deadline, 'a transaction');
    await expect(late).rejects.toThrow(new DeadlineError('a transaction took longer than 20 ms'));
  });

  test('extends the deadline by the throttled time', async () => {
    const throttle = createThrottle(nowMs);
    const deadline = { deadlineMs: 50, throttledDeadlineMs: 10_000, throttle };
    const { promise, resolve } = Promise.withResolvers<string>();
    const work = withThrottledDeadline(promise, deadline, 'a transaction');
    throttle.record(400);
    setTimeout(resolve, 200, 'done');
    await expect(work).resolves.toBe('done');
  });

  test('rejects with a ThrottledError at once when the throttled time exceeds the limit', async () => {
    const throttle = createThrottle(nowMs);
    const deadline = { deadlineMs: 20, throttledDeadlineMs: 600_000, throttle };
    const work = withThrottledDeadline(never, deadline, 'a transaction');
    throttle.record(900_000);
    const error: unknown = await work.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ThrottledError);
    expect(error).toMatchObject({
      message: 'a transaction needs longer than 600000 ms: the brokers delay it by 900000 ms',
    });
    expect((error as ThrottledError).leftMs).toBeGreaterThan(800_000);
  });
});
