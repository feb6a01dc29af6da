import { describe, expect, test } from '@jest/globals';
import { RetryError } from '../../../src/engine/errors.ts';
import { isoSeconds } from '../../../src/engine/key.ts';
import type { Node } from '../../../src/engine/json.ts';
import type { Stream } from '../../../src/engine/stream.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import {
  calm,
  createWorld,
  dayMs,
  everyPoll,
  hourMs,
  minuteMs,
  photos,
  pollOf,
  posts,
  sourceOf,
  startMs,
} from './world.ts';

/** Entries of a list, of that age at the first poll. */
const entries = (count: number, ageMs = 7 * dayMs): readonly Node[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(index + 1),
    timestamp: isoSeconds(startMs - ageMs),
  }));

/** An account with tombstones, polled every hour; `list` is what the API lists. */
function setUp(stream: Stream, list: readonly Node[]) {
  const api = { list, mediaCount: null as number | null };
  const graph = createFakeGraph(({ path }) =>
    path.endsWith(`/${stream.list ?? ''}`)
      ? pageOf(api.list)
      : { id: '17841400000000001', media_count: api.mediaCount },
  );
  const fates: (Error | undefined)[] = [];
  const publisher = createFakePublisher(() => fates.shift());
  const world = createWorld({ graph, publisher });
  const newSource = () => sourceOf({ freshness: { ...everyPoll, wholeListMs: dayMs } });
  const publish = { [stream.name]: 'changes' } as const;
  const settings = { ...world.settings, tombstones: true, publish };
  const tools = { ...world, settings, source: newSource() };
  let last = pollOf(stream);
  return {
    api,
    fates,
    tools,
    telemetry: world.telemetry,
    state: () => last.state,
    /** Polls at that time and returns the ids that were deleted. */
    poll: async (atMs: number): Promise<readonly string[]> => {
      const before = publisher.batches.length;
      last = pollOf(stream, { state: last.state, startedMs: atMs, cycleMs: atMs });
      await runPoll(last, tools, calm);
      const records = publisher.batches.slice(before).flatMap((batch) => batch.records);
      return records.filter(({ value }) => value === null).map(({ key }) => key);
    },
    pollUsers: () => runPoll(pollOf(streams.users), tools, calm),
    /** Clears what the process has in memory. */
    restart: () => {
      tools.source = newSource();
    },
  };
}

const ids = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => String(first + index));

describe('a list that lacks many of the known objects', () => {
  test('deletes nothing when it is complete again at the next poll', async () => {
    const { api, poll, telemetry, state } = setUp(posts, entries(10));
    const deleted = [await poll(startMs)];
    api.list = [];
    deleted.push(await poll(startMs + dayMs));
    expect(state().truncationSuspectedMs).toBe(startMs + dayMs);
    api.list = entries(10);
    deleted.push(await poll(startMs + 2 * dayMs));

    expect(deleted).toEqual([[], [], []]);
    expect(telemetry.ofType('truncation-suspected')).toEqual([
      {
        type: 'truncation-suspected',
        stream: 'media',
        accountId: '17841400000000001',
        known: 10,
        missing: 10,
      },
    ]);
    expect(state().truncationSuspectedMs).toBeNull();
    // The fingerprints are kept, so that nothing is published again.
    expect(state().published.size).toBe(10);
  });

  test('is scanned again at the next poll, which deletes the objects that are missing twice', async () => {
    const { api, poll } = setUp(posts, entries(10));
    await poll(startMs);
    api.list = entries(5);

    expect(await poll(startMs + dayMs)).toEqual([]);
    expect(await poll(startMs + dayMs + hourMs)).toEqual(ids(6, 10));
    expect(await poll(startMs + 2 * dayMs)).toEqual([]);
  });

  test('is suspected of truncation by every retry of one poll, and the suspicion survives a restart', async () => {
    const { api, poll, fates, restart } = setUp(posts, entries(10));
    await poll(startMs);
    api.list = [...entries(2), { id: '99', timestamp: isoSeconds(startMs) }];
    fates.push(new RetryError('kafka.unavailable', 'away'));
    await expect(poll(startMs + dayMs)).rejects.toThrow('away');

    expect(await poll(startMs + dayMs)).toEqual([]);
    restart();
    expect(await poll(startMs + dayMs + hourMs)).toEqual(ids(3, 10));
  });

  test.each([
    [10, 6, ids(7, 10)],
    [8, 5, ids(6, 8)],
    [3, 1, ids(2, 3)],
  ])('is accepted as complete when it had %d entries and has %d', async (known, left, gone) => {
    const { api, poll, telemetry } = setUp(posts, entries(known));
    await poll(startMs);
    api.list = entries(left);

    expect(await poll(startMs + dayMs)).toEqual(gone);
    expect(telemetry.ofType('truncation-suspected')).toEqual([]);
  });

  test('is suspected of truncation when it is empty, even if it had one entry', async () => {
    const { api, poll } = setUp(posts, entries(1));
    await poll(startMs);
    api.list = [];

    expect(await poll(startMs + dayMs)).toEqual([]);
    expect(await poll(startMs + 2 * dayMs)).toEqual(['1']);
  });

  test("is suspected of truncation as long as the account's media count exceeds its length", async () => {
    const { api, poll, pollUsers } = setUp(posts, entries(10));
    await poll(startMs);
    api.list = [];
    api.mediaCount = 10;
    await pollUsers();
    const deleted = [await poll(startMs + hourMs), await poll(startMs + 2 * hourMs)];
    expect(deleted).toEqual([[], []]);
    api.mediaCount = 0;
    await pollUsers();

    expect(await poll(startMs + 3 * hourMs)).toEqual(ids(1, 10));
  });
});

