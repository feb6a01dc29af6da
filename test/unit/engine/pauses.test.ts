import { describe, expect, test } from '@jest/globals';
import { RetryError, StopStreamError, WaitError } from '../../../src/engine/errors.ts';
import type { ControlAnswer, Restored } from '../../../src/engine/ports.ts';
import { type Pause, type StreamState, stateKey } from '../../../src/engine/state.ts';
import type { Stream } from '../../../src/engine/stream.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { pageOf } from '../../support/fake-graph.ts';
import { createFakeGroup, createFakeStore } from '../../support/fake-group.ts';
import { type FakePublisher, createFakePublisher } from '../../support/fake-publisher.ts';
import { settle } from '../../support/manual-clock.ts';
import { controlled, countsOf, directoryOf, graphWith } from './supervision.ts';
import { createWorld, firstState, hourMs, minuteMs, posts, startMs, type World } from './world.ts';

const media = `/${account.id}/media`;
const key = stateKey('media', account.id);
const saved = { kind: 'accepted', count: 1, saved: true, elsewhere: [] };
const unsaved = { ...saved, saved: false };
const away = new RetryError('kafka.unavailable', 'no broker answers');

/** The states that the state topic has after these batches, by key. */
function topicOf({ batches }: FakePublisher): ReadonlyMap<string, Restored> {
  const restored = batches.map(({ state }): [string, Restored] => [
    stateKey(state.stream, state.accountId),
    { kind: 'state', state },
  ]);
  return new Map(restored);
}

/** The states of the media that were committed, oldest first. */
function statesOf({ batches }: FakePublisher): readonly StreamState[] {
  return batches.flatMap(({ state }) =>
    state.stream === 'media' && state.accountId === account.id ? [state] : [],
  );
}

function pollsOf({ graph }: World): number {
  return countsOf(graph)[media] ?? 0;
}

/** The program after its first polls, ten minutes after the start; it restores what it has published. */
async function polled(world: World, changes: Parameters<typeof controlled>[1] = {}) {
  const { publisher } = world;
  const store = createFakeStore(undefined, () => Promise.resolve(topicOf(publisher)));
  const run = controlled(world, { store, ...changes });
  await world.clock.advance(10 * minuteMs);
  return run;
}

/** Lets the time pass for which an answer waits for the state topic. */
async function waitedFor(answer: Promise<ControlAnswer>, { clock }: World): Promise<ControlAnswer> {
  await clock.advance(5000);
  return await answer;
}

/** A world whose media poll waits in the API until it is answered. */
function createWaitingWorld(publisher = createFakePublisher()) {
  const answer = Promise.withResolvers<ReturnType<typeof pageOf>>();
  const answers = [answer.promise];
  const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
  return { world: createWorld({ graph, publisher }), answer };
}

