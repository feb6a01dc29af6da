import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../src/engine/errors.ts';
import { isoSeconds } from '../../../src/engine/key.ts';
import type { Node } from '../../../src/engine/json.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import type { StreamState } from '../../../src/engine/state.ts';
import type { WebhookChange } from '../../../src/engine/webhooks.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { calm, createWorld, dayMs, hourMs, minuteMs, pollOf, sourceOf, startMs } from './world.ts';

const stream = streams.story_insights;
const few = new SkipError('graph.not-enough-viewers', 'Not enough viewers');

interface Options {
  readonly publish?: 'changes' | 'always';
  readonly waitMs?: number;
  readonly maxBatchRecords?: number;
}

/** An account with tombstones; the test lists stories and moves their views, null for too few. */
function setUp({ publish = 'changes', waitMs = 0, maxBatchRecords = 500 }: Options = {}) {
  const views = new Map<string, number | null>();
  const listed = new Map<string, number>();
  const invalid: Node[] = [];
  const graph = createFakeGraph(({ path }) => {
    if (path.endsWith('/stories')) {
      const nodes = [...listed].map(([id, ms]) => ({ id, timestamp: isoSeconds(ms) }));
      return pageOf([...nodes, ...invalid]);
    }
    const value = views.get(path.split('/')[1] ?? '') ?? null;
    return value === null ? few : { data: [{ name: 'views', values: [{ value }] }] };
  });
  const fates: (Error | undefined)[] = [];
  const publisher = createFakePublisher(() => fates.shift());
  const world = createWorld({ graph, publisher });
  const newSource = () => sourceOf({ storyFinalWaitMs: waitMs });
  const settings = {
    ...world.settings,
    maxBatchRecords,
    tombstones: true,
    publish: { [stream.name]: publish },
  };
  let tools = { ...world, settings, source: newSource() };
  let last = pollOf(stream);
  let committed: StreamState = last.state;
  return {
    fates,
    invalid,
    publisher,
    state: () => committed,
    /** Lists stories that were posted at the start, with that many views; null for too few. */
    list: (stories: Readonly<Record<string, number | null>>, postedMs = startMs) => {
      listed.clear();
      for (const [id, count] of Object.entries(stories)) {
        listed.set(id, postedMs);
        views.set(id, count);
      }
    },
    /** Polls at an age of the stories and returns the records, in their order. */
    poll: async (
      ageMs: number,
      changes?: readonly WebhookChange[],
    ): Promise<readonly (Node | string)[]> => {
      const before = publisher.batches.length;
      const startedMs = startMs + ageMs;
      last = pollOf(stream, { state: last.state, startedMs, cycleMs: startedMs, changes });
      await runPoll(last, tools, calm);
      const batches = publisher.batches.slice(before);
      committed = batches.at(-1)?.state ?? committed;
      return batches
        .flatMap((batch) => batch.records)
        .filter(({ role }) => role === stream.name)
        .map(({ key, value }) => (value === null ? `${key} gone` : summaryOf(value)));
    },
    /** Another instance continues from the last committed state. */
    restart: () => {
      tools = { ...tools, source: newSource() };
      last = pollOf(stream, { state: committed });
    },
  };
}

function summaryOf(value: Buffer): Node {
  const record = JSON.parse(value.toString()) as Node;
  const { id = null, views = null, is_final: final = null, not_final_reason: reason } = record;
  return { id, views, final, ...(reason !== null && reason !== undefined && { reason }) };
}

/** The webhook of a story's end, with these views; -1 stands for fewer than five. */
const ended = (id: string, impressions: number): WebhookChange => ({
  key: `1/story_insights/${id}`,
  accountId: '1',
  stream: stream.name,
  field: 'story_insights',
  sentMs: startMs + dayMs,
  value: { media_id: id, impressions, reach: -1 },
});

const live = (id: string, views: number) => ({ id, views, final: false });
const final = (id: string, views: number) => ({ id, views, final: true });

