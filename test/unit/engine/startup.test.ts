import { describe, expect, test } from '@jest/globals';
import {
  FailError,
  RetryError,
  SkipError,
  StopAccountError,
  StopProcessError,
  StopStreamError,
  WaitError,
} from '../../../src/engine/errors.ts';
import { untilReady } from '../../../src/engine/startup.ts';
import { settle } from '../../support/manual-clock.ts';
import { calm, createWorld, hourMs, minuteMs, startMs } from './world.ts';

const away = new RetryError('registry.unavailable', 'no registry answers at http://registry:8081');
const expired = new StopAccountError('graph.token', 'the token expired');

/** Fails with each error in order, then returns 7. */
function step(...errors: readonly Error[]) {
  const left = [...errors];
  return () => {
    const error = left.shift();
    return error === undefined ? Promise.resolve(7) : Promise.reject(error);
  };
}

describe('a start-up step', () => {
  test('returns its result and reports the dependency as ready', async () => {
    const world = createWorld();

    await expect(
      untilReady('registry', step(), { ...world, deadlineMs: null }, calm),
    ).resolves.toBe(7);
    expect(world.telemetry.events).toEqual([
      { type: 'dependency', name: 'registry', ready: true, reason: '' },
    ]);
  });

  test("reports an error of Kafka in the registry's step as Kafka's", async () => {
    const world = createWorld();
    const moved = new RetryError('kafka.unavailable', 'not the leader');
    const ready = untilReady('registry', step(moved), { ...world, deadlineMs: null }, calm);
    await world.clock.advance(hourMs);
    await ready;

    expect(world.telemetry.events).toEqual([
      { type: 'dependency', name: 'kafka', ready: false, reason: 'not the leader' },
      { type: 'dependency', name: 'kafka', ready: true, reason: '' },
      { type: 'dependency', name: 'registry', ready: true, reason: '' },
    ]);
  });

  test('retries an unavailable dependency with growing back-off and reports the reason', async () => {
    const world = createWorld();
    const ready = untilReady(
      'registry',
      step(away, away, away),
      { ...world, deadlineMs: null },
      calm,
    );
    await world.clock.advance(hourMs);

    await expect(ready).resolves.toBe(7);
    expect(world.clock.slept).toEqual([750, 1500, 3000]);
    expect(world.telemetry.events[0]).toEqual({
      type: 'dependency',
      name: 'registry',
      ready: false,
      reason: 'no registry answers at http://registry:8081',
    });
    expect(world.telemetry.ofType('dependency').map(({ ready: is }) => is)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('waits for the retry-after of a rate limit', async () => {
    const limit = new WaitError('graph.rate-limited', 'too many calls', {
      scope: { kind: 'app', id: '' },
      retryAfterMs: 5 * minuteMs,
    });
    const world = createWorld();
    const ready = untilReady('registry', step(limit), { ...world, deadlineMs: null }, calm);
    await world.clock.advance(5 * minuteMs);

    await expect(ready).resolves.toBe(7);
    expect(world.clock.slept).toEqual([5 * minuteMs]);
  });

  test('fails with exit code 3 when the next attempt would be after the deadline', async () => {
    const world = createWorld();
    const tools = { ...world, deadlineMs: startMs + 1000 };
    const ready = untilReady('registry', step(away, away, away), tools, calm);
    ready.catch(() => undefined);
    await world.clock.advance(hourMs);

    await expect(ready).rejects.toMatchObject({
      disposition: 'stop-process',
      code: 'registry.unavailable',
      exitCode: 3,
      message: 'no registry answers at http://registry:8081; gave up waiting',
      cause: away,
    });
    expect(world.clock.slept).toEqual([750]);
  });

  test('retries after an expired token when there is no deadline', async () => {
    const world = createWorld();
    const ready = untilReady('registry', step(expired), { ...world, deadlineMs: null }, calm);
    await world.clock.advance(minuteMs);

    await expect(ready).resolves.toBe(7);
  });

  test('retries after a rejected request when there is no deadline', async () => {
    const world = createWorld();
    const rejected = new FailError('graph.refused', 'An unknown error');
    const ready = untilReady('registry', step(rejected), { ...world, deadlineMs: null }, calm);
    await world.clock.advance(minuteMs);

    await expect(ready).resolves.toBe(7);
  });

  test.each([
    ['expired token', expired],
    ['missing permission', new StopStreamError('graph.permission', 'missing')],
    ['unreadable account', new SkipError('graph.ambiguous', 'gone or hidden')],
    ['retired form of request', new FailError('graph.retired', 'retired')],
    ['unclassified rejection', new FailError('graph.refused', 'An unknown error')],
  ])('fails at once with exit code 3 when there is a deadline: %s', async (_what, error) => {
    const tools = { ...createWorld(), deadlineMs: startMs + hourMs };

    await expect(untilReady('registry', step(error), tools, calm)).rejects.toMatchObject({
      disposition: 'stop-process',
      code: error.code,
      exitCode: 3,
    });
  });

  // Invariant 6
  test('fails at once for an incompatible schema (Invariant 6)', async () => {
    const fatal = new StopProcessError('registry.incompatible', 'incompatible', { exitCode: 3 });
    const world = createWorld();

    await expect(
      untilReady('registry', step(fatal), { ...world, deadlineMs: null }, calm),
    ).rejects.toBe(fatal);
    expect(world.clock.slept).toEqual([]);
  });

  test('rethrows an unexpected error', async () => {
    const bug = new TypeError('a bug');
    const tools = { ...createWorld(), deadlineMs: null };

    await expect(untilReady('registry', step(bug), tools, calm)).rejects.toBe(bug);
  });

  test('rejects with the abort reason when it is aborted during the wait', async () => {
    const stop = new AbortController();
    const world = createWorld();
    const ready = untilReady('registry', step(away), { ...world, deadlineMs: null }, stop.signal);
    ready.catch(() => undefined);
    await settle();
    stop.abort(new Error('stopping'));

    await expect(ready).rejects.toThrow('stopping');
  });
});
