import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../../src/engine/json.ts';
import { type Permit, Semaphore } from '../../../../src/engine/rate-limit/semaphore.ts';
import { account, otherAccount } from '../../../support/accounts.ts';
import { settle } from '../../../support/manual-clock.ts';
import { app, idle, limit, setUpLimiter, own, requestOf } from './limiter-setup.ts';
import { calm, hourMs, minuteMs } from '../world.ts';

describe('RateLimiter: the permit of a poll', () => {
  /** A poll that makes one request. */
  const poll = (pollPermits: Semaphore, send: (permit: Permit) => Promise<Node>, signal = calm) =>
    pollPermits.take(send, signal);

  test('goes to other polls when a request waits for more than a second', async () => {
    const { rateLimiter, send, names, clock } = setUpLimiter();
    const pollPermits = new Semaphore(2);
    rateLimiter.block(own, hourMs);
    void poll(pollPermits, (permit) => send('a1', { permit }));
    void poll(pollPermits, (permit) => send('a2', { permit }));
    void poll(pollPermits, (permit) => send('b', { permit, account: otherAccount }));
    await clock.advance(999);
    expect(names()).toEqual([]);
    await clock.advance(1);

    expect(names()).toEqual(['b']);
  });

  test('is taken back before the delayed request is sent', async () => {
    const { rateLimiter, send, names, clock, answer } = setUpLimiter();
    const pollPermits = new Semaphore(1);
    rateLimiter.block(own, minuteMs);
    void poll(pollPermits, (permit) => send('a', { permit }));
    void poll(pollPermits, (permit) => send('b', { permit, account: otherAccount }));
    await clock.advance(hourMs);
    expect(names()).toEqual(['b']);
    await answer(0);

    expect(names()).toEqual(['b', 'a']);
  });

  test('is not taken back after an abort, and the aborted request frees its place in the scope', async () => {
    const { rateLimiter, send, names, clock, answer } = setUpLimiter();
    const pollPermits = new Semaphore(1);
    const stop = new AbortController();
    rateLimiter.block(own, minuteMs);
    void poll(pollPermits, (permit) => send('a', { permit, signal: stop.signal })).catch(
      () => undefined,
    );
    void poll(pollPermits, (permit) => send('b', { permit, account: otherAccount }));
    await clock.advance(hourMs);
    stop.abort(new Error('stopping'));
    await answer(0);
    void send('c');
    await settle();

    expect(names()).toEqual(['b', 'c']);
  });
});

describe('RateLimiter.ready', () => {
  test('resolves when a call may go, and does not count as a call', async () => {
    const { rateLimiter, send, names, clock } = setUpLimiter();
    rateLimiter.block(own, minuteMs);
    const order: string[] = [];
    const looks = ['x', 'y'].map((name) =>
      rateLimiter.ready({ account, priority: 'normal' }, calm).then(() => order.push(name)),
    );
    await clock.advance(minuteMs - 1);
    expect(order).toEqual([]);
    await clock.advance(1);
    await Promise.all(looks);
    void send('a');
    await settle();

    expect(names()).toEqual(['a']);
  });

  test('rejects when it is aborted', async () => {
    const { rateLimiter } = setUpLimiter();
    rateLimiter.block(app, minuteMs);
    const stop = new AbortController();
    const ready = rateLimiter.ready({ account, priority: 'normal' }, stop.signal);
    stop.abort(new Error('stopping'));

    await expect(ready).rejects.toThrow('stopping');
  });
});

describe('RateLimiter.guard', () => {
  test('rejects a request while its scope is blocked', async () => {
    const { rateLimiter, graph, names, clock } = setUpLimiter();
    rateLimiter.block(app, hourMs);
    const guarded = rateLimiter.guard(graph);

    await expect(guarded.get(requestOf('/me/accounts', null), calm)).rejects.toMatchObject({
      disposition: 'wait',
      scope: app,
      retryAfterMs: hourMs,
      message:
        "/me/accounts: the app's request limit is reached; nothing in it is asked for 60 min",
    });
    await clock.advance(hourMs);
    void guarded.get(requestOf('/me/accounts', null), calm);
    await settle();
    expect(names()).toEqual(['/me/accounts']);
  });

  test('blocks the scope when its request meets a limit', async () => {
    const { rateLimiter, graph, answer, send, names } = setUpLimiter();
    const guarded = rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    await answer(0, limit(app, hourMs));

    await expect(guarded).rejects.toMatchObject({ retryAfterMs: hourMs });
    void send('a');
    await settle();
    expect(names()).toEqual(['/me/accounts']);
  });
});

describe('RateLimiter: the platform limit', () => {
  const platform = { kind: 'platform', id: '' } as const;
  const publicRequest = { ...requestOf('public', account.id), limit: 'platform' } as const;

  test('delays its own requests and polls, and none of the account', async () => {
    const { rateLimiter, graph, send, names } = setUpLimiter();
    const caller = { account, priority: 'normal', permit: idle } as const;
    rateLimiter.block(platform, hourMs);
    let isReady = false;
    void rateLimiter.limit(graph, caller).get(publicRequest, calm);
    void rateLimiter.ready({ account, priority: 'normal', limit: 'platform' }, calm).then(() => {
      isReady = true;
    });
    await rateLimiter.ready({ account, priority: 'normal' }, calm);
    void send('own');
    await settle();

    expect([names(), isReady]).toEqual([['own'], false]);
  });

  test('is the only one of its requests', async () => {
    const { rateLimiter, graph, names } = setUpLimiter();
    const caller = { account, priority: 'normal', permit: idle } as const;
    for (const scope of [own, app]) rateLimiter.block(scope, hourMs);
    await rateLimiter.ready({ account, priority: 'normal', limit: 'platform' }, calm);
    void rateLimiter.limit(graph, caller).get(publicRequest, calm);
    await settle();

    expect(names()).toEqual(['public']);
  });
});
