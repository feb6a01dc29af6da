import { describe, expect, test } from '@jest/globals';
import { StopAccountError, StopProcessError, StopStreamError } from '../../../src/engine/errors.ts';
import { supervise } from '../../../src/engine/supervisor.ts';
import { Semaphore } from '../../../src/engine/rate-limit/semaphore.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { createManualClock, settle } from '../../support/manual-clock.ts';
import { countsOf, directoryOf, graphWith, supervisionOf } from './supervision.ts';
import { type World, createWorld, firstState, hourMs, minuteMs, posts, startMs } from './world.ts';

const media = `/${account.id}/media`;
const profile = `/${account.id}`;
const otherMedia = `/${otherAccount.id}/media`;
const both = directoryOf([account, otherAccount]);

/** Supervises until the test stops it; `ended` resolves or rejects as `supervise` does. */
function running(world: World, changes: Parameters<typeof supervisionOf>[0] = {}) {
  const stop = new AbortController();
  const ended = supervise(supervisionOf(changes), world, stop.signal);
  // A rejection before the test awaits `ended` must not be unhandled.
  ended.catch(() => undefined);
  return {
    ended,
    async stop() {
      stop.abort(new Error('stopping'));
      await ended;
    },
  };
}

describe('supervise: a stream of an account', () => {
  test('is polled at once and then at its own interval', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = running(world, {
      directory: both,
      streams: supervisionOf().streams.map((one, index) => ({
        ...one,
        intervalMs: (index + 1) * hourMs,
      })),
    });
    await world.clock.advance(4 * hourMs);

    expect(countsOf(world.graph)).toEqual({
      [media]: 5,
      [otherMedia]: 5,
      [`/${account.id}`]: 3,
      [`/${otherAccount.id}`]: 3,
    });
    await run.stop();
  });

  test.each([
    [0, 54],
    [0.5, 60],
    [0.75, 63],
  ])(
    'with jitter 0.1 and random value %d is polled again after %d minutes',
    async (chance, minutes) => {
      const world = createWorld({ graph: graphWith(), random: () => chance });
      const run = running(world, { jitter: 0.1 });
      await world.clock.advance(minutes * minuteMs - 1);
      expect(countsOf(world.graph)[media]).toBe(1);
      await world.clock.advance(1);
      expect(countsOf(world.graph)[media]).toBe(2);
      await run.stop();
    },
  );

  test('never has two concurrent polls, even when a poll takes longer than its interval', async () => {
    const clock = createManualClock(startMs);
    const busy = { now: 0, most: 0 };
    const graph = graphWith({
      [media]: async () => {
        busy.now += 1;
        busy.most = Math.max(busy.most, busy.now);
        await clock.sleep(3 * hourMs, new AbortController().signal);
        busy.now -= 1;
        return pageOf([{ id: '1' }]);
      },
    });
    const run = running(createWorld({ graph, clock }));
    await clock.advance(10 * hourMs);

    expect(busy.most).toBe(1);
    expect(countsOf(graph)[media]).toBe(3);
    await clock.advance(1.5 * hourMs);
    await run.stop();
  });

  test('waits for a permit when the allowed number of polls is running', async () => {
    const clock = createManualClock(startMs);
    const busy = { now: 0, most: 0 };
    const accounts = ['1', '2', '3', '4', '5'].map((id) => ({ ...account, id }));
    const slow = async () => {
      busy.now += 1;
      busy.most = Math.max(busy.most, busy.now);
      await clock.sleep(minuteMs, new AbortController().signal);
      busy.now -= 1;
      return pageOf([{ id: '1' }]);
    };
    const graph = graphWith(Object.fromEntries(accounts.map(({ id }) => [`/${id}/media`, slow])));
    const run = running(createWorld({ graph, clock, pollPermits: new Semaphore(2) }), {
      directory: directoryOf(accounts),
    });
    await clock.advance(30 * minuteMs);

    expect(busy.most).toBe(2);
    // Five lists and five profiles.
    expect(graph.requests).toHaveLength(10);
    await run.stop();
  });

  test('continues from its restored state, and then from its last committed state', async () => {
    const world = createWorld({ graph: graphWith() });
    const state = { ...firstState(posts), sequence: 41 };
    const run = running(world, {
      restored: new Map([[`media/${account.id}`, { kind: 'state', state }]]),
    });
    await world.clock.advance(2 * hourMs);

    const sequences = world.publisher.batches
      .filter((batch) => batch.state.stream === 'media')
      .map((batch) => batch.state.sequence);
    expect(sequences).toEqual([42, 43, 44]);
    await run.stop();
  });

  test('waits for its next poll when the last poll in its state is less than an interval old', async () => {
    const world = createWorld({ graph: graphWith() });
    const polledMs = startMs - 20 * minuteMs;
    const state = { ...firstState(posts), sequence: 41, polledMs };
    const run = running(world, {
      restored: new Map([[`media/${account.id}`, { kind: 'state', state }]]),
    });
    await world.clock.advance(40 * minuteMs - 1);
    expect(countsOf(world.graph)).toEqual({ [profile]: 1 });
    expect(world.telemetry.ofType('poll-awaited')).toEqual([
      {
        type: 'poll-awaited',
        stream: 'media',
        accountId: account.id,
        polledMs,
        nextPollMs: startMs + 40 * minuteMs,
      },
    ]);
    await world.clock.advance(1);
    expect(countsOf(world.graph)).toEqual({ [profile]: 1, [media]: 1 });
    await run.stop();
  });

  test.each([
    ['more than an interval ago', -2 * hourMs],
    ['ahead of now, because the clock was set back since', hourMs],
  ])('is polled at once when the last poll in its state is %s', async (_when, agoMs) => {
    const world = createWorld({ graph: graphWith() });
    const state = { ...firstState(posts), sequence: 41, polledMs: startMs + agoMs };
    const run = running(world, {
      restored: new Map([[`media/${account.id}`, { kind: 'state', state }]]),
    });
    await world.clock.advance(minuteMs);
    expect(countsOf(world.graph)).toEqual({ [profile]: 1, [media]: 1 });
    await run.stop();
  });

  test('reports the age of its restored state, if it has one', async () => {
    const world = createWorld({ graph: graphWith({ [media]: () => pageOf([]) }) });
    const state = { ...firstState(posts), sequence: 4, writtenAtMs: startMs - hourMs };
    const run = running(world, {
      restored: new Map([[`media/${account.id}`, { kind: 'state', state }]]),
    });
    await world.clock.advance(minuteMs);

    const reported = world.telemetry.ofType('state').map(({ stream, writtenAtMs }) => {
      return [stream, writtenAtMs - startMs];
    });
    expect(reported[0]).toEqual(['media', -hourMs]);
    expect(reported.slice(1)).toEqual([['users', 0]]);
    await run.stop();
  });

  // Invariant 2
  test('is not polled when its state is unreadable (Invariant 2)', async () => {
    const world = createWorld({ graph: graphWith() });
    const error = new StopStreamError('state.unreadable', 'state "media/1" cannot be read');
    const run = running(world, {
      restored: new Map([[`media/${account.id}`, { kind: 'unreadable', error }]]),
    });
    await world.clock.advance(2 * hourMs);

    expect(countsOf(world.graph)).toEqual({ [profile]: 3 });
    expect(world.telemetry.ofType('poll-failed')).toEqual([
      {
        type: 'poll-failed',
        stream: 'media',
        accountId: account.id,
        code: 'state.unreadable',
        disposition: 'stop-stream',
        message: 'state "media/1" cannot be read',
        retryInMs: null,
        nextPollMs: null,
        trigger: 'schedule',
      },
    ]);
    await run.stop();
  });
});

