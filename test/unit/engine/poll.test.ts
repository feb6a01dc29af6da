import { describe, expect, test } from '@jest/globals';
import { RetryError } from '../../../src/engine/errors.ts';
import { emptyCheckpoint } from '../../../src/engine/state.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { answersInTurn, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { keysOf, valueOf } from '../../support/json-encoder.ts';
import { calm, createWorld, dayMs, firstState, pollOf, posts, startMs } from './world.ts';

const away = new RetryError('kafka.unavailable', 'no broker answers');

/** The answer of `/{account}/insights` for one metric. */
const series = (name: string, days: Readonly<Record<string, number>>) => ({
  data: [{ name, values: Object.entries(days).map(([end_time, value]) => ({ value, end_time })) }],
});
const noSeries = { data: [] };

/** Reach by day; every other series is empty. */
const reachOnly = (days: Readonly<Record<string, number>>) =>
  createFakeGraph(({ query }) => (query['period'] === 'day' ? series('reach', days) : noSeries));

/** A state after which one window is requested. */
const yesterday = {
  ...firstState(streams.user_insights),
  cursorMs: startMs - dayMs,
  sequence: 7,
};

describe('a poll', () => {
  test('publishes the records of its nodes and the next state in one batch', async () => {
    const world = createWorld({
      graph: createFakeGraph(() => pageOf([{ id: '1', caption: 'a' }, { id: '2' }])),
    });
    const poll = pollOf(posts, { state: { ...firstState(posts), sequence: 41 } });

    await runPoll(poll, world, calm);

    expect(world.publisher.batches).toHaveLength(1);
    const [batch] = world.publisher.batches;
    expect(batch?.records.map(({ key, role, headers }) => ({ key, role, headers }))).toEqual(
      ['1', '2'].map((key) => ({
        key,
        role: 'media',
        headers: {
          stream: 'media',
          account: '17841400000000001',
          poll: 'media/17841400000000001/2026-05-12T12:00:00.000Z',
          schema: '1',
        },
      })),
    );
    expect(valueOf(batch?.records[0])).toEqual({
      business_account_id: '17841400000000001',
      page_id: '100000000000001',
      polled_at: Date.UTC(2026, 4, 12, 12),
      id: '1',
      caption: 'a',
      like_count: null,
    });
    expect(batch?.state).toEqual({
      ...emptyCheckpoint,
      published: new Map([
        ['1', expect.any(BigInt)],
        ['2', expect.any(BigInt)],
      ]),
      polledMs: startMs,
      stream: 'media',
      accountId: '17841400000000001',
      sequence: 42,
      writtenAtMs: Date.UTC(2026, 4, 12, 12),
      writtenBy: 'test-1',
      pause: null,
    });
    expect(poll.state).toEqual(batch?.state);
  });

  test('writes nothing when a list has no nodes', async () => {
    const world = createWorld({ graph: createFakeGraph(() => pageOf([])) });
    const poll = pollOf(posts);

    await runPoll(poll, world, calm);

    expect(world.publisher.tried).toEqual([]);
    expect(poll.state.sequence).toBe(0);
  });

  // Invariant 1
  test('commits records and the state that stands for them in one batch (Invariant 1)', async () => {
    const world = createWorld({
      graph: reachOnly({
        '2026-05-11T07:00:00+0000': 5,
        '2026-05-12T07:00:00+0000': 6,
      }),
    });
    const poll = pollOf(streams.user_insights, { state: yesterday });

    await runPoll(poll, world, calm);

    expect(world.publisher.batches).toHaveLength(1);
    const [batch] = world.publisher.batches;
    expect(batch?.records.map(({ key }) => key)).toEqual([
      '17841400000000001/2026-05-11T07:00:00Z',
      '17841400000000001/2026-05-12T07:00:00Z',
    ]);
    expect(batch?.state).toMatchObject({ cursorMs: Date.UTC(2026, 4, 12, 7), sequence: 8 });
    expect(batch?.state.days.map(({ dateMs, reach }) => [dateMs, reach])).toEqual([
      [Date.UTC(2026, 4, 11, 7), 5],
      [Date.UTC(2026, 4, 12, 7), 6],
    ]);
  });

  test('writes nothing when it finds the days that the previous poll published', async () => {
    const world = createWorld({ graph: reachOnly({ '2026-05-12T07:00:00+0000': 6 }) });
    const before = pollOf(streams.user_insights, { state: yesterday });
    await runPoll(before, world, calm);

    const after = pollOf(streams.user_insights, { state: before.state });
    await runPoll(after, world, calm);

    expect(world.publisher.batches).toHaveLength(1);
    expect(after.state).toEqual(before.state);
  });

  test('commits only the state when the windows of an account have no data yet', async () => {
    const world = createWorld({ graph: createFakeGraph(() => noSeries) });
    const poll = pollOf(streams.user_insights, {
      state: { ...firstState(streams.user_insights), coveredUntilMs: startMs - 3 * dayMs },
    });

    await runPoll(poll, world, calm);

    expect(world.publisher.batches).toHaveLength(1);
    expect(world.publisher.batches[0]).toMatchObject({
      records: [],
      state: { cursorMs: null, coveredUntilMs: startMs - 2 * dayMs },
    });
  });

  test('commits an incremental stream window by window, each batch with the next sequence', async () => {
    const world = createWorld({
      graph: createFakeGraph(({ query }) => {
        if (query['period'] !== 'day') return noSeries;
        const since = new Date(Number(query['since']) * 1000).toISOString().slice(0, 10);
        return series('reach', { [`${since}T23:00:00+0000`]: 1 });
      }),
    });
    const state = { ...yesterday, cursorMs: startMs - 50 * dayMs, sequence: 0 };
    const poll = pollOf(streams.user_insights, { state });

    await runPoll(poll, world, calm);

    expect(world.publisher.batches.map((batch) => batch.state.sequence)).toEqual([1, 2]);
    const cursors = world.publisher.batches.map((batch) => batch.state.cursorMs ?? 0);
    expect(cursors).toEqual([...cursors].sort((a, b) => a - b));
  });
});

