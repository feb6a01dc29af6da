import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../../src/core/json.ts';
import type { GraphRequest } from '../../../src/runtime/ports.ts';
import { createTurns } from '../../../src/runtime/turns.ts';
import type { Turn, Turns } from '../../../src/runtime/turns.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { settle } from '../../support/manual-clock.ts';
import { app, idle, limit, office, own, requestOf } from './governing.ts';
import { calm, hourMs, minuteMs } from './world.ts';

describe('the turn of a poll', () => {
  /** A poll that makes one request. */
  const poll = (turns: Turns, ask: (turn: Turn) => Promise<Node>, signal = calm) =>
    turns.take(ask, signal);

  test('is lent to others by a request that waits for more than a second', async () => {
    const { governor, ask, names, clock } = office();
    const turns = createTurns(2);
    governor.block(own, hourMs);
    void poll(turns, (turn) => ask('a1', { turn }));
    void poll(turns, (turn) => ask('a2', { turn }));
    void poll(turns, (turn) => ask('b', { turn, account: otherAccount }));
    await clock.advance(999);
    expect(names()).toEqual([]);
    await clock.advance(1);

    expect(names()).toEqual(['b']);
  });

  test('is had again before the request is made', async () => {
    const { governor, ask, names, clock, answer } = office();
    const turns = createTurns(1);
    governor.block(own, minuteMs);
    void poll(turns, (turn) => ask('a', { turn }));
    void poll(turns, (turn) => ask('b', { turn, account: otherAccount }));
    await clock.advance(hourMs);
    expect(names()).toEqual(['b']);
    await answer(0);

    expect(names()).toEqual(['b', 'a']);
  });

  test('is not awaited by who was aborted meanwhile, whose place is free again', async () => {
    const { governor, ask, names, clock, answer } = office();
    const turns = createTurns(1);
    const stop = new AbortController();
    governor.block(own, minuteMs);
    void poll(turns, (turn) => ask('a', { turn, signal: stop.signal })).catch(() => undefined);
    void poll(turns, (turn) => ask('b', { turn, account: otherAccount }));
    await clock.advance(hourMs);
    stop.abort(new Error('stopping'));
    await answer(0);
    void ask('c');
    await settle();

    expect(names()).toEqual(['b', 'c']);
  });
});

describe('who only looks', () => {
  test('is told when a call might go, and counts as none', async () => {
    const { governor, ask, names, clock } = office();
    governor.block(own, minuteMs);
    const order: string[] = [];
    const looks = ['x', 'y'].map((name) =>
      governor.ready(account, 'normal', calm).then(() => order.push(name)),
    );
    await clock.advance(minuteMs - 1);
    expect(order).toEqual([]);
    await clock.advance(1);
    await Promise.all(looks);
    void ask('a');
    await settle();

    expect(names()).toEqual(['a']);
  });

  test('stops looking when aborted', async () => {
    const { governor } = office();
    governor.block(app, minuteMs);
    const stop = new AbortController();
    const ready = governor.ready(account, 'normal', stop.signal);
    stop.abort(new Error('stopping'));

    await expect(ready).rejects.toThrow('stopping');
  });
});

describe('a guarded request', () => {
  test('is refused in place of being made while its scope is blocked', async () => {
    const { governor, graph, names, clock } = office();
    governor.block(app, hourMs);
    const guarded = governor.guard(graph);

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

  test('blocks the scope of a limit that it meets', async () => {
    const { governor, graph, answer, ask, names } = office();
    const guarded = governor.guard(graph).get(requestOf('/me/accounts', null), calm);
    await answer(0, limit(app, hourMs));

    await expect(guarded).rejects.toMatchObject({ retryAfterMs: hourMs });
    void ask('a');
    await settle();
    expect(names()).toEqual(['/me/accounts']);
  });
});

describe('a request of several accounts', () => {
  const together = (changes: Partial<GraphRequest> = {}): GraphRequest => ({
    ...requestOf('/?ids', account.id),
    query: { ids: `${account.id},${otherAccount.id}` },
    ...changes,
  });

  /** An office that knows both accounts, of which one call was answered. */
  async function sharing() {
    const made = office();
    void made.ask('first', { account: otherAccount, priority: 'backfill' });
    await made.answer(0);
    const governed = made.governor.govern(made.graph, { account, priority: 'normal', turn: idle });
    return { ...made, governed };
  }

  test('spends the quota of each', async () => {
    const { governed, names, governor, answer, ask } = await sharing();
    governor.onUsage({ scope: { kind: 'account', id: otherAccount.id }, percent: 76, regainMs: 0 });
    void governed.get(together(), calm);
    void ask('other', { account: otherAccount, priority: 'urgent' });
    await settle();
    expect(names()).toEqual(['first', '/?ids']);
    await answer(1);

    expect(names()).toEqual(['first', '/?ids', 'other']);
  });

  // Invariant 8
  test('is given up after a second when one of them has to wait (Invariant 8)', async () => {
    const { governed, names, governor, clock } = await sharing();
    governor.block({ kind: 'account', id: otherAccount.id }, hourMs);
    const refused = governed.get(together(), calm);
    refused.catch(() => undefined);
    await clock.advance(1000);

    await expect(refused).rejects.toMatchObject({
      disposition: 'skip',
      code: 'graph.rate-limited',
      message:
        '/?ids: not asked for several accounts at once, as the limit of one is near or reached',
    });
    await clock.advance(hourMs);
    expect(names()).toEqual(['first']);
  });

  test('is given up when it meets the limit of one', async () => {
    const { governed, answer } = await sharing();
    const refused = governed.get(together(), calm);
    refused.catch(() => undefined);
    await answer(1, limit(own, hourMs));

    await expect(refused).rejects.toMatchObject({ disposition: 'skip' });
  });

  test('of media is one account’s own', async () => {
    const { governed, names, governor, clock } = await sharing();
    governor.block(own, minuteMs);
    void governed.get(together({ query: { ids: '1,2' } }), calm);
    await clock.advance(minuteMs);

    expect(names()).toEqual(['first', '/?ids']);
  });
});