describe('the last record of a story', () => {
  test('is final, is published once in the transaction of its state, and comes before the tombstone', async () => {
    const { list, poll, publisher, state } = setUp();
    list({ 1: 5, 2: 6 });
    const records = [await poll(hourMs)];
    list({ 1: 7, 2: 6 });
    records.push(await poll(23.75 * hourMs));
    list({});
    records.push(await poll(dayMs));
    const batches = publisher.batches.length;
    records.push(await poll(dayMs + hourMs / 4), await poll(2 * dayMs));

    expect(records).toEqual([
      [live('1', 5), live('2', 6)],
      [live('1', 7)],
      [final('1', 7), final('2', 6), '1 gone', '2 gone'],
      [],
      [],
    ]);
    expect(publisher.batches).toHaveLength(batches);
    expect(state().stories).toMatchObject([
      { id: '1', outcome: 'final', untilMs: startMs + 4 * dayMs },
      { id: '2', outcome: 'final' },
    ]);
  });

  test('says when its values were measured, also when they did not change since', async () => {
    const { list, poll, publisher } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    await poll(23.75 * hourMs);
    list({});
    await poll(dayMs);

    const { value } = publisher.batches.at(-1)?.records[0] ?? {};
    expect(JSON.parse(String(value))).toMatchObject({
      timestamp: startMs,
      polled_at: startMs + dayMs,
      measured_at: startMs + 23.75 * hourMs,
      final_source: 'poll',
    });
  });

  test.each([
    ['one poll later', 25 * hourMs],
    ['days later', 9 * dayMs],
  ])(
    'is published by another instance %s, when none ran at the end of the story',
    async (_when, ageMs) => {
      const { list, poll, restart } = setUp();
      list({ 1: 5, 2: null });
      await poll(hourMs);
      list({});
      restart();

      expect(await poll(ageMs)).toEqual([
        final('1', 5),
        { id: '2', views: null, final: false, reason: 'too-few-viewers' },
        '1 gone',
        '2 gone',
      ]);
      restart();
      expect(await poll(ageMs + hourMs)).toEqual([]);
    },
  );

  test('is published by the retry of a transaction that failed, and only by it (Invariant 1)', async () => {
    const { list, poll, fates, restart } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    list({});
    fates.push(new RetryError('kafka.unavailable', 'away'));
    await expect(poll(dayMs)).rejects.toThrow('away');
    restart();

    expect(await poll(dayMs + hourMs)).toEqual([final('1', 5), '1 gone']);
    restart();
    expect(await poll(dayMs + 2 * hourMs)).toEqual([]);
  });

  test('is published once where every poll publishes all records, in batches of one', async () => {
    const { list, poll } = setUp({ publish: 'always', maxBatchRecords: 1 });
    list({ 1: 5, 2: 6 });
    const records = [await poll(hourMs), await poll(2 * hourMs)];
    list({ 2: 6 });
    records.push(await poll(dayMs), await poll(dayMs + hourMs / 4));

    expect(records).toEqual([
      [live('1', 5), live('2', 6)],
      [live('1', 5), live('2', 6)],
      [live('2', 6), final('1', 5), '1 gone'],
      [live('2', 6)],
    ]);
  });

  test('is due by the age of the story alone while the list cannot be read whole', async () => {
    const { list, poll, invalid } = setUp({ publish: 'always', maxBatchRecords: 1 });
    invalid.push({ caption: 'a story without an id' });
    list({ 1: 5, 2: 6, 3: null });
    await poll(hourMs);
    list({ 2: 6 });
    // The stories of earlier lists count as listed, so they are requested again.
    expect(await poll(2 * hourMs)).toEqual([live('2', 6), live('1', 5)]);

    expect(await poll(dayMs + hourMs)).toEqual([
      final('1', 5),
      final('2', 6),
      { id: '3', views: null, final: false, reason: 'too-few-viewers' },
    ]);
    expect(await poll(dayMs + 2 * hourMs)).toEqual([]);
  });

  test('is not due while the story is listed, whatever the clock says', async () => {
    const { list, poll } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    list({ 1: 8 });

    expect(await poll(dayMs + minuteMs)).toEqual([live('1', 8)]);
    list({});
    expect(await poll(dayMs + hourMs / 4)).toEqual([final('1', 8), '1 gone']);
  });

  test('waits for the webhook where webhooks are on, and the tombstone waits too', async () => {
    const { list, poll } = setUp({ waitMs: hourMs });
    list({ 1: 5 });
    await poll(hourMs);
    list({});

    expect(await poll(dayMs)).toEqual([]);
    expect(await poll(dayMs + hourMs / 2)).toEqual([]);
    expect(await poll(dayMs + hourMs)).toEqual([final('1', 5), '1 gone']);
  });

  test('is not final for a story that never had five viewers, and says so', async () => {
    const { list, poll, state } = setUp();
    list({ 1: null, 2: null });
    expect(await poll(hourMs)).toEqual([]);
    // A later instance knows them.
    expect(state().stories).toMatchObject([{ id: '1', fewViewers: true }, { id: '2' }]);
    list({ 1: null, 2: 9 });
    expect(await poll(2 * hourMs)).toEqual([live('2', 9)]);
    list({});

    expect(await poll(dayMs)).toEqual([
      { id: '1', views: null, final: false, reason: 'too-few-viewers' },
      final('2', 9),
      '1 gone',
      '2 gone',
    ]);
  });
});