describe('a retried poll', () => {
  // Invariant 7
  test('publishes only the records that the earlier attempts did not commit (Invariant 7)', async () => {
    const world = createWorld({
      graph: createFakeGraph(
        answersInTurn(
          pageOf([{ id: '1' }], 'A'),
          new RetryError('graph.server', 'HTTP 500'),
          pageOf([{ id: '1' }], 'A'),
          pageOf([{ id: '2' }]),
        ),
      ),
    });
    const tools = { ...world, settings: { ...world.settings, maxBatchRecords: 1 } };
    const poll = pollOf(posts);

    await expect(runPoll(poll, tools, calm)).rejects.toMatchObject({ code: 'graph.server' });
    expect(poll.state.sequence).toBe(1);
    await runPoll(poll, tools, calm);

    expect(keysOf(world.publisher.batches)).toEqual(['media 1', 'media 2']);
    expect(poll.state.sequence).toBe(2);
    expect(poll.tally.records).toBe(2);
  });

  test('publishes a day again when Meta corrected it between the attempts', async () => {
    let reach = 5;
    const world = createWorld({
      graph: createFakeGraph(({ query }) => {
        if (query['period'] === 'week' && reach === 6) return noSeries;
        return query['period'] === 'day'
          ? series('reach', { '2026-05-11T07:00:00+0000': reach })
          : noSeries;
      }),
    });
    const poll = pollOf(streams.user_insights, { state: yesterday });
    await runPoll(poll, world, calm);
    reach = 6;
    await runPoll(poll, world, calm);

    expect(world.publisher.batches.map(({ records }) => valueOf(records[0])['reach'])).toEqual([
      5, 6,
    ]);
    expect(poll.state.days.map((day) => day.reach)).toEqual([6]);
  });

  test('publishes a media again that changed between the attempts, in the mode "changes"', async () => {
    const world = createWorld({
      graph: createFakeGraph(
        answersInTurn(
          pageOf([{ id: '1', like_count: 5 }], 'A'),
          new RetryError('graph.server', 'HTTP 500'),
          pageOf([{ id: '1', like_count: 6 }]),
          pageOf([{ id: '1', like_count: 6 }]),
        ),
      ),
    });
    const settings = {
      ...world.settings,
      maxBatchRecords: 1,
      publish: { media: 'changes' } as const,
    };
    const tools = { ...world, settings };
    const poll = pollOf(posts);

    await expect(runPoll(poll, tools, calm)).rejects.toMatchObject({ code: 'graph.server' });
    await runPoll(poll, tools, calm);
    await runPoll(pollOf(posts, { state: poll.state }), tools, calm);

    const records = world.publisher.batches.flatMap((batch) => batch.records);
    expect(records.map((record) => valueOf(record)['like_count'])).toEqual([5, 6]);
  });

  test('deletes an object that an earlier attempt published and a later attempt finds missing', async () => {
    const world = createWorld({
      graph: createFakeGraph(
        answersInTurn(
          pageOf([{ id: '1' }], 'A'),
          new RetryError('graph.server', 'HTTP 500'),
          pageOf([{ id: '2' }]),
        ),
      ),
    });
    const settings = { ...world.settings, maxBatchRecords: 1, tombstones: true };
    const tools = { ...world, settings };
    const poll = pollOf(posts);

    await expect(runPoll(poll, tools, calm)).rejects.toMatchObject({ code: 'graph.server' });
    await runPoll(poll, tools, calm);

    const records = world.publisher.batches.flatMap((batch) => batch.records);
    expect(records.map(({ key, value }) => [key, value === null])).toEqual([
      ['1', false],
      ['2', false],
      ['1', true],
    ]);
  });

  test('keeps the state when the broker rejects the batch', async () => {
    const world = createWorld({ publisher: createFakePublisher(() => away) });
    const poll = pollOf(posts, { state: { ...firstState(posts), sequence: 41 } });

    await expect(runPoll(poll, world, calm)).rejects.toBe(away);

    expect(poll.state).toEqual({ ...firstState(posts), sequence: 41 });
    expect(poll.tally.records).toBe(0);
    expect(poll.published.size).toBe(0);
  });

  test('gives a rejected batch the same sequence again', async () => {
    const world = createWorld({
      publisher: createFakePublisher((_batch, index) => (index === 0 ? away : undefined)),
    });
    const poll = pollOf(posts);

    await expect(runPoll(poll, world, calm)).rejects.toBe(away);
    await runPoll(poll, world, calm);

    expect(world.publisher.tried.map((batch) => batch.state.sequence)).toEqual([1, 1]);
    expect(keysOf(world.publisher.batches)).toEqual(['media 1']);
  });
});

