import { describe, expect, test } from '@jest/globals';
import { StopStreamError } from '../../../src/engine/errors.ts';
import { createControlHandler } from '../../../src/engine/control-handler.ts';
import { account } from '../../support/accounts.ts';
import { pageOf } from '../../support/fake-graph.ts';
import { createFakeGroup } from '../../support/fake-group.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { type Changes, controlled, countsOf, graphWith, requestOf } from './supervision.ts';
import { createWorld, hourMs, minuteMs, startMs, type World } from './world.ts';

const media = `/${account.id}/media`;
const accepted = { kind: 'accepted', count: 1, saved: null, elsewhere: [] };

/** A running program, and the number of its polls of the media. */
function running(world: World, changes: Changes = {}) {
  const run = controlled(world, changes);
  return { ...run, clock: world.clock, polls: () => countsOf(world.graph)[media] ?? 0 };
}

describe('the control request "poll"', () => {
  test('polls at once, and the next scheduled poll follows one interval later', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = running(world);
    await world.clock.advance(10 * minuteMs);
    expect(run.polls()).toBe(1);

    expect(await run.execute('poll')).toEqual(accepted);
    await world.clock.advance(0);
    expect(run.polls()).toBe(2);
    await world.clock.advance(59 * minuteMs);
    expect(run.polls()).toBe(2);
    await world.clock.advance(minuteMs);
    expect(run.polls()).toBe(3);
    await run.stop();
  });

  test('polls again once a running poll has ended', async () => {
    const answers = [Promise.withResolvers<ReturnType<typeof pageOf>>()];
    const graph = graphWith({ [media]: () => answers.shift()?.promise ?? pageOf([]) });
    const [first] = answers;
    const world = createWorld({ graph });
    const run = running(world);
    await world.clock.advance(minuteMs);

    expect(await run.execute('poll')).toEqual(accepted);
    await world.clock.advance(minuteMs);
    expect(run.polls()).toBe(1);
    first?.resolve(pageOf([]));
    await world.clock.advance(0);
    expect(run.polls()).toBe(2);
    await run.stop();
  });

  test('is rejected for a stream that an error has stopped, until a resume restarts the stream', async () => {
    const answers = [new StopStreamError('graph.permission', 'no')];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const world = createWorld({ graph });
    const run = running(world);
    await world.clock.advance(minuteMs);

    expect(await run.execute('poll')).toMatchObject({ kind: 'conflict' });
    expect(await run.execute('resume')).toEqual({ ...accepted, saved: true });
    await world.clock.advance(minuteMs);
    expect(run.polls()).toBe(2);
    expect(await run.execute('poll')).toEqual(accepted);
    await run.stop();
  });
});

describe('the control request "resume"', () => {
  test("polls a stopped stream at once, and leaves the schedule of the account's other streams unchanged", async () => {
    const answers = [new StopStreamError('graph.permission', 'no')];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const run = running(createWorld({ graph }));
    const { clock } = run;
    await clock.advance(10 * minuteMs);
    expect(countsOf(graph)).toEqual({ [media]: 1, [`/${account.id}`]: 1 });

    expect(await run.execute('resume')).toEqual({ ...accepted, saved: true });
    await clock.advance(49 * minuteMs);
    expect(countsOf(graph)).toEqual({ [media]: 2, [`/${account.id}`]: 1 });
    await clock.advance(minuteMs);
    expect(countsOf(graph)).toEqual({ [media]: 2, [`/${account.id}`]: 2 });
    await run.stop();
  });

  test('polls a stopped stream at once even if its last successful poll is less than an interval old', async () => {
    const answers = [pageOf([]), new StopStreamError('graph.permission', 'no')];
    const graph = graphWith({ [media]: () => answers.shift() ?? pageOf([]) });
    const run = running(createWorld({ graph }));
    await run.clock.advance(minuteMs);
    await run.execute('poll');
    await run.clock.advance(minuteMs);

    expect(await run.execute('resume')).toEqual({ ...accepted, saved: true });
    await run.clock.advance(minuteMs);
    expect(run.polls()).toBe(3);
    await run.stop();
  });
});

describe('a changed interval', () => {
  test.each([
    ['shorter', 20 * minuteMs, [20, 40]],
    ['shorter than what has passed', 5 * minuteMs, [10, 15]],
    ['longer', 2 * hourMs, [120, 240]],
  ])('counts from the last poll when it is %s', async (_how, intervalMs, minutes) => {
    const times: number[] = [];
    const clock = createManualClock(startMs);
    const graph = graphWith({
      [media]: () => {
        times.push((clock.nowMs() - startMs) / minuteMs);
        return pageOf([]);
      },
    });
    const world = createWorld({ graph, clock });
    const run = running(world);
    await clock.advance(10 * minuteMs);

    run.overrides.setInterval('media', intervalMs);
    await clock.advance(4 * hourMs);

    expect(times.slice(1, 3)).toEqual(minutes);
    expect(world.telemetry.ofType('interval')).toEqual([
      { type: 'interval', stream: 'media', intervalMs },
    ]);
    await run.stop();
  });
});

describe('a control request that cannot be executed', () => {
  test('lists the enabled streams, and reports an unknown account', async () => {
    const world = createWorld({ graph: graphWith() });
    const run = running(world);
    await world.clock.advance(minuteMs);

    expect(await run.execute('pause', { stream: 'stories' })).toEqual({
      kind: 'unknown',
      reason: 'no such stream is enabled; there are: media, users',
    });
    expect(await run.execute('pause', { accountId: '404' })).toMatchObject({ kind: 'unknown' });
    await run.stop();
  });

  test('names the instance that owns the account', async () => {
    const group = createFakeGroup(1, { first: [] });
    group.owner = 'other (10.0.0.2)';
    const world = createWorld({ graph: graphWith() });
    const run = running(world, { group });
    await world.clock.advance(minuteMs);

    expect(await run.execute('poll')).toEqual({
      kind: 'elsewhere',
      reason: 'partition 0, which has the account, is not assigned to this instance',
      owner: 'other (10.0.0.2)',
    });
    await run.stop();
  });

  test('is answered with "unready" before the supervisor starts and after it ends', async () => {
    const controlHandler = createControlHandler();
    const world = createWorld({ graph: graphWith() });

    expect(await controlHandler.execute(requestOf('poll'))).toMatchObject({
      kind: 'unready',
    });
    const run = running(world, { controlHandler });
    await run.stop();
    expect(await controlHandler.execute(requestOf('poll'))).toMatchObject({
      kind: 'unready',
    });
  });
});