describe('supervise: an error', () => {
  // Invariant 8
  test('of an account stops all its streams and no other account (Invariant 8)', async () => {
    const answers = [pageOf([{ id: '1' }]), new StopAccountError('graph.token', 'expired')];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const world = createWorld({ graph });
    const [first, second] = supervisionOf().streams;
    if (first === undefined || second === undefined) throw new Error('two streams are needed');
    const run = running(world, {
      directory: both,
      streams: [first, { ...second, intervalMs: 1.5 * hourMs }],
    });
    await world.clock.advance(3 * hourMs);

    expect(countsOf(graph)).toEqual({
      [media]: 2,
      [otherMedia]: 4,
      [`/${account.id}`]: 1,
      [`/${otherAccount.id}`]: 3,
    });
    await run.stop();
  });

  // Invariant 8
  test('of a stream stops no other stream of the account (Invariant 8)', async () => {
    const graph = graphWith({ [media]: () => new StopStreamError('graph.permission', 'missing') });
    const world = createWorld({ graph });
    const run = running(world);
    await world.clock.advance(3 * hourMs);

    expect(countsOf(graph)).toEqual({ [media]: 1, [profile]: 4 });
    await run.stop();
  });

  // Invariant 8
  test('without a disposition fails one poll, and the next poll follows an interval later (Invariant 8)', async () => {
    const answers = [new TypeError('a bug'), pageOf([{ id: '1' }])];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const world = createWorld({ graph });
    const run = running(world, { directory: both });
    await world.clock.advance(hourMs);

    expect(countsOf(graph)).toMatchObject({ [media]: 2, [otherMedia]: 2 });
    expect(world.telemetry.ofType('poll-failed')).toMatchObject([
      { code: 'internal.unexpected', disposition: 'unexpected', message: 'a bug' },
    ]);
    await run.stop();
  });

  test('that stops the process is thrown after every running poll has ended', async () => {
    const fatal = new StopProcessError('kafka.unauthorized', 'no authorisation', { exitCode: 3 });
    const held = Promise.withResolvers<undefined>();
    const publisher = createFakePublisher(({ state }) =>
      state.stream === 'media' ? held.promise : fatal,
    );
    const world = createWorld({ graph: graphWith(), publisher });
    const run = running(world);
    let over = false;
    const end = run.ended.catch((error: unknown) => {
      over = true;
      return error;
    });
    await world.clock.advance(0);

    expect(publisher.tried).toHaveLength(2);
    expect(over).toBe(false);
    held.resolve(undefined);
    await expect(end).resolves.toBe(fatal);
    expect(publisher.batches.map(({ state }) => state.stream)).toEqual(['media']);
  });
});

describe('supervise: an abort', () => {
  // Invariant 7
  test('lets the open transaction end before supervise resolves (Invariant 7)', async () => {
    const held = Promise.withResolvers<undefined>();
    const publisher = createFakePublisher(({ state }) =>
      state.stream === 'media' ? held.promise : undefined,
    );
    const world = createWorld({ graph: graphWith(), publisher });
    const run = running(world);
    await world.clock.advance(0);
    let over = false;
    const stopped = run.stop().then(() => (over = true));
    await settle();

    expect(over).toBe(false);
    held.resolve(undefined);
    await expect(stopped).resolves.toBe(true);
    expect(publisher.batches.map(({ state }) => state.stream).sort()).toEqual(['media', 'users']);
    expect(world.telemetry.ofType('poll-failed')).toEqual([]);
  });
});
