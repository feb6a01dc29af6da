import { describe, expect, test } from '@jest/globals';
import { StopAccountError, StopProcessError, StopStreamError } from '../../../src/engine/errors.ts';
import { type OnceTools, superviseOnce } from '../../../src/engine/once.ts';
import type { Restored } from '../../../src/engine/ports.ts';
import { stateKey } from '../../../src/engine/state.ts';
import type { Stream } from '../../../src/engine/stream.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { createFakeGroup, createFakeStore } from '../../support/fake-group.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { settle } from '../../support/manual-clock.ts';
import { countsOf, directoryOf, graphWith, profile, supervisionOf } from './supervision.ts';
import { type World, calm, createWorld, firstState, minuteMs, posts, startMs } from './world.ts';

const both = directoryOf([account, otherAccount]);
const token = new StopAccountError('graph.token', 'the token expired');

/** Tools that wait two minutes for dependencies and ten seconds for other members to leave. */
function toolsOf(world: World): OnceTools & World {
  return { ...world, deadlineMs: startMs + 2 * minuteMs, othersLeaveMs: 10_000 };
}

describe('superviseOnce', () => {
  test('polls every stream of every account once', async () => {
    const world = createWorld({ graph: graphWith() });

    const { polled } = await superviseOnce(
      supervisionOf({ directory: both }),
      toolsOf(world),
      calm,
    );

    expect(polled.map(({ job, outcome }) => [job.stream.name, job.account.id, outcome])).toEqual([
      ['media', account.id, { kind: 'done' }],
      ['media', otherAccount.id, { kind: 'done' }],
      ['users', account.id, { kind: 'done' }],
      ['users', otherAccount.id, { kind: 'done' }],
    ]);
    expect(world.graph.requests).toHaveLength(4);
    expect(world.telemetry.ofType('accounts')).toEqual([
      { type: 'accounts', added: [account, otherAccount], removed: [] },
    ]);
    expect(world.telemetry.ofType('poll-finished').map((event) => event.nextPollMs)).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  test('leaves paused streams out and names them, except those whose pause has ended', async () => {
    const stateOf = (stream: Stream, untilMs: number | null): [string, Restored] => {
      const state = { ...firstState(stream), sequence: 1, pause: { sinceMs: 1, untilMs } };
      return [stateKey(stream.name, account.id), { kind: 'state', state }];
    };
    const world = createWorld({ graph: graphWith() });

    const { polled, paused } = await superviseOnce(
      supervisionOf({ restored: new Map([stateOf(posts, null), stateOf(profile, startMs)]) }),
      toolsOf(world),
      calm,
    );

    expect(polled.map(({ job }) => job.stream.name)).toEqual(['users']);
    expect(paused.map(({ stream, account: { id } }) => [stream.name, id])).toEqual([
      ['media', account.id],
    ]);
    expect(countsOf(world.graph)).toEqual({ [`/${account.id}`]: 1 });
  });

  // Invariant 8
  test('polls the other accounts when one fails, and returns every outcome (Invariant 8)', async () => {
    const graph = graphWith({ [`/${account.id}/media`]: () => token });
    const world = createWorld({ graph });

    const { polled } = await superviseOnce(
      supervisionOf({ directory: both }),
      toolsOf(world),
      calm,
    );

    expect(polled.map(({ outcome }) => outcome)).toEqual([
      { kind: 'stop-account', error: token },
      { kind: 'done' },
      { kind: 'done' },
      { kind: 'done' },
    ]);
  });

  // Invariant 2
  test('skips a stream with an unreadable state (Invariant 2)', async () => {
    const error = new StopStreamError('state.unreadable', 'cannot be read');
    const world = createWorld({ graph: graphWith() });

    const { polled } = await superviseOnce(
      supervisionOf({
        restored: new Map([[`media/${account.id}`, { kind: 'unreadable', error }]]),
      }),
      toolsOf(world),
      calm,
    );

    expect(polled.map(({ outcome }) => outcome)).toEqual([
      { kind: 'stop-stream', error },
      { kind: 'done' },
    ]);
    expect(countsOf(world.graph)).toEqual({ [`/${account.id}`]: 1 });
    expect(world.telemetry.ofType('poll-failed')).toMatchObject([{ code: 'state.unreadable' }]);
  });

  test('ends the running polls before it throws an error that stops the process', async () => {
    const fatal = new StopProcessError('kafka.unauthorized', 'no authorisation', { exitCode: 3 });
    const held = Promise.withResolvers<undefined>();
    const publisher = createFakePublisher(({ state }) =>
      state.stream === 'media' ? held.promise : fatal,
    );
    const world = createWorld({ graph: graphWith(), publisher });
    let over = false;
    const end = superviseOnce(supervisionOf(), toolsOf(world), calm).catch((error: unknown) => {
      over = true;
      return error;
    });
    await settle();
    await settle();

    expect(over).toBe(false);
    held.resolve(undefined);
    await expect(end).resolves.toBe(fatal);
  });

  test('releases its partitions before it leaves the group (Invariant 7)', async () => {
    const group = createFakeGroup(2);
    const leftAtRelease: number[] = [];
    const store = {
      ...createFakeStore(),
      release() {
        leftAtRelease.push(group.left);
        return Promise.resolve();
      },
    };
    const world = createWorld({ graph: graphWith() });

    await superviseOnce(supervisionOf({ group, store }), toolsOf(world), calm);

    expect(leftAtRelease).toEqual([0, 0]);
    expect(group.left).toBe(1);
  });

  test('waits until the other members have left the group, and reports them', async () => {
    const left = createFakeGroup(1);
    const looks = [['one on a'], ['one on a'], ['one on a'], []];
    const group = Object.assign(left, { members: () => Promise.resolve(looks.shift() ?? []) });
    const world = createWorld({ graph: graphWith() });

    const end = superviseOnce(supervisionOf({ group }), toolsOf(world), calm);
    for (let look = 0; look < 3; look += 1) {
      await settle();
      await world.clock.advance(500);
    }
    await end;

    const reported = world.telemetry.ofType('dependency').filter(({ name }) => name === 'group');
    expect(reported.map(({ ready }) => ready)).toEqual([false, false, false, true]);
    expect(reported[0]?.reason).toBe('in the group are already: one on a');
  });

  test('rejects with the abort reason', async () => {
    const stop = new AbortController();
    const graph = graphWith({
      [`/${account.id}/media`]: () => {
        stop.abort(new Error('stopping'));
        return token;
      },
    });

    await expect(
      superviseOnce(supervisionOf(), toolsOf(createWorld({ graph })), stop.signal),
    ).rejects.toThrow('stopping');
  });
});
