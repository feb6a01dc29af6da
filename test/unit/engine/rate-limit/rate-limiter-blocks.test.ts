import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../../src/engine/json.ts';
import { Semaphore } from '../../../../src/engine/rate-limit/semaphore.ts';
import { account, otherAccount } from '../../../support/accounts.ts';
import { settle } from '../../../support/manual-clock.ts';
import { app, limit, office, own, requestOf } from './governing.ts';
import { calm, hourMs, minuteMs } from '../world.ts';

/** An office in which calls go freely. */
async function freeOffice(changes: Parameters<typeof office>[0] = {}) {
  const made = office(changes);
  void made.ask('first');
  await made.answer(0);
  void made.ask('first', { account: otherAccount });
  await made.answer(1);
  made.asked.length = 0;
  return made;
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

describe('one call alone finds out whether a block is over', () => {
  test('also when calls that left before the refusal are answered after it', async () => {
    const { ask, answer, names: sent, clock } = await freeOffice();
    void ask('early');
    void ask('refused');
    await answer(1, limit(own, minuteMs));
    await answer(0);
    for (const name of names(5)) void ask(name);
    await clock.advance(minuteMs);

    expect(sent()).toEqual(['early', 'refused', 'refused']);
    await answer(2);
    expect(sent()).toHaveLength(8);
  });

  test('also when the block was told by the header of an answer', async () => {
    const { ask, answer, names: sent, clock, tell } = await freeOffice();
    void ask('early');
    await settle();
    tell(own, 20, minuteMs);
    await answer(0);
    for (const name of names(5)) void ask(name);
    await clock.advance(minuteMs);

    expect(sent()).toEqual(['early', 'n0']);
    await answer(1);
    expect(sent()).toHaveLength(6);
  });

  test('and waits for longer when it is refused, whatever older calls are answered', async () => {
    const { ask, answer, names: sent, clock } = await freeOffice();
    void ask('early');
    void ask('refused');
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

  test('before a listing goes, which does not wait for the block itself', async () => {
    const { rateLimiter, graph, ask, answer, names: sent, clock } = await freeOffice();
    rateLimiter.block(app, minuteMs);
    void ask('probe');
    await clock.advance(minuteMs);
    const listed = rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    listed.catch(() => undefined);
    await settle();
    expect(sent()).toEqual(['probe']);
    await answer(0, limit(app, hourMs));

    await expect(listed).rejects.toMatchObject({ disposition: 'wait', retryAfterMs: hourMs });
    expect(sent()).toEqual(['probe']);
  });

  test('and a listing that goes on when it is', async () => {
    const { rateLimiter, graph, ask, answer, names: sent, clock } = await freeOffice();
    rateLimiter.block(app, minuteMs);
    void ask('probe');
    await clock.advance(minuteMs);
    void rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    await answer(0);

    expect(sent()).toEqual(['probe', '/me/accounts']);
  });
});

describe('a call that was admitted', () => {
  test('does not leave when its scope was blocked while it waited for its turn', async () => {
    const { rateLimiter, ask, answer, names: sent, clock } = await freeOffice();
    const pollPermits = new Semaphore(1);
    const poll = (name: string, changes: Parameters<typeof ask>[1]): void => {
      void pollPermits.take((permit): Promise<Node> => ask(name, { ...changes, permit }), calm);
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

  test('does not leave when its scope was blocked while all lines were busy', async () => {
    const { ask, answer, names: sent, clock } = await freeOffice({ maxConcurrentRequests: 2 });
    for (const name of names(6)) void ask(name);
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

  test('leaves room for others when it cannot leave', async () => {
    const {
      rateLimiter,
      ask,
      answer,
      names: sent,
      clock,
    } = await freeOffice({
      maxConcurrentRequests: 1,
    });
    void ask('busy', { account: otherAccount });
    const stop = new AbortController();
    const stopped = ask('a', { signal: stop.signal });
    stopped.catch(() => undefined);
    await settle();
    rateLimiter.block(own, minuteMs);
    await answer(0);
    stop.abort(new Error('stopping'));
    await expect(stopped).rejects.toThrow('stopping');
    void ask('b');
    await clock.advance(minuteMs);

    expect(sent()).toEqual(['busy', 'b']);
  });
});

describe('the lines', () => {
  test('carry so many requests at a time, first come, first served', async () => {
    const { ask, answer, names: sent } = await freeOffice({ maxConcurrentRequests: 2 });
    for (const name of names(4)) void ask(name);
    await answer(1, new Error('broken'));
    expect(sent()).toEqual(['n0', 'n1', 'n2']);
    await answer(0);

    expect(sent()).toEqual(['n0', 'n1', 'n2', 'n3']);
  });

  test('carry the listings as well', async () => {
    const {
      rateLimiter,
      graph,
      ask,
      answer,
      names: sent,
    } = await freeOffice({
      maxConcurrentRequests: 1,
    });
    void ask('a');
    await settle();
    void rateLimiter.guard(graph).get(requestOf('/me/accounts', null), calm);
    await settle();
    expect(sent()).toEqual(['a']);
    await answer(0);

    expect(sent()).toEqual(['a', '/me/accounts']);
  });
});
