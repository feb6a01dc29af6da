import { describe, expect, test } from '@jest/globals';
import { DeadLetterError } from '../../../src/engine/errors.ts';
import {
  createFieldRules,
  type FieldRules,
  type Shape,
  type Treatment,
} from '../../../src/engine/field-rules.ts';
import type { Node } from '../../../src/engine/json.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import type { StreamState } from '../../../src/engine/state.ts';
import type { Stream } from '../../../src/engine/stream.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createJsonEncoder, valueOf } from '../../support/json-encoder.ts';
import {
  calm,
  createWorld,
  dayMs,
  firstState,
  pollOf,
  posts,
  startMs,
  type World,
} from './world.ts';

/** The rules of a record whose fields are texts or null. */
function rulesOf(paths: Readonly<Record<string, Treatment>>): FieldRules {
  const names = ['id', 'caption', 'like_count'];
  const shape: Shape = { kind: 'text' };
  const fields = new Map(names.map((name) => [name, { shape, isNullable: true }]));
  return createFieldRules(fields, new Map(Object.entries(paths)), (text) => `hash of ${text}`);
}

function worldWith(rules: FieldRules, changes: Partial<World>): World {
  const world = createWorld(changes);
  const fieldRules = { media: rules, user_insights: rules, user_daily_totals: rules };
  return { ...world, settings: { ...world.settings, publish: { media: 'changes' }, fieldRules } };
}

/** Polls once, and returns the values published and the state after the poll. */
async function pollWith(
  rules: FieldRules,
  changes: Partial<World>,
  { stream = posts, state = firstState(stream) }: { stream?: Stream; state?: StreamState } = {},
) {
  const world = worldWith(rules, changes);
  const poll = pollOf(stream, { state });
  await runPoll(poll, world, calm).catch(() => undefined);
  const records = world.publisher.batches.flatMap((batch) => batch.records);
  const valuesOf = (role: string) => records.filter((one) => one.role === role).map(valueOf);
  return { values: valuesOf(stream.name), letters: valuesOf('dead_letters'), state: poll.state };
}

const listing = (...nodes: readonly Node[]) => ({ graph: createFakeGraph(() => pageOf(nodes)) });

describe('poll of a stream with field rules', () => {
  test('publishes the replaced values', async () => {
    const rules = rulesOf({ caption: 'hash', like_count: 'exclude' });
    const { values } = await pollWith(rules, listing({ id: '1', caption: 'Ann', like_count: 3 }));

    expect(values).toEqual([
      expect.objectContaining({ id: '1', caption: 'hash of Ann', like_count: null }),
    ]);
  });

  test('publishes nothing when only an excluded field has changed', async () => {
    const rules = rulesOf({ caption: 'exclude' });
    const first = await pollWith(rules, listing({ id: '1', caption: 'a', like_count: 3 }));
    const { state } = first;
    const second = await pollWith(rules, listing({ id: '1', caption: 'b', like_count: 3 }), {
      state,
    });
    const third = await pollWith(rules, listing({ id: '1', caption: 'b', like_count: 4 }), {
      state,
    });

    expect([first, second, third].map(({ values }) => values.length)).toEqual([1, 0, 1]);
  });

  test('publishes a record again when a rule is added', async () => {
    const node = { id: '1', caption: 'a' };
    const { state } = await pollWith(rulesOf({ like_count: 'exclude' }), listing(node));
    const { values } = await pollWith(rulesOf({ caption: 'mask' }), listing(node), { state });

    expect(values).toEqual([expect.objectContaining({ caption: '[masked]' })]);
  });

  test('has no excluded value in the dead letter of a node, nor in that of a record', async () => {
    const rules = rulesOf({ caption: 'exclude' });
    const invalid = await pollWith(rules, listing({ id: '1', caption: 'Ann', like_count: 'many' }));
    const encoder = createJsonEncoder((role, value) =>
      role === 'media'
        ? new DeadLetterError('encoding.invalid', 'no', { path: '', raw: JSON.stringify(value) })
        : undefined,
    );
    const node = { id: '1', caption: 'Ann' };
    const unencoded = await pollWith(rules, { ...listing(node), encoder });

    expect(invalid.letters).toMatchObject([
      { path: 'like_count', raw: '{"id":"1","like_count":"many"}' },
    ]);
    expect(unencoded.letters).toEqual([
      expect.objectContaining({ raw: expect.stringContaining('"caption":null') as unknown }),
    ]);
  });

  test('has nothing of an unusable body in its dead letter', async () => {
    const error = new DeadLetterError('graph.bad-body', 'no JSON', { path: '', raw: '<Ann' });
    const rules = rulesOf({ caption: 'exclude' });
    const { letters } = await pollWith(rules, { graph: createFakeGraph(() => error) });

    expect(letters).toMatchObject([{ code: 'graph.bad-body', raw: '[removed: 4 characters]' }]);
  });

  test('has nothing of an entry of a list that is no node in its dead letter', async () => {
    const graph = createFakeGraph(() => ({ data: ['Ann', { id: '1' }] }));
    const { letters, values } = await pollWith(rulesOf({ caption: 'exclude' }), { graph });

    expect(values).toHaveLength(1);
    expect(letters).toMatchObject([{ path: 'data[0]', raw: '[removed: 5 characters]' }]);
  });
});

describe('poll of days with an excluded metric', () => {
  const date = '2026-05-11T07:00:00+0000';
  const dateMs = Date.UTC(2026, 4, 11, 7);
  const metric = (name: string, value: number) => ({ name, values: [{ value, end_time: date }] });
  const series = (...data: readonly Node[]) =>
    createFakeGraph(({ query }) => ({ data: query['period'] === 'day' ? [...data] : [] }));

  test('publishes no value of it that the state still has', async () => {
    const stream = streams.user_insights;
    const state = { ...firstState(stream), cursorMs: startMs - dayMs };
    const graph = series(metric('reach', 5), metric('follower_count', 1));
    const before = await pollWith(rulesOf({}), { graph }, { stream, state });
    const later = series(metric('reach', 6), metric('follower_count', 2));
    const rules = rulesOf({ reach: 'exclude' });
    const after = await pollWith(rules, { graph: later }, { stream, state: before.state });
    const unchanged = series(metric('reach', 7), metric('follower_count', 2));
    const last = await pollWith(rules, { graph: unchanged }, { stream, state: after.state });

    expect(before.values).toMatchObject([{ reach: 5, follower_count: 1 }]);
    expect(after.values).toMatchObject([{ reach: null, follower_count: 2 }]);
    expect(last.values).toEqual([]);
  });

  test('publishes no total of it that the state still has', async () => {
    const stream = streams.user_daily_totals;
    const graph = createFakeGraph(({ query }) => ({
      data: (query['metric'] ?? '')
        .split(',')
        .filter((name) => ['views', 'likes'].includes(name))
        .map((name) => ({ name, total_value: { value: 7 } })),
    }));
    const state = {
      ...firstState(stream),
      cursorMs: dateMs,
      totals: [{ dateMs, values: { views: 5, likes: 1 } }],
    };
    const { values } = await pollWith(rulesOf({ views: 'exclude' }), { graph }, { stream, state });

    expect(values.length).toBeGreaterThan(0);
    expect(values.find((value) => value['date'] === dateMs)).toMatchObject({ likes: 7 });
    expect(new Set(values.map(({ views }) => views))).toEqual(new Set([null]));
  });
});