describe('the final record of a story by a webhook', () => {
  test('is published once, and removes its change from the inbox in the same transaction', async () => {
    const { list, poll, publisher, restart } = setUp({ waitMs: hourMs });
    list({ 1: 5, 2: 6 });
    await poll(hourMs);
    list({});
    await poll(dayMs);

    expect(await poll(dayMs + minuteMs, [ended('1', 8), ended('2', 1)])).toEqual([
      final('1', 8),
      final('2', 6),
    ]);
    expect(publisher.batches.at(-1)?.records.map(({ role }) => role)).toEqual([
      ...[stream.name, stream.name, 'webhooks', 'webhooks'],
    ]);
    restart();
    expect(await poll(dayMs + 2 * minuteMs, [ended('1', 9)])).toEqual([]);
    expect(await poll(dayMs + hourMs / 4)).toEqual(['1 gone', '2 gone']);
    expect(await poll(dayMs + 2 * hourMs, [ended('1', 9)])).toEqual([]);
  });

  test('waits in the inbox while the 24 hours of the story last, and has the values read since', async () => {
    const { list, poll, publisher } = setUp({ waitMs: hourMs });
    list({ 1: 5 });
    await poll(hourMs);
    const early = { ...ended('1', 8), sentMs: startMs + hourMs };

    expect(await poll(2 * hourMs, [early])).toEqual([]);
    list({ 1: 6 });
    expect(await poll(23 * hourMs)).toEqual([live('1', 6)]);
    expect(await poll(dayMs - minuteMs, [early])).toEqual([]);
    // A poll of a report that waits writes nothing.
    expect(publisher.batches).toHaveLength(2);

    expect(await poll(dayMs, [early])).toEqual([final('1', 8)]);
    const [record, removal] = publisher.batches.at(-1)?.records ?? [];
    expect(removal).toMatchObject({ key: early.key, value: null });
    // The record has values of a later time than the webhook.
    expect(JSON.parse(String(record?.value))).toMatchObject({
      measured_at: startMs + 23 * hourMs,
      final_source: 'webhook',
    });
  });

  test('is the last one, also when the API lists the story a little longer', async () => {
    const { list, poll } = setUp({ publish: 'always', waitMs: hourMs });
    list({ 1: 5 });
    await poll(hourMs);

    expect(await poll(dayMs, [ended('1', 8)])).toEqual([final('1', 8)]);
    expect(await poll(dayMs + minuteMs)).toEqual([]);
    list({});
    expect(await poll(dayMs + 2 * hourMs)).toEqual(['1 gone']);
  });

  test('is published for a story that was never polled, and not after the one of the polls', async () => {
    const { list, poll } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    list({});

    expect(await poll(dayMs)).toEqual([final('1', 5), '1 gone']);
    expect(await poll(dayMs + hourMs, [ended('1', 9), ended('7', 9), ended('8', -1)])).toEqual([
      final('7', 9),
      { id: '8', views: null, final: false, reason: 'too-few-viewers' },
    ]);
  });
});