describe('the control request "pause"', () => {
  test('stops the polls of one stream of one account, and every other stream keeps polling', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world, { directory: directoryOf([account, otherAccount]) });

    expect(await run.execute('pause')).toEqual(saved);
    await world.clock.advance(3 * hourMs);

    expect(countsOf(world.graph)).toEqual({
      [media]: 1,
      [`/${otherAccount.id}/media`]: 4,
      [`/${account.id}`]: 4,
      [`/${otherAccount.id}`]: 4,
    });
    expect(await run.execute('poll')).toEqual({
      kind: 'conflict',
      reason: 'it is paused; request "resume" first',
    });
    await run.stop();
  });

  test('is in the state topic before the answer, in a batch of the state alone (Invariant 1)', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world);
    const [before] = statesOf(world.publisher);

    expect(await run.execute('pause')).toEqual(saved);

    const batch = world.publisher.batches.at(-1);
    const pausedMs = startMs + 10 * minuteMs;
    expect(batch?.records).toEqual([]);
    expect(batch?.state).toEqual({
      ...before,
      sequence: 2,
      writtenAtMs: pausedMs,
      pause: { sinceMs: pausedMs, untilMs: null },
    });
    const paused = { stream: 'media', accountId: account.id };
    expect(world.telemetry.events.filter(({ type }) => type.startsWith('pause'))).toEqual([
      { type: 'paused', ...paused, pause: { sinceMs: pausedMs, untilMs: null }, saved: false },
      { type: 'pause-saved', ...paused },
    ]);
    await run.stop();
  });

  test('holds after a restart, and is reported again', async () => {
    const world = createWorld({ graph: graphWith() });
    const first = await polled(world);
    await first.execute('pause');
    await first.stop();

    const second = await polled(world);
    await world.clock.advance(3 * hourMs);

    expect(pollsOf(world)).toBe(1);
    expect(world.telemetry.ofType('paused').at(-1)).toMatchObject({ saved: true });
    expect(await second.execute('resume')).toEqual(saved);
    await world.clock.advance(0);
    expect(pollsOf(world)).toBe(2);
    const [, paused, resumed] = statesOf(world.publisher);
    expect([paused?.pause?.untilMs, resumed?.pause]).toEqual([null, null]);
    await second.stop();
  });

  test('holds for a stream that was never polled', async () => {
    const world = createWorld({ graph: graphWith({ [media]: () => away }) });
    const run = await polled(world);

    expect(await run.execute('pause')).toEqual(saved);

    expect(statesOf(world.publisher)).toMatchObject([{ sequence: 1, polledMs: null }]);
    await run.stop();
  });

  test('holds when the account leaves this instance and comes back', async () => {
    const group = createFakeGroup();
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world, { group });
    await run.execute('pause');

    group.give([]);
    await world.clock.advance(minuteMs);
    group.give([0]);
    await world.clock.advance(2 * hourMs);

    expect(pollsOf(world)).toBe(1);
    expect(world.telemetry.ofType('paused').map((one) => one.saved)).toEqual([false, true]);
    await run.stop();
  });

  test('ends with a resume, which polls at once if a poll became due during the pause', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world);
    await run.execute('pause');
    await world.clock.advance(90 * minuteMs);

    expect(await run.execute('resume')).toEqual(saved);
    await world.clock.advance(0);

    expect(pollsOf(world)).toBe(2);
    expect(world.telemetry.ofType('paused').at(-1)?.pause).toBeNull();
    expect(statesOf(world.publisher).at(-1)?.pause).toBeNull();
    await run.stop();
  });

  test('ends at the time that it carries, and the poll that became due follows at once', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world);
    await run.execute('pause', { untilMs: startMs + 2 * hourMs });

    await world.clock.advance(110 * minuteMs - 1);
    expect(pollsOf(world)).toBe(1);
    await world.clock.advance(1);
    expect(pollsOf(world)).toBe(2);
    await world.clock.advance(hourMs);
    expect(pollsOf(world)).toBe(3);
    await run.stop();
  });

  test('replaces the end of an earlier pause, and keeps its begin', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world);
    await run.execute('pause');
    await world.clock.advance(minuteMs);

    await run.execute('pause', { untilMs: startMs + 2 * hourMs });

    expect(statesOf(world.publisher).at(-1)?.pause).toEqual({
      sinceMs: startMs + 10 * minuteMs,
      untilMs: startMs + 2 * hourMs,
    });
    await run.stop();
  });

  test('leaves the program idle when every stream is paused, and the program still stops on request', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world);

    expect(await run.execute('pause', { stream: null })).toEqual({ ...saved, count: 2 });
    await world.clock.advance(72 * hourMs);

    expect(pollsOf(world)).toBe(1);
    await run.stop();
  });

  test('holds for a stream that an error has stopped, and a resume ends the pause and the stop', async () => {
    const answers = [new StopStreamError('graph.permission', 'no')];
    const world = createWorld({
      graph: graphWith({ [media]: () => answers.shift() ?? pageOf([]) }),
    });
    const run = await polled(world);

    expect(await run.execute('pause')).toEqual(saved);
    expect(statesOf(world.publisher).at(-1)?.pause).not.toBeNull();
    expect(await run.execute('resume')).toEqual(saved);
    await world.clock.advance(minuteMs);

    expect(pollsOf(world)).toBe(2);
    expect(statesOf(world.publisher).at(-1)?.pause).toBeNull();
    await run.stop();
  });

  test('is rejected for a stream whose state cannot be read, and writes nothing over it (Invariant 2)', async () => {
    const error = new StopStreamError('state.unreadable', 'cut');
    const restored = new Map<string, Restored>([[key, { kind: 'unreadable', error }]]);
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world, { store: createFakeStore(restored) });

    expect(await run.execute('pause')).toMatchObject({ kind: 'conflict' });
    expect(await run.execute('pause', { stream: null })).toEqual(saved);

    expect(statesOf(world.publisher)).toEqual([]);
    await run.stop();
  });
});

