import { describe, expect, test } from '@jest/globals';
import { FailError, RetryError, SkipError } from '../../../../src/core/errors.ts';
import type { Node } from '../../../../src/core/json.ts';
import { emptyMemory } from '../../../../src/core/state.ts';
import type { Memory } from '../../../../src/core/state.ts';
import type { FakeGraph } from '../../../support/fake-graph.ts';
import { dayMs, hourMs, startMs } from '../world.ts';
import { asks, graphOf, idsIn, mediaOf, poll } from './isolating.ts';

const failed = new RetryError('graph.server', '(#1) An unknown error has occurred.');
const denied = new FailError('graph.permission', '(#10) no permission');
/** At most 2·log2(50) + 2. */
const bound = Math.floor(2 * Math.log2(50)) + 2;

const failing = (error: Error, listed: readonly Node[], ...ids: readonly string[]) =>
  graphOf(listed, (request) => (idsIn(request).some((id) => ids.includes(id)) ? error : undefined));

/** A poll's tries, as its poller makes them: again while it fails. */
async function tries(graph: FakeGraph, memory: Memory = emptyMemory, nowMs: number = startMs) {
  const failures = new Map<string, number>();
  let requests = 0;
  for (let attempt = 1; ; attempt += 1) {
    const tried = await poll(graph, memory, { nowMs, failures });
    requests += tried.requests;
    const isOver = tried.error === undefined || attempt === 5;
    if (isOver) return { ...tried, attempt, requests };
  }
}

describe('a media for which the server always fails', () => {
  const places = ['1000', '1001', '1024', '1049'];

  test.each(places)('(%s) is left out after three tries, and all others arrive', async (id) => {
    const { error, attempt, ids, skipped, requests } = await tries(
      failing(failed, mediaOf(50), id),
    );

    expect(error).toBeUndefined();
    expect(attempt).toBe(3);
    expect(ids.toSorted()).toEqual(
      mediaOf(50)
        .map((node) => node['id'])
        .filter((one) => one !== id),
    );
    expect(skipped).toEqual([{ reason: 'graph.server', subject: id }]);
    expect(requests - 3).toBeLessThanOrEqual(bound);
  });

  test('costs no request for an hour, then one, then none for a day', async () => {
    const graph = failing(failed, mediaOf(50), '1017');
    const first = await tries(graph);
    const soon = await tries(graph, first.memory, startMs + hourMs / 2);
    const again = await tries(graph, soon.memory, startMs + hourMs);
    const later = await tries(graph, again.memory, startMs + 20 * hourMs);
    const nextDay = await tries(graph, later.memory, startMs + 26 * hourMs);
    const found = [soon, again, later, nextDay];

    expect(found.map(({ requests }) => requests)).toEqual([1, 2, 1, 2]);
    expect(found.map(({ attempt, ids }) => [attempt, ids.length])).toEqual(Array(4).fill([1, 49]));
  });

  test('comes back by itself, and is asked with the others then', async () => {
    const first = await tries(failing(failed, mediaOf(50), '1017'));
    const graph = failing(failed, mediaOf(50));
    const again = await tries(graph, first.memory, startMs + hourMs);
    const later = await tries(graph, again.memory, startMs + 2 * hourMs);

    expect([again.ids.length, later.ids.length]).toEqual([50, 50]);
    expect([again.requests, later.requests]).toEqual([2, 1]);
    expect(again.memory.refusals).toEqual([]);
  });

  test('is one of several, that are all found at the third try', async () => {
    const ids = ['1003', '1060', '1110', '1111', '1190'];
    const { error, attempt, nodes, skipped } = await tries(failing(failed, mediaOf(200), ...ids));

    expect(error).toBeUndefined();
    expect(attempt).toBe(3);
    expect(nodes).toHaveLength(195);
    expect(skipped.map(({ subject }) => subject).toSorted()).toEqual(ids);
  });

  test('is found among refusals of other kinds, that are found first', async () => {
    const gone = new SkipError('graph.ambiguous', 'gone', ['1005']);
    const unknown = new SkipError('graph.metric-unknown', 'no', ['views']);
    const graph = graphOf(mediaOf(50), (request) => {
      const ids = idsIn(request);
      if (ids.includes('1011')) return failed;
      if (asks(request, 'views')) return unknown;
      if (ids.includes('1005')) return gone;
      return ids.includes('1030') ? denied : undefined;
    });
    const { error, attempt, ids } = await tries(graph);

    expect([error, attempt, ids.length]).toEqual([undefined, 3, 47]);
  });

  test('is tried as any request first where it is asked alone', async () => {
    const listed: readonly Node[] = [
      {
        id: '1',
        media_type: 'VIDEO',
        media_product_type: 'REELS',
        timestamp: '2026-05-01T00:00:00+0000',
      },
      ...mediaOf(10),
    ];
    const { attempt, ids, skipped } = await tries(failing(failed, listed, '1'));

    expect(attempt).toBe(3);
    expect(ids).toHaveLength(10);
    expect(skipped).toEqual([{ reason: 'graph.server', subject: '1' }]);
  });

  test('is told from a server that fails for all: nobody is left out, and little is asked', async () => {
    const graph = graphOf(mediaOf(120), () => failed);
    const { error, memory, requests } = await tries(graph);

    expect(error).toBe(failed);
    expect(memory.refusals).toEqual([]);
    // Three others are asked alone at each try from the third on.
    expect(requests).toBe(5 + 3 * 3);
  });

  test('is told from trouble that passes', async () => {
    let count = 0;
    const graph = graphOf(mediaOf(50), () => {
      count += 1;
      return count < 3 ? failed : undefined;
    });
    const { attempt, ids, memory } = await tries(graph);

    expect([attempt, ids.length, memory.refusals]).toEqual([3, 50, []]);
  });
});

