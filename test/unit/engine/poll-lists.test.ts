import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../src/engine/errors.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createFakePublisher } from '../../support/fake-publisher.ts';
import { keysOf } from '../../support/json-encoder.ts';
import { calm, createWorld, dayMs, everyPoll, pollOf, sourceOf, posts } from './world.ts';

const away = new RetryError('kafka.unavailable', 'no broker answers');

describe('a poll that skips objects', () => {
  test('reports five objects of each reason, so that a frequent reason does not hide a rare one', async () => {
    const ids = Array.from({ length: 9 }, (_, index) => String(index + 1));
    const world = createWorld({
      graph: createFakeGraph(({ path }) => {
        if (!path.endsWith('/insights')) return pageOf(ids.map((id) => ({ id })));
        const id = path.split('/')[1] ?? '';
        if (id === '9') return { data: [] };
        return new SkipError(
          id === '8' ? 'graph.ambiguous' : 'graph.media-before-conversion',
          'rejected',
        );
      }),
    });
    const poll = pollOf(streams.media_insights);
    await runPoll(poll, world, calm);

    const named = poll.tally.leftOut.map(({ reason, subject }) => `${subject} ${reason}`);
    expect(poll.tally.skipped['graph.media-before-conversion']).toBe(7);
    expect(named.filter((one) => one.endsWith('conversion'))).toHaveLength(5);
    expect(named).toContain('8 graph.ambiguous');
  });
});

describe('a poll of a list that is scanned to its end once a day', () => {
  test('scans to the end again when the records of the scan were not committed (Invariant 3)', async () => {
    const old = '2026-01-01T00:00:00+0000';
    const list = [
      pageOf([{ id: '3', timestamp: old }], 'A'),
      pageOf([{ id: '2', timestamp: old }], 'B'),
      pageOf([{ id: '1', timestamp: old }]),
    ];
    const world = createWorld({
      graph: createFakeGraph(({ query }) => {
        const { after } = query;
        return list[after === undefined ? 0 : after === 'A' ? 1 : 2] ?? away;
      }),
      publisher: createFakePublisher((_batch, index) => (index === 0 ? away : undefined)),
    });
    const freshness = { ...everyPoll, wholeListMs: dayMs };
    const tools = { ...world, source: sourceOf({ freshness }) };
    const poll = pollOf(posts);

    await expect(runPoll(poll, tools, calm)).rejects.toBe(away);
    await runPoll(poll, tools, calm);
    expect(keysOf(world.publisher.batches)).toEqual(['media 3', 'media 2', 'media 1']);

    // Committed once, it is not due again before its time.
    await runPoll(pollOf(posts, { state: poll.state }), tools, calm);
    expect(world.graph.requests).toHaveLength(3 + 3 + 1);
  });

  test('scans to the end although media_insights has scanned the list before', async () => {
    const old = '2026-01-01T00:00:00+0000';
    const world = createWorld({
      graph: createFakeGraph(({ path, query }) => {
        if (path.endsWith('/insights')) return { data: [] };
        return query['after'] === undefined
          ? pageOf([{ id: '2', timestamp: old }], 'A')
          : pageOf([{ id: '1', timestamp: old }]);
      }),
    });
    const freshness = { ...everyPoll, wholeListMs: dayMs };
    const tools = { ...world, source: sourceOf({ freshness }) };

    await runPoll(pollOf(streams.media_insights), tools, calm);
    await runPoll(pollOf(posts), tools, calm);

    expect(keysOf(world.publisher.batches)).toEqual(['media 2', 'media 1']);
  });
});