describe('a pause whose end has passed', () => {
  test('is no pause after a restart, and the next commit removes it', async () => {
    const pause: Pause = { sinceMs: startMs - hourMs, untilMs: startMs - 1 };
    const state = { ...firstState(posts), sequence: 4, pause };
    const restored = new Map<string, Restored>([[key, { kind: 'state', state }]]);
    const world = createWorld({ graph: graphWith() });
    const run = await polled(world, { store: createFakeStore(restored) });

    expect(pollsOf(world)).toBe(1);
    expect(world.telemetry.ofType('paused')).toEqual([]);
    expect(statesOf(world.publisher)).toMatchObject([{ sequence: 5, pause: null }]);
    await run.stop();
  });
});

describe('a pause during a poll', () => {
  test('is committed with the records of the poll, and the answer does not wait for them', async () => {
    const { world, answer } = createWaitingWorld();
    const run = await polled(world);

    expect(await waitedFor(run.execute('pause'), world)).toEqual(unsaved);
    expect(statesOf(world.publisher)).toEqual([]);
    answer.resolve(pageOf([{ id: '1' }]));
    await world.clock.advance(2 * hourMs);

    expect(statesOf(world.publisher)).toMatchObject([{ sequence: 1, pause: { untilMs: null } }]);
    expect(world.telemetry.ofType('pause-saved')).toHaveLength(1);
    expect(pollsOf(world)).toBe(1);
    await run.stop();
  });

  test('is written after a poll that commits nothing', async () => {
    const { world, answer } = createWaitingWorld();
    const state = { ...firstState(posts), sequence: 4 };
    const restored = new Map<string, Restored>([[key, { kind: 'state', state }]]);
    const run = await polled(world, { store: createFakeStore(restored) });
    await waitedFor(run.execute('pause'), world);

    answer.resolve(pageOf([]));
    await world.clock.advance(0);

    expect(statesOf(world.publisher)).toMatchObject([{ sequence: 5, pause: { untilMs: null } }]);
    await run.stop();
  });

  test('ends a poll that waits for its next try, which follows at once after the resume', async () => {
    const answers = [away, pageOf([{ id: '1' }])];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const world = createWorld({ graph, retry: { baseMs: hourMs, maxMs: hourMs, maxAttempts: 3 } });
    const run = await polled(world);

    expect(await run.execute('pause')).toEqual(saved);
    await world.clock.advance(90 * minuteMs);
    expect(pollsOf(world)).toBe(1);
    expect(await run.execute('resume')).toEqual(saved);
    await world.clock.advance(0);

    expect(pollsOf(world)).toBe(2);
    expect(statesOf(world.publisher).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    await run.stop();
  });

  test('that ends before the next try lets it continue from the state of the pause (Invariant 2)', async () => {
    const answers = [away, pageOf([{ id: '1' }])];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const world = createWorld({ graph, retry: { baseMs: hourMs, maxMs: hourMs, maxAttempts: 3 } });
    const run = await polled(world);

    await run.execute('pause');
    await run.execute('resume');
    await world.clock.advance(hourMs);

    expect(pollsOf(world)).toBe(2);
    expect(statesOf(world.publisher).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    await run.stop();
  });

  test('ends a poll whose request waits for a limit, and is saved at once', async () => {
    const limit = new WaitError('graph.rate-limited', 'too many calls', {
      scope: { kind: 'app', id: '' },
      retryAfterMs: hourMs,
    });
    const answers = [pageOf([{ id: '1' }], 'next'), limit];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([{ id: '2' }]) });
    const world = createWorld({ graph });
    const run = await polled(world);
    expect(pollsOf(world)).toBe(2);

    expect(await waitedFor(run.execute('pause'), world)).toEqual(saved);
    expect(statesOf(world.publisher)).toMatchObject([{ sequence: 1, pause: { untilMs: null } }]);
    await world.clock.advance(2 * hourMs);
    expect(pollsOf(world)).toBe(2);
    expect(await run.execute('resume')).toEqual(saved);
    await world.clock.advance(0);

    expect(pollsOf(world)).toBe(3);
    expect(world.telemetry.ofType('poll-failed')).toEqual([]);
    await run.stop();
  });

  test('lets a poll end whose requests wait for no limit', async () => {
    const waiting = Promise.withResolvers<ReturnType<typeof pageOf>>();
    const answers = [waiting.promise, pageOf([{ id: '2' }])];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const world = createWorld({ graph });
    const run = await polled(world);
    await waitedFor(run.execute('pause'), world);

    waiting.resolve(pageOf([{ id: '1' }], 'next'));
    await world.clock.advance(minuteMs);

    expect(pollsOf(world)).toBe(2);
    expect(world.publisher.batches.at(-1)?.records).toHaveLength(2);
    await run.stop();
  });

  test('of another stream in the same cycle begins no poll of the paused one', async () => {
    const { world, answer } = createWaitingWorld();
    const clips: Stream = { ...posts, name: 'clips', list: 'media', publishesList: false };
    const listed = { ...posts, list: 'media', publishesList: true };
    const streams = [listed, clips].map((stream) => ({ stream, intervalMs: hourMs }));
    const run = await polled(world, { streams });

    expect(await run.execute('pause', { stream: 'clips' })).toEqual(saved);
    answer.resolve(pageOf([{ id: '1' }]));
    await world.clock.advance(minuteMs);

    const finished = () => world.telemetry.ofType('poll-finished').map(({ stream }) => stream);
    expect(finished()).toEqual(['media']);
    await run.execute('resume', { stream: 'clips' });
    await world.clock.advance(0);
    expect(finished()).toEqual(['media', 'clips']);
    await run.stop();
  });

  test('is written at a shutdown that aborts the poll, before the partition is released', async () => {
    // The commit takes longer than the end of the poll.
    const slow = createFakePublisher(() =>
      settle()
        .then(settle)
        .then(() => undefined),
    );
    const { world, answer } = createWaitingWorld(slow);
    const committed: number[] = [];
    const release = (): Promise<void> => {
      committed.push(statesOf(slow).length);
      return Promise.resolve();
    };
    const run = await polled(world, { store: { ...createFakeStore(), release } });
    await waitedFor(run.execute('pause'), world);

    const stopped = run.stop();
    answer.resolve(pageOf([{ id: '1' }]));
    await stopped;

    // A released partition takes no more batches.
    expect(committed).toEqual([1]);
    expect(statesOf(world.publisher)).toMatchObject([{ sequence: 1, pause: { untilMs: null } }]);
  });
});