describe('a list that the API truncates at 10,000 entries', () => {
  /** Newest first, an hour apart. */
  const newest = (first: number, count = 10_000): readonly Node[] =>
    Array.from({ length: count }, (_, index) => ({
      id: String(first - index),
      timestamp: isoSeconds(startMs - 90 * dayMs + (first - index) * hourMs),
    }));

  test.each([
    ['media', posts],
    ['photos', photos],
  ] as const)('keeps the %s that newer ones push out of the list', async (_name, stream) => {
    const { api, poll, state } = setUp(stream, newest(15_000));
    await poll(startMs);
    api.list = newest(15_002);

    expect(await poll(startMs + dayMs)).toEqual([]);
    expect(state().published.size).toBe(10_002);
  });

  test('deletes a missing entry that lies between listed entries', async () => {
    const { api, poll } = setUp(posts, newest(15_000));
    await poll(startMs);
    api.list = newest(15_002, 10_001).filter(({ id }) => id !== '14000');

    expect(await poll(startMs + dayMs)).toEqual(['14000']);
    expect(await poll(startMs + 2 * dayMs)).toEqual([]);
  });

  test('deletes nothing by a list scan of the previous process', async () => {
    const { api, poll, restart } = setUp(posts, newest(15_000));
    await poll(startMs);
    restart();
    api.list = newest(15_002, 10_001).filter(({ id }) => id !== '14000');

    expect(await poll(startMs + dayMs)).toEqual([]);
  });

  test("is treated as truncated when it is shorter than 10,000 entries and the account's media count is higher", async () => {
    const { api, poll, pollUsers } = setUp(posts, newest(15_000, 20));
    api.mediaCount = 15_000;
    await pollUsers();
    await poll(startMs);
    api.list = newest(15_002, 20);

    expect(await poll(startMs + hourMs)).toEqual([]);
  });
});

describe('stories', () => {
  test('are deleted at once, all together, when they disappear after a day', async () => {
    const { api, poll, telemetry } = setUp(streams.stories, entries(10, hourMs));
    await poll(startMs);
    api.list = [];

    expect(await poll(startMs + 23 * hourMs)).toEqual(ids(1, 10));
    expect(telemetry.ofType('truncation-suspected')).toEqual([]);
  });

  test('are deleted at the second poll without them when they disappear within a day', async () => {
    const { api, poll } = setUp(streams.stories, entries(10, hourMs));
    await poll(startMs);
    api.list = [];

    expect(await poll(startMs + 15 * minuteMs)).toEqual([]);
    expect(await poll(startMs + 30 * minuteMs)).toEqual(ids(1, 10));
  });

  test('are deleted at once when they were last listed a day before a restart', async () => {
    const { api, poll, restart } = setUp(streams.stories, entries(10, hourMs));
    await poll(startMs);
    api.list = [];
    restart();

    expect(await poll(startMs + dayMs)).toEqual(ids(1, 10));
  });
});
