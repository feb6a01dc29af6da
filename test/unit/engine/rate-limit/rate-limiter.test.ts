import { describe, expect, test } from '@jest/globals';
import { type Scope, RetryError, SkipError } from '../../../../src/engine/errors.ts';
import { otherAccount, account } from '../../../support/accounts.ts';
import { settle } from '../../../support/manual-clock.ts';
import {
  app,
  idle,
  limit,
  setUpLimiter,
  own,
  requestOf,
  setUpUsedLimiter,
} from './limiter-setup.ts';
import { calm, dayMs, hourMs, minuteMs, startMs } from '../world.ts';

describe('RateLimiter: a request', () => {
  test('is sent at once and returns the response while quota is left', async () => {
    const { send, answer, names, clock, telemetry } = setUpLimiter();
    const answered = send('a');
    await answer(0, { id: '1' });

    await expect(answered).resolves.toEqual({ id: '1' });
    expect(names()).toEqual(['a']);
    expect(clock.slept).toEqual([]);
    expect(telemetry.events).toEqual([]);
  });

  test('is sent alone until its response arrives, and the others follow', async () => {
    const { send, answer, names } = setUpLimiter();
    for (const name of ['a', 'b', 'c']) void send(name);
    await settle();
    expect(names()).toEqual(['a']);
    await answer(0, new SkipError('graph.gone', 'gone'));

    expect(names()).toEqual(['a', 'b', 'c']);
  });

  test('fails without a response, and the next request is sent alone', async () => {
    const { send, answer, names } = setUpLimiter();
    const lost = send('a');
    for (const name of ['b', 'c']) void send(name);
    await answer(0, new RetryError('graph.network', 'no answer'));

    await expect(lost).rejects.toThrow('no answer');
    expect(names()).toEqual(['a', 'b']);
  });

  test('waits for the previous response in an account that has used 75 %', async () => {
    const { send, answer, names } = await setUpUsedLimiter(76);
    void send('a', { priority: 'urgent' });
    void send('b');
    void send('c', { account: otherAccount });
    await settle();
    expect(names()).toEqual(['a', 'c']);
    await answer(0);

    expect(names()).toEqual(['a', 'c', 'b']);
  });

  test('is delayed in an account that has used 75 %, and is sent when due', async () => {
    const { send, answer, names, clock, telemetry } = await setUpUsedLimiter(80, 160);
    void send('a');
    await answer(0);
    const started = clock.nowMs();
    void send('b');
    await settle();
    expect(names()).toEqual(['a']);
    // 5 % left to the ceiling for calls of half a percent: ten in 24 hours.
    await clock.advance(dayMs / 10 - minuteMs);
    expect(names()).toEqual(['a']);
    await clock.advance(minuteMs);
    expect(names()).toEqual(['a', 'b']);
    expect(clock.nowMs() - started).toBe(dayMs / 10);
    expect(telemetry.ofType('quota-wait')).toEqual([
      { type: 'quota-wait', priority: 'normal', durationMs: dayMs / 10 },
    ]);
  });

  test('is sent at once when a header reports free quota', async () => {
    const { send, names, reportUsage } = await setUpUsedLimiter(90, 180);
    void send('a');
    await settle();
    expect(names()).toEqual([]);
    reportUsage(own, 20);
    await settle();

    expect(names()).toEqual(['a']);
  });
});

describe('RateLimiter: the order of queued requests', () => {
  test('is urgent, normal, backfill, and then the order of arrival', async () => {
    const { rateLimiter, send, answer, names, clock } = await setUpUsedLimiter(50);
    rateLimiter.block(own, minuteMs);
    void send('fill', { priority: 'backfill' });
    void send('normal 1');
    void send('normal 2');
    void send('story', { priority: 'urgent' });
    await clock.advance(minuteMs);
    // After a block one goes alone.
    expect(names()).toEqual(['story']);
    await answer(0);

    expect(names()).toEqual(['story', 'normal 1', 'normal 2', 'fill']);
  });

  test('alternates between the accounts that wait for one scope', async () => {
    const { rateLimiter, send, answer, names, clock, reportUsage } = setUpLimiter();
    void send('start');
    await answer(0);
    rateLimiter.block(app, minuteMs);
    for (const name of ['a1', 'a2', 'a3']) void send(name);
    for (const name of ['b1', 'b2']) void send(name, { account: otherAccount });
    reportUsage(app, 70);
    reportUsage(app, 74.5);
    await clock.advance(minuteMs);
    for (let index = 1; index < 6; index += 1) await answer(index);

    expect(names()).toEqual(['start', 'b1', 'a1', 'b2', 'a2', 'a3']);
  });

  test('follows the priority of the request itself when it has one', async () => {
    const { rateLimiter, graph, names, clock } = setUpLimiter();
    const limitedWorld = rateLimiter.limit(graph, { account, priority: 'urgent', permit: idle });
    rateLimiter.block(own, minuteMs);
    void limitedWorld.get({ ...requestOf('fill', account.id), priority: 'backfill' }, calm);
    void limitedWorld.get(requestOf('story', account.id), calm);
    await clock.advance(minuteMs);

    expect(names()).toEqual(['story']);
  });
});