describe('a story that disappears before its end', () => {
  const deleted = (id: string, views: number | null) => ({
    id,
    views,
    final: false,
    reason: 'deleted',
  });

  test('gets a record that is not final, with its last values, once', async () => {
    const { list, poll } = setUp();
    list({ 1: 5, 2: 6 });
    await poll(hourMs);
    list({ 2: 6 });

    expect(await poll(2 * hourMs)).toEqual([deleted('1', 5), '1 gone']);
    expect(await poll(3 * hourMs)).toEqual([]);
    list({});
    expect(await poll(dayMs)).toEqual([final('2', 6), '2 gone']);
  });

  test.each([
    ['with values', 5],
    ['under five viewers', null],
  ])(
    'is not deleted before a second list confirms that it is empty: one %s',
    async (_case, views) => {
      const { list, poll, restart } = setUp();
      list({ 1: views });
      await poll(hourMs);
      list({});
      expect(await poll(2 * hourMs)).toEqual([]);
      restart();

      expect(await poll(2.25 * hourMs)).toEqual([deleted('1', views), '1 gone']);
      expect(await poll(dayMs)).toEqual([]);
    },
  );

  test('is deleted with its tombstone when new stories keep the list from looking truncated', async () => {
    const { list, poll } = setUp();
    list({ 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8 });
    await poll(hourMs);
    list({ 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10 });

    expect(await poll(2 * hourMs)).toEqual([
      live('9', 9),
      live('10', 10),
      ...['1', '2', '3', '4'].map((id) => deleted(id, Number(id))),
      ...['1', '2', '3', '4'].map((id) => `${id} gone`),
    ]);
  });

  test('continues, and is final at its end, when an empty list was a false alarm', async () => {
    const { list, poll } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    list({});
    await poll(2 * hourMs);
    list({ 1: 6 });
    expect(await poll(3 * hourMs)).toEqual([live('1', 6)]);
    list({});

    expect(await poll(dayMs)).toEqual([final('1', 6), '1 gone']);
  });

  test('continues, and is final at its end, when it is listed again', async () => {
    const { list, poll } = setUp();
    list({ 1: 5, 2: 6 });
    await poll(hourMs);
    list({ 2: 6 });
    await poll(2 * hourMs);
    list({ 1: 5, 2: 6 });
    expect(await poll(3 * hourMs)).toEqual([live('1', 5)]);
    list({});

    expect(await poll(dayMs)).toEqual([final('1', 5), final('2', 6), '2 gone', '1 gone']);
  });

  test('is ended when its end has passed before the deletion is confirmed', async () => {
    const { list, poll } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    list({});
    await poll(23.75 * hourMs);

    expect(await poll(dayMs)).toEqual([final('1', 5), '1 gone']);
  });
});

describe('the state of stories', () => {
  test('has the values of stories in the transaction of their records (Invariant 1)', async () => {
    const { list, poll, publisher } = setUp({ maxBatchRecords: 1 });
    list({ 1: 5 });
    await poll(hourMs);

    expect(publisher.batches).toHaveLength(1);
    expect(publisher.batches[0]?.state.stories).toMatchObject([{ id: '1', values: { views: 5 } }]);
  });

  test('is not written by a poll without changes', async () => {
    const { list, poll, publisher } = setUp();
    list({ 1: 5, 2: null });
    await poll(hourMs);
    await poll(2 * hourMs);
    await poll(3 * hourMs);

    expect(publisher.batches).toHaveLength(1);
  });

  test('forgets a story 72 hours after its end', async () => {
    const { list, poll, state } = setUp();
    list({ 1: 5 });
    await poll(hourMs);
    list({});
    await poll(dayMs);
    list({ 3: 5 }, startMs + 4 * dayMs - hourMs);
    await poll(4 * dayMs);

    expect(state().stories.map(({ id }) => id)).toEqual(['3']);
  });
});
