import { describe, expect, test } from '@jest/globals';
import { WaitError } from '../../../src/engine/errors.ts';
import { pollGroup } from '../../../src/engine/poll-group.ts';
import { account } from '../../support/accounts.ts';
import { type Answer, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { calm, createWorld, hourMs, jobOf, minuteMs, photos, posts, type World } from './world.ts';

const app = { kind: 'app', id: '' } as const;
const own = { kind: 'account', id: account.id } as const;
const at = { nextPollMs: () => null, signal: calm };

/** The streams that wait for quota now, by the events so far. */
function waitingIn({ telemetry }: World): readonly string[] {
  const waiting = new Set<string>();
  for (const { stream, scopes } of telemetry.ofType('quota-awaited')) {
    if (scopes.length > 0) waiting.add(stream);
    else waiting.delete(stream);
  }
  return [...waiting];
}

describe('a wait for quota', () => {
  test('of a poll before its first request is reported with its scopes, and its end', async () => {
    const world = createWorld();
    world.rateLimiter.block(app, hourMs);
    const polls = pollGroup([jobOf(posts)], world, at);
    await world.clock.advance(minuteMs);

    const [begin, ...others] = world.telemetry.ofType('quota-awaited');
    expect(begin).toMatchObject({ stream: 'media', accountId: account.id });
    expect(begin?.scopes).toEqual(expect.arrayContaining([app, own]));
    expect(others).toEqual([]);
    await world.clock.advance(hourMs);
    await polls;
    expect(waitingIn(world)).toEqual([]);
  });

  test('of a request that met a limit is reported', async () => {
    const limit = new WaitError('graph.rate-limited', 'too many calls', {
      scope: app,
      retryAfterMs: hourMs,
    });
    const answers: Answer[] = [limit];
    const world = createWorld({ graph: createFakeGraph(() => answers.shift() ?? pageOf([])) });
    const polls = pollGroup([jobOf(posts)], world, at);
    await world.clock.advance(minuteMs);

    expect(waitingIn(world)).toEqual(['media']);
    await world.clock.advance(hourMs);
    expect(await polls).toEqual([{ kind: 'done' }]);
    expect(waitingIn(world)).toEqual([]);
  });

  test('of the first poll of a group concerns the polls that begin after it', async () => {
    const world = createWorld();
    world.rateLimiter.block(app, hourMs);
    const polls = pollGroup([jobOf(posts), jobOf(photos)], world, at);
    await world.clock.advance(minuteMs);

    expect(waitingIn(world)).toEqual(['media', 'photos']);
    await world.clock.advance(hourMs);
    await polls;
    expect(waitingIn(world)).toEqual([]);
  });

  test('ends in the reports also when the poll is aborted', async () => {
    const stop = new AbortController();
    const world = createWorld();
    world.rateLimiter.block(app, hourMs);
    const polls = pollGroup([jobOf(posts)], world, { ...at, signal: stop.signal });
    await world.clock.advance(minuteMs);
    stop.abort(new Error('stopping'));

    await expect(polls).rejects.toThrow('stopping');
    expect(waitingIn(world)).toEqual([]);
  });
});