describe('RateLimiter: a limit', () => {
  test('blocks its scope, and the same request is repeated after the block', async () => {
    const { send, answer, names, clock } = setUpLimiter();
    const answered = send('a');
    await answer(0, limit(own, 5 * minuteMs));
    void send('b', { priority: 'urgent' });
    await clock.advance(5 * minuteMs - 1);
    expect(names()).toEqual(['a']);
    await clock.advance(1);
    expect(names()).toEqual(['a', 'b']);
    await answer(1);
    await answer(2, { id: '1' });

    await expect(answered).resolves.toEqual({ id: '1' });
  });

  // Invariant 8
  test.each<[string, Scope, string[]]>([
    ['an account leaves the other accounts free', own, ['a', 'other']],
    [
      'a page leaves the other accounts free',
      { kind: 'page', id: '100000000000001' },
      ['a', 'other'],
    ],
    ['the app stops every request', app, ['a']],
    ['the user stops every request', { kind: 'user', id: '' }, ['a']],
  ])('of %s (Invariant 8)', async (_name, scope, made) => {
    const { send, answer, names, clock } = setUpLimiter();
    void send('a');
    await answer(0, limit(scope, hourMs));
    void send('own', { priority: 'urgent' });
    void send('other', { account: otherAccount });
    await clock.advance(hourMs - 1);

    expect(names()).toEqual(made);
  });

  test('delays the request even when its scope belongs to no known account', async () => {
    const { send, answer, names, clock } = setUpLimiter();
    void send('a', { account: null });
    await answer(0, limit({ kind: 'page', id: '5' }, minuteMs));
    await clock.advance(minuteMs - 1);
    expect(names()).toEqual(['a']);
    await clock.advance(1);

    expect(names()).toEqual(['a', 'a']);
  });

  test('delays every call until the time that a header announces', async () => {
    const { send, names, clock, reportUsage } = await setUpUsedLimiter(20);
    reportUsage(own, 100, 19 * minuteMs);
    void send('a', { priority: 'urgent' });
    await clock.advance(19 * minuteMs - 1);
    expect(names()).toEqual([]);
    await clock.advance(1);

    expect(names()).toEqual(['a']);
  });
});

describe('RateLimiter: an abort', () => {
  test('ends the wait with its reason and frees the place in the queue', async () => {
    const { rateLimiter, send, answer, names, clock } = setUpLimiter();
    void send('start');
    await answer(0);
    rateLimiter.block(own, hourMs);
    const stop = new AbortController();
    const waiting = send('a', { signal: stop.signal });
    void send('b');
    await clock.advance(minuteMs);
    stop.abort(new Error('stopping'));

    await expect(waiting).rejects.toThrow('stopping');
    await clock.advance(hourMs);
    expect(names()).toEqual(['start', 'b']);
  });

  test('of a running request frees its place for the next one', async () => {
    const { send, names } = await setUpUsedLimiter(76);
    const stop = new AbortController();
    const stopped = send('a', { signal: stop.signal, priority: 'urgent' });
    void send('b');
    await settle();
    stop.abort(new Error('stopping'));

    await expect(stopped).rejects.toThrow('stopping');
    await settle();
    expect(names()).toEqual(['a', 'b']);
  });

  test('before the request rejects at once', async () => {
    const { send, names } = setUpLimiter();

    await expect(send('a', { signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow(
      'late',
    );
    expect(names()).toEqual([]);
  });
});

describe('RateLimiter: the event "scope"', () => {
  test('is reported when the state of the scope changes, not at every call', async () => {
    const { send, answer, telemetry, reportUsage, clock } = setUpLimiter();
    void send('a');
    await answer(0);
    for (const percent of [71, 75, 76, 77, 74, 75]) reportUsage(own, percent);
    reportUsage(own, 100, minuteMs);
    reportUsage(own, 100, minuteMs);
    await clock.advance(minuteMs);
    reportUsage(own, 60);

    const reported = telemetry.ofType('scope').map(({ state, percent }) => [state, percent]);
    expect(reported).toEqual([
      ['free', 71],
      ['slowed', 75],
      ['stopped', 100],
      ['free', 60],
    ]);
    expect(telemetry.ofType('scope')[2]).toEqual({
      type: 'scope',
      scope: own,
      state: 'stopped',
      percent: 100,
      untilMs: startMs + minuteMs,
    });
  });

  test('is reported at the first usage header, even at 0 %', async () => {
    const { send, answer, telemetry, reportUsage } = setUpLimiter();
    void send('a');
    await answer(0);
    expect(telemetry.ofType('scope')).toEqual([]);
    for (const percent of [0, 1, 2]) reportUsage(own, percent);

    expect(telemetry.ofType('scope')).toEqual([
      { type: 'scope', scope: own, state: 'free', percent: 0, untilMs: null },
    ]);
  });

  test('reports that the scope is free when the first call goes after a block', async () => {
    const { rateLimiter, send, telemetry, clock } = setUpLimiter();
    rateLimiter.block(own, minuteMs);
    void send('a');
    await clock.advance(minuteMs);

    expect(telemetry.ofType('scope').map(({ state }) => state)).toEqual(['stopped', 'free']);
  });
});