describe('a poll with a malformed response', () => {
  // Invariant 3
  test('dead-letters the body, publishes the pages before it, and fails (Invariant 3)', async () => {
    const world = createWorld({
      graph: createFakeGraph(answersInTurn(pageOf([{ id: '1' }], 'A'), { data: 'none' })),
    });
    const poll = pollOf(posts);

    await expect(runPoll(poll, world, calm)).rejects.toMatchObject({ code: 'graph.bad-body' });

    expect(world.publisher.batches).toHaveLength(1);
    expect(keysOf(world.publisher.batches)).toEqual([
      'media 1',
      'dead_letters media/17841400000000001',
    ]);
    expect(valueOf(world.publisher.batches[0]?.records[1])).toEqual({
      business_account_id: '17841400000000001',
      page_id: '100000000000001',
      polled_at: Date.UTC(2026, 4, 12, 12),
      stream: 'media',
      poll: 'media/17841400000000001/2026-05-12T12:00:00.000Z',
      code: 'graph.bad-body',
      message: 'field "data": expected a list, got string',
      path: 'data',
      raw: '{"data":"none","paging":null}',
      key: null,
    });
    expect(poll.tally).toMatchObject({ records: 1, deadLetters: 1 });
  });

  test('dead-letters a series without a valid part and keeps its cursors', async () => {
    const world = createWorld({ graph: createFakeGraph(() => ({ data: [{ name: 'reach' }] })) });
    const poll = pollOf(streams.user_insights, { state: yesterday });

    await runPoll(poll, world, calm);

    // `reach` of the day, the week and the 28 days.
    expect(keysOf(world.publisher.batches)).toEqual(
      Array<string>(3).fill('dead_letters user_insights/17841400000000001'),
    );
    const { cursorMs, coveredUntilMs } = yesterday;
    expect(poll.state).toMatchObject({ cursorMs, coveredUntilMs, days: [], sequence: 8 });
  });
});

describe('an aborted poll', () => {
  // Invariant 7
  test('sends and publishes nothing more when the abort comes between two pages (Invariant 7)', async () => {
    const stop = new AbortController();
    const world = createWorld({
      graph: createFakeGraph((_request, index) => {
        if (index === 1) stop.abort(new Error('stopping'));
        return pageOf([{ id: String(index) }], `c${index}`);
      }),
    });

    await expect(runPoll(pollOf(posts), world, stop.signal)).rejects.toThrow('stopping');

    expect(world.graph.requests).toHaveLength(2);
    expect(world.publisher.tried).toEqual([]);
  });
});