describe('media that may not be read', () => {
  test('are left out when others may, in one try', async () => {
    const graph = failing(denied, mediaOf(50), '1000', '1030');
    const first = await tries(graph);
    const later = await tries(graph, first.memory, startMs + dayMs / 2);

    expect(first).toMatchObject({ error: undefined, attempt: 1 });
    expect([first.ids.length, later.ids.length, later.requests]).toEqual([48, 48, 1]);
    expect(first.requests - 1).toBeLessThanOrEqual(2 * bound);
    expect(first.skipped.map(({ reason }) => reason)).toEqual([
      'graph.permission',
      'graph.permission',
    ]);
  });

  test('are asked again after a day, then after a week', async () => {
    const graph = failing(denied, mediaOf(50), '1030');
    const first = await tries(graph);
    const again = await tries(graph, first.memory, startMs + dayMs);
    const later = await tries(graph, again.memory, startMs + 7 * dayMs);

    // The others, the one, and another that shows that it is the one's fault.
    expect([again.requests, later.requests]).toEqual([3, 1]);
  });

  test('stop the stream when single ones may not be read either', async () => {
    const { error, requests, memory } = await poll(graphOf(mediaOf(120), () => denied));

    expect(error).toBe(denied);
    expect(requests).toBe(4);
    expect(memory.refusals).toEqual([]);
  });

  test('stop the stream when the permission is taken away during the poll', async () => {
    let asked = 0;
    const graph = graphOf(mediaOf(400), () => {
      asked += 1;
      return asked > 2 ? denied : undefined;
    });
    const { error, requests, memory } = await poll(graph);

    expect(error).toBe(denied);
    expect(requests).toBeLessThan(20);
    expect(memory.refusals).toEqual([]);
  });

  test('stop the stream of an account that has but one', async () => {
    expect((await poll(graphOf(mediaOf(1), () => denied))).error).toBe(denied);
  });
});

describe('a trial of a metric that was refused', () => {
  test.each([
    ['fails', failed],
    ['may not be made', denied],
  ])('that %s leaves the poll alone', async (_what, error) => {
    const refusal = {
      subject: '1000',
      metric: 'shares',
      reason: 'graph.metric-refused',
      untilMs: startMs - 1,
    } as const;
    const graph = graphOf(mediaOf(5), (request) =>
      request.query['fields'] === 'insights.metric(shares)' ? error : undefined,
    );
    const { ids } = await poll(graph, { ...emptyMemory, refusals: [refusal] });

    expect(ids).toHaveLength(5);
  });
});
