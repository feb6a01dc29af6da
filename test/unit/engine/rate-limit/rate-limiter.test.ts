import { describe, expect, test } from '@jest/globals';
import { type Scope, RetryError, SkipError } from '../../../../src/engine/errors.ts';
import { otherAccount, account } from '../../../support/accounts.ts';
import { settle } from '../../../support/manual-clock.ts';
import { app, idle, limit, office, own, requestOf, usedOffice } from './governing.ts';
import { calm, dayMs, hourMs, minuteMs, startMs } from '../world.ts';

describe('RateLimiter: a request', () => {
  test('goes at once and returns the answer while quota is left', async () => {
    const { ask, answer, names, clock, telemetry } = office();
    const answered = ask('a');
    await answer(0, { id: '1' });

    await expect(answered).resolves.toEqual({ id: '1' });
    expect(names()).toEqual(['a']);
    expect(clock.slept).toEqual([]);
    expect(telemetry.events).toEqual([]);
  });

  test('goes alone until it is answered, and the others follow', async () => {
    const { ask, answer, names } = office();
    for (const name of ['a', 'b', 'c']) void ask(name);
    await settle();
    expect(names()).toEqual(['a']);
    await answer(0, new SkipError('graph.gone', 'gone'));

    expect(names()).toEqual(['a', 'b', 'c']);
  });

  test('lets the next request go alone when it fails without an answer', async () => {
    const { ask, answer, names } = office();
    const lost = ask('a');
    for (const name of ['b', 'c']) void ask(name);
    await answer(0, new RetryError('graph.network', 'no answer'));

    await expect(lost).rejects.toThrow('no answer');
    expect(names()).toEqual(['a', 'b']);
  });

  test('waits for the previous answer in an account that has used 75 %', async () => {
    const { ask, answer, names } = await usedOffice(76);
    void ask('a', { priority: 'urgent' });
    void ask('b');
    void ask('c', { account: otherAccount });
    await settle();
    expect(names()).toEqual(['a', 'c']);
    await answer(0);

    expect(names()).toEqual(['a', 'c', 'b']);
  });

  test('is spaced in an account that has used 75 %, and goes on time', async () => {
    const { ask, answer, names, clock, telemetry } = await usedOffice(80, 160);
    void ask('a');
    await answer(0);
    const started = clock.nowMs();
    void ask('b');
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

  test('goes at once when a header reports free quota', async () => {
    const { ask, names, tell } = await usedOffice(90, 180);
    void ask('a');
    await settle();
    expect(names()).toEqual([]);
    tell(own, 20);
    await settle();

    expect(names()).toEqual(['a']);
  });
});

describe('RateLimiter: the order of queued requests', () => {
  test('is urgent, normal, backfill, and then the order of arrival', async () => {
    const { rateLimiter, ask, answer, names, clock } = await usedOffice(50);
    rateLimiter.block(own, minuteMs);
    void ask('fill', { priority: 'backfill' });
    void ask('normal 1');
    void ask('normal 2');
    void ask('story', { priority: 'urgent' });
    await clock.advance(minuteMs);
    // After a block one goes alone.
    expect(names()).toEqual(['story']);
    await answer(0);

    expect(names()).toEqual(['story', 'normal 1', 'normal 2', 'fill']);
  });

  test('alternates between the accounts that wait for one scope', async () => {
    const { rateLimiter, ask, answer, names, clock, tell } = office();
    void ask('start');
    await answer(0);
    rateLimiter.block(app, minuteMs);
    for (const name of ['a1', 'a2', 'a3']) void ask(name);
    for (const name of ['b1', 'b2']) void ask(name, { account: otherAccount });
    tell(app, 70);
    tell(app, 74.5);
    await clock.advance(minuteMs);
    for (let index = 1; index < 6; index += 1) await answer(index);

    expect(names()).toEqual(['start', 'b1', 'a1', 'b2', 'a2', 'a3']);
  });

  test('follows the priority of the request itself when it has one', async () => {
    const { rateLimiter, graph, names, clock } = office();
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
    const { ask, answer, names, clock } = office();
    const answered = ask('a');
    await answer(0, limit(own, 5 * minuteMs));
    void ask('b', { priority: 'urgent' });
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
    const { ask, answer, names, clock } = office();
    void ask('a');
    await answer(0, limit(scope, hourMs));
    void ask('own', { priority: 'urgent' });
    void ask('other', { account: otherAccount });
    await clock.advance(hourMs - 1);

    expect(names()).toEqual(made);
  });

  test('delays the request even when its scope belongs to no known account', async () => {
    const { ask, answer, names, clock } = office();
    void ask('a', { account: null });
    await answer(0, limit({ kind: 'page', id: '5' }, minuteMs));
    await clock.advance(minuteMs - 1);
    expect(names()).toEqual(['a']);
    await clock.advance(1);

    expect(names()).toEqual(['a', 'a']);
  });

  test('delays every call until the time that a header announces', async () => {
    const { ask, names, clock, tell } = await usedOffice(20);
    tell(own, 100, 19 * minuteMs);
    void ask('a', { priority: 'urgent' });
    await clock.advance(19 * minuteMs - 1);
    expect(names()).toEqual([]);
    await clock.advance(1);

    expect(names()).toEqual(['a']);
  });
});

describe('RateLimiter: an abort', () => {
  test('ends the wait with its reason and frees the place in the queue', async () => {
    const { rateLimiter, ask, answer, names, clock } = office();
    void ask('start');
    await answer(0);
    rateLimiter.block(own, hourMs);
    const stop = new AbortController();
    const waiting = ask('a', { signal: stop.signal });
    void ask('b');
    await clock.advance(minuteMs);
    stop.abort(new Error('stopping'));

    await expect(waiting).rejects.toThrow('stopping');
    await clock.advance(hourMs);
    expect(names()).toEqual(['start', 'b']);
  });

  test('of a running request frees its place for the next one', async () => {
    const { ask, names } = await usedOffice(76);
    const stop = new AbortController();
    const stopped = ask('a', { signal: stop.signal, priority: 'urgent' });
    void ask('b');
    await settle();
    stop.abort(new Error('stopping'));

    await expect(stopped).rejects.toThrow('stopping');
    await settle();
    expect(names()).toEqual(['a', 'b']);
  });

  test('before the request rejects at once', async () => {
    const { ask, names } = office();

    await expect(ask('a', { signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow(
      'late',
    );
    expect(names()).toEqual([]);
  });
});

describe('RateLimiter: the event "scope"', () => {
  test('is reported when the state of the scope changes, not at every call', async () => {
    const { ask, answer, telemetry, tell, clock } = office();
    void ask('a');
    await answer(0);
    for (const percent of [71, 75, 76, 77, 74, 75]) tell(own, percent);
    tell(own, 100, minuteMs);
    tell(own, 100, minuteMs);
    await clock.advance(minuteMs);
    tell(own, 60);

    const told = telemetry.ofType('scope').map(({ state, percent }) => [state, percent]);
    expect(told).toEqual([
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
    const { ask, answer, telemetry, tell } = office();
    void ask('a');
    await answer(0);
    expect(telemetry.ofType('scope')).toEqual([]);
    for (const percent of [0, 1, 2]) tell(own, percent);

    expect(telemetry.ofType('scope')).toEqual([
      { type: 'scope', scope: own, state: 'free', percent: 0, untilMs: null },
    ]);
  });

  test('reports that the scope is free when the first call goes after a block', async () => {
    const { rateLimiter, ask, telemetry, clock } = office();
    rateLimiter.block(own, minuteMs);
    void ask('a');
    await clock.advance(minuteMs);

    expect(telemetry.ofType('scope').map(({ state }) => state)).toEqual(['stopped', 'free']);
  });
});
