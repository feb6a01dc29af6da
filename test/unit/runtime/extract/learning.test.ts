import { describe, expect, test } from '@jest/globals';
import { SkipError } from '../../../../src/core/errors.ts';
import { keyNumber } from '../../../../src/core/fingerprint.ts';
import { emptyMemory } from '../../../../src/core/state.ts';
import type { Freshness } from '../../../../src/runtime/extraction.ts';
import { everyPoll, dayMs, hourMs, startMs } from '../world.ts';
import { asks, graphOf, idsIn, mediaOf, poll } from './isolating.ts';

const refusal = new SkipError('graph.metric-refused', 'no', ['shares']);

/** Media by their place in the list, the newest being 0. */
const refusing = (count: number, refuses: (place: number) => boolean) =>
  graphOf(mediaOf(count), (request) =>
    asks(request, 'shares') && idsIn(request).some((id) => refuses(Number(id) - 1000))
      ? refusal
      : undefined,
  );

/** The places of those that have the metric. */
const having = (nodes: readonly Readonly<Record<string, unknown>>[]) =>
  nodes
    .filter((node) => node['shares'] === 1)
    .map(({ id }) => Number(id) - 1000)
    .toSorted((a, b) => a - b);

const places = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('a row of media that refuse a metric', () => {
  test('says nothing of older ones that have it', async () => {
    const { nodes } = await poll(refusing(100, (place) => place < 12));

    expect(having(nodes)).toEqual(places(12, 100));
  });

  test('says nothing of newer ones that have it, and all of the older ones', async () => {
    const graph = refusing(400, (place) => place >= 60);
    const { nodes, requests, memory } = await poll(graph);
    const later = await poll(graph, memory, startMs + hourMs);

    expect(having(nodes)).toEqual(places(0, 60));
    expect(nodes).toHaveLength(400);
    expect(requests).toBeLessThan(60);
    expect(later.requests).toBeLessThan(15);
    expect(later.skipped).toEqual([]);
    expect(having(later.nodes)).toEqual(places(0, 60));
    const date = `${new Date(startMs - 60 * dayMs).toISOString().slice(0, 19)}Z`;
    expect(memory.refusals.map(({ subject }) => subject)).toContain(`FEED/IMAGE<=${date}`);
  });

  test('says nothing of newer ones that are not asked in this poll', async () => {
    const graph = refusing(400, (place) => place >= 60);
    const published = new Map(places(0, 400).map((one) => [keyNumber(String(1000 + one)), 1n]));
    // What is older than 60 days is due, and the newer rest was read a moment ago.
    const freshness: Freshness = {
      ...everyPoll,
      tiers: [
        { untilAgeMs: 60 * dayMs, everyMs: 1000 * dayMs },
        { untilAgeMs: Infinity, everyMs: 0 },
      ],
    };
    const memory = { ...emptyMemory, published, polledMs: startMs - 1 };
    const found = await poll(graph, memory, { freshness });
    const later = await poll(graph, found.memory, startMs + hourMs);

    expect(found.nodes).toHaveLength(340);
    expect(having(later.nodes)).toEqual(places(0, 60));
  });

  test('says so of all when the newest, the oldest and one between refuse it as well', async () => {
    const { memory, requests } = await poll(refusing(400, () => true));

    expect(memory.refusals.map(({ subject }) => subject)).toContain('FEED/IMAGE');
    expect(requests).toBeLessThan(45);
  });

  test('asks those first that were published before, whose values are known', async () => {
    // All of the list refuse it but the one of which something is known, and that may have it.
    const graph = refusing(100, (place) => place !== 37);
    const published = new Map([[keyNumber('1037'), 1n]]);
    const { nodes } = await poll(graph, { ...emptyMemory, published });

    expect(having(nodes)).toEqual([37]);
    expect(nodes).toHaveLength(100);
  });

  test('is asked for again after a week by one media for all, and comes back', async () => {
    let from = 60;
    const graph = refusing(400, (place) => place >= from);
    const first = await poll(graph);
    const still = await poll(graph, first.memory, startMs + 8 * dayMs);
    from = 400;
    const back = await poll(graph, still.memory, startMs + 16 * dayMs);

    expect(still.skipped).toEqual([]);
    expect(having(still.nodes)).toEqual(places(0, 60));
    expect(having(back.nodes)).toEqual(places(0, 400));
    expect(back.memory.refusals).toEqual([]);
  });
});
