import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../../src/engine/json.ts';
import { Semaphore } from '../../../../src/engine/rate-limit/semaphore.ts';
import { account, otherAccount } from '../../../support/accounts.ts';
import { settle } from '../../../support/manual-clock.ts';
import { app, limit, setUpLimiter, own, requestOf } from './limiter-setup.ts';
import { calm, hourMs, minuteMs } from '../world.ts';

/** A rate limiter that knows that the quota has room. */
async function setUpFreeLimiter(changes: Parameters<typeof setUpLimiter>[0] = {}) {
  const made = setUpLimiter(changes);
  void made.send('first');
  await made.answer(0);
  void made.send('first', { account: otherAccount });
  await made.answer(1);
  made.sentRequests.length = 0;
  return made;
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

describe('RateLimiter: the single call after a block', () => {
  test('goes alone when earlier calls are answered after the rejection', async () => {
    const { send, answer, names: sent, clock } = await setUpFreeLimiter();
    void send('early');
    void send('refused');
    await answer(1, limit(own, minuteMs));
    await answer(0);
    for (const name of names(5)) void send(name);
    await clock.advance(minuteMs);

    expect(sent()).toEqual(['early', 'refused', 'refused']);
    await answer(2);
    expect(sent()).toHaveLength(8);
  });

  test('goes alone when the block came with the header of an answer', async () => {
    const { send, answer, names: sent, clock, reportUsage } = await setUpFreeLimiter();
    void send('early');
    await settle();
    reportUsage(own, 20, minuteMs);
    await answer(0);
    for (const name of names(5)) void send(name);
    await clock.advance(minuteMs);

    expect(sent()).toEqual(['early', 'n0']);
    await answer(1);
    expect(sent()).toHaveLength(6);
  });

  test('extends the block when it is rejected, even if older calls are answered', async () => {
    const { send, answer, names: sent, clock } = await setUpFreeLimiter();
    void send('early');
    void send('refused');
    await answer(1, limit(own, minuteMs));
    await clock.advance(minuteMs);
    await answer(0);
    expect(sent()).toEqual(['early', 'refused', 'refused']);
    await answer(2, limit(own, minuteMs));
    await clock.advance(10 * minuteMs - 1);
    expect(sent()).toHaveLength(3);
    await clock.advance(1);

    expect(sent()).toHaveLength(4);
  });

  test('delays a request for the list of accounts, which fails if the single call is rejected', async () => {
    const { rateLimiter, graph, send, answer, names: sent, clock } = await setUpFreeLimiter();
    rateLimiter.block(app, minuteMs);
    void send('probe');
    await clock.advance(minuteMs);
    const listed = rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    listed.catch(() => undefined);
    await settle();
    expect(sent()).toEqual(['probe']);
    await answer(0, limit(app, hourMs));

    await expect(listed).rejects.toMatchObject({ disposition: 'wait', retryAfterMs: hourMs });
    expect(sent()).toEqual(['probe']);
  });

  test('delays a request for the list of accounts, which goes once the single call is answered', async () => {
    const { rateLimiter, graph, send, answer, names: sent, clock } = await setUpFreeLimiter();
    rateLimiter.block(app, minuteMs);
    void send('probe');
    await clock.advance(minuteMs);
    void rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    await answer(0);

    expect(sent()).toEqual(['probe', '/me/accounts']);
  });
});

describe('RateLimiter: a queued request', () => {
  test("stays queued when its scope is blocked while it waits for the poll's permit", async () => {
    const { rateLimiter, send, answer, names: sent, clock } = await setUpFreeLimiter();
    const pollPermits = new Semaphore(1);
    const poll = (name: string, changes: Parameters<typeof send>[1]): void => {
      void pollPermits.take((permit): Promise<Node> => send(name, { ...changes, permit }), calm);
    };
    rateLimiter.block(own, minuteMs);
    poll('a', { account });
    poll('b', { account: otherAccount });
    await clock.advance(2 * minuteMs);
    expect(sent()).toEqual(['b']);
    rateLimiter.block(own, hourMs);
    await answer(0);
    await clock.advance(hourMs - 1);
    expect(sent()).toEqual(['b']);
    await clock.advance(1);

    expect(sent()).toEqual(['b', 'a']);
  });

  test('stays queued when its scope is blocked while it waits for a request permit', async () => {
    const {
      send,
      answer,
      names: sent,
      clock,
    } = await setUpFreeLimiter({ maxConcurrentRequests: 2 });
    for (const name of names(6)) void send(name);
    await settle();
    expect(sent()).toEqual(['n0', 'n1']);
    await answer(0, limit(own, hourMs));
    await answer(1);
    await clock.advance(hourMs - 1);
    expect(sent()).toEqual(['n0', 'n1']);
    await clock.advance(1);

    expect(sent()).toHaveLength(3);
    await answer(2);
    expect(sent()).toHaveLength(5);
  });

  test('frees its place in the scope when it is aborted', async () => {
    const {
      rateLimiter,
      send,
      answer,
      names: sent,
      clock,
    } = await setUpFreeLimiter({
      maxConcurrentRequests: 1,
    });
    void send('busy', { account: otherAccount });
    const stop = new AbortController();
    const stopped = send('a', { signal: stop.signal });
    stopped.catch(() => undefined);
    await settle();
    rateLimiter.block(own, minuteMs);
    await answer(0);
    stop.abort(new Error('stopping'));
    await expect(stopped).rejects.toThrow('stopping');
    void send('b');
    await clock.advance(minuteMs);

    expect(sent()).toEqual(['busy', 'b']);
  });
});

describe('RateLimiter: request permits', () => {
  test('allow the configured number of concurrent requests, first come, first served', async () => {
    const { send, answer, names: sent } = await setUpFreeLimiter({ maxConcurrentRequests: 2 });
    for (const name of names(4)) void send(name);
    await answer(1, new Error('broken'));
    expect(sent()).toEqual(['n0', 'n1', 'n2']);
    await answer(0);

    expect(sent()).toEqual(['n0', 'n1', 'n2', 'n3']);
  });

  test('apply to requests for the list of accounts as well', async () => {
    const {
      rateLimiter,
      graph,
      send,
      answer,
      names: sent,
    } = await setUpFreeLimiter({
      maxConcurrentRequests: 1,
    });
    void send('a');
    await settle();
    void rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    await settle();
    expect(sent()).toEqual(['a']);
    await answer(0);

    expect(sent()).toEqual(['a', '/me/accounts']);
  });
});
