import { describe, expect, test } from '@jest/globals';
import { RetryError, StopAccountError } from '../../../src/engine/errors.ts';
import { supervise } from '../../../src/engine/supervisor.ts';
import { account, otherAccount } from '../../support/accounts.ts';
import { pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { settle } from '../../support/manual-clock.ts';
import { countsOf, directoryOf, graphWith, supervisionOf } from './supervision.ts';
import { type World, createWorld, firstState, hourMs, minuteMs, posts } from './world.ts';

const media = `/${account.id}/media`;
const otherMedia = `/${otherAccount.id}/media`;

/** Supervises the posts of listed accounts; the accounts are listed again every ten minutes. */
function running(world: World, changes: Parameters<typeof supervisionOf>[0] = {}) {
  const stop = new AbortController();
  const supervision = supervisionOf({
    streams: [{ stream: posts, intervalMs: hourMs }],
    accountsRefreshMs: 10 * minuteMs,
    ...changes,
  });
  const ended = supervise(supervision, world, stop.signal);
  return {
    async stop() {
      stop.abort(new Error('stopping'));
      await ended;
    },
  };
}

const graphEvents = (world: World) =>
  world.telemetry.ofType('dependency').filter(({ name }) => name === 'graph');

const sequencesOf = (world: World) => world.publisher.batches.map(({ state }) => state.sequence);

describe('supervise: the accounts', () => {
  test('are polled from the time when they are listed', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = running(world, { directory: directoryOf([account], [account, otherAccount]) });
    await world.clock.advance(10 * minuteMs - 1);
    expect(countsOf(world.graph)).toEqual({ [media]: 1 });
    await world.clock.advance(1);
    expect(countsOf(world.graph)).toEqual({ [media]: 1, [otherMedia]: 1 });
    await world.clock.advance(50 * minuteMs);
    expect(countsOf(world.graph)).toEqual({ [media]: 2, [otherMedia]: 1 });

    expect(world.telemetry.ofType('accounts')).toEqual([
      { type: 'accounts', added: [account], removed: [] },
      { type: 'accounts', added: [otherAccount], removed: [] },
    ]);
    await run.stop();
  });

  test('that an error has stopped are polled at once when their tokens are renewed', async () => {
    let isExpired = true;
    const graph = graphWith({
      [media]: () => (isExpired ? new StopAccountError('graph.token', 'expired') : pageOf([])),
    });
    const world = createWorld({ graph });
    const directory = directoryOf([account, otherAccount]);
    const run = running(world, { directory, accountsRefreshMs: 24 * hourMs });
    await world.clock.advance(2 * hourMs + minuteMs);
    expect(countsOf(world.graph)).toEqual({ [media]: 1, [otherMedia]: 3 });

    isExpired = false;
    directory.renew();
    await world.clock.advance(1);

    expect(countsOf(world.graph)).toEqual({ [media]: 2, [otherMedia]: 3 });
    await world.clock.advance(hourMs);
    expect(countsOf(world.graph)).toEqual({ [media]: 3, [otherMedia]: 4 });
    await run.stop();
  });

  test('make the Graph API not ready when one is missing or its token is invalid', async () => {
    const world = createWorld({ graph: graphWith() });
    const directory = {
      ...directoryOf([]),
      list: () =>
        Promise.resolve({ accounts: [account], problems: ['token 2: expired', 'b'], warnings: [] }),
    };
    const run = running(world, { directory });
    await world.clock.advance(minuteMs);

    expect(graphEvents(world).at(-1)).toEqual({
      type: 'dependency',
      name: 'graph',
      ready: false,
      reason: 'token 2: expired; b',
    });
    expect(countsOf(world.graph)).toEqual({ [media]: 1 });
    await run.stop();
  });

  test('leave the Graph API ready when the list skipped invalid entries', async () => {
    const world = createWorld({ graph: graphWith() });
    const warnings = ['/me/accounts: left out "data[1]"'];
    const list = () => Promise.resolve({ accounts: [account], problems: [], warnings });
    const run = running(world, { directory: { ...directoryOf([]), list } });
    await world.clock.advance(minuteMs);

    expect(graphEvents(world).at(-1)).toEqual({
      type: 'dependency',
      name: 'graph',
      ready: true,
      reason: warnings[0],
    });
    await run.stop();
  });

  test('are no longer polled when the list no longer has them', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = running(world, { directory: directoryOf([account, otherAccount], [account]) });
    await world.clock.advance(2 * hourMs);

    expect(countsOf(world.graph)).toEqual({ [media]: 3, [otherMedia]: 1 });
    expect(world.telemetry.ofType('accounts').at(-1)).toEqual({
      type: 'accounts',
      added: [],
      removed: [otherAccount],
    });
    await run.stop();
  });

  // Invariant 2
  test('continue from their last state when they are listed again (Invariant 2)', async () => {
    const world = createWorld({ graph: graphWith() });
    const state = { ...firstState(posts), sequence: 41 };
    const run = running(world, {
      directory: directoryOf([account], [], [account]),
      streams: [{ stream: posts, intervalMs: 15 * minuteMs }],
      restored: new Map([[`media/${account.id}`, { kind: 'state', state }]]),
    });
    await world.clock.advance(20 * minuteMs);

    expect(sequencesOf(world)).toEqual([42, 43]);
    await run.stop();
  });

  test('are polled again only after their running poll has ended', async () => {
    const held = Promise.withResolvers<undefined>();
    const publisher = createFakePublisher((_batch, index) =>
      index === 0 ? held.promise : undefined,
    );
    const world = createWorld({ graph: graphWith(), publisher });
    const run = running(world, {
      directory: directoryOf([account], [], [account]),
      streams: [{ stream: posts, intervalMs: 15 * minuteMs }],
    });
    await world.clock.advance(30 * minuteMs);
    expect(publisher.tried).toHaveLength(1);

    held.resolve(undefined);
    await settle();
    await world.clock.advance(0);
    expect(sequencesOf(world)).toEqual([1, 2]);
    await run.stop();
  });

  test('end their running poll before supervise resolves, even when they are no longer listed', async () => {
    const held = Promise.withResolvers<undefined>();
    const world = createWorld({
      graph: graphWith(),
      publisher: createFakePublisher(() => held.promise),
    });
    const run = running(world, { directory: directoryOf([account], []) });
    await world.clock.advance(10 * minuteMs);
    let over = false;
    const stopped = run.stop().then(() => (over = true));
    await settle();
    expect(over).toBe(false);

    held.resolve(undefined);
    await stopped;
    expect(sequencesOf(world)).toEqual([1]);
  });

  test('are listed again until the first list succeeds', async () => {
    const world = createWorld({ graph: graphWith() });
    const away = new RetryError('graph.network', 'no route to the host');
    const run = running(world, { directory: directoryOf(away, [account]) });
    await world.clock.advance(minuteMs);

    expect(countsOf(world.graph)).toEqual({ [media]: 1 });
    expect(graphEvents(world).map(({ ready }) => ready)).toEqual([false, true]);
    await run.stop();
  });

  // Invariant 8
  test('that are known keep polling when a later list fails (Invariant 8)', async () => {
    const world = createWorld({ graph: graphWith() });
    const away = new RetryError('graph.network', 'no route to the host');
    const run = running(world, { directory: directoryOf([account], away, [account]) });
    await world.clock.advance(hourMs);

    expect(countsOf(world.graph)).toEqual({ [media]: 2 });
    expect(graphEvents(world).slice(1, 3)).toEqual([
      {
        type: 'dependency',
        name: 'graph',
        ready: false,
        reason: 'listing the accounts failed: no route to the host',
      },
      { type: 'dependency', name: 'graph', ready: true, reason: '' },
    ]);
    await run.stop();
  });
});