describe('a pause that cannot be written to Kafka', () => {
  /** A publisher that rejects the first `times` batches of the media without records. */
  function createFailing(times: number): FakePublisher {
    let left = times;
    return createFakePublisher(({ records, state }) => {
      if (records.length > 0 || state.stream !== 'media' || left === 0) return undefined;
      left -= 1;
      return away;
    });
  }

  test('takes effect at once, is reported, and is written again while other streams keep polling', async () => {
    const world = createWorld({ graph: graphWith(), publisher: createFailing(8) });
    const run = await polled(world);

    expect(await waitedFor(run.execute('pause'), world)).toEqual(unsaved);
    await world.clock.advance(2 * hourMs);

    expect(countsOf(world.graph)).toEqual({ [media]: 1, [`/${account.id}`]: 3 });
    expect(world.telemetry.ofType('pause-unsaved')).toHaveLength(8);
    expect(world.telemetry.ofType('pause-unsaved')[0]).toMatchObject({
      message: 'no broker answers',
      retryInMs: 750,
    });
    expect(statesOf(world.publisher).at(-1)?.pause).not.toBeNull();
    await run.stop();
  });

  test('is written when the partition comes back, after which it holds', async () => {
    const group = createFakeGroup();
    const world = createWorld({ graph: graphWith(), publisher: createFailing(1) });
    const run = await polled(world, { group });
    void run.execute('pause');
    await world.clock.advance(500);

    group.give([]);
    await world.clock.advance(minuteMs);
    group.give([0]);
    await world.clock.advance(2 * hourMs);

    expect(pollsOf(world)).toBe(1);
    expect(statesOf(world.publisher).at(-1)?.pause).not.toBeNull();
    await run.stop();
  });

  test('ends by a resume that another instance has written meanwhile', async () => {
    const group = createFakeGroup();
    const state = { ...firstState(posts), sequence: 4, pause: { sinceMs: 1, untilMs: null } };
    const world = createWorld({ graph: graphWith(), publisher: createFailing(1) });
    let current: StreamState = state;
    const store = createFakeStore(undefined, () =>
      Promise.resolve(new Map<string, Restored>([[key, { kind: 'state', state: current }]])),
    );
    const run = await polled(world, { group, store });
    void run.execute('pause', { untilMs: startMs + 48 * hourMs });
    await world.clock.advance(500);

    group.give([]);
    current = { ...state, sequence: 5, pause: null };
    group.give([0]);
    await world.clock.advance(minuteMs);

    expect(pollsOf(world)).toBe(1);
    expect(statesOf(world.publisher).at(-1)?.pause).toBeNull();
    await run.stop();
  });
});
