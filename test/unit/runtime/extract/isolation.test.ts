import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RetryError, SkipError } from '../../../../src/core/errors.ts';
import { dayMs, hourMs, startMs } from '../world.ts';
import type { FakeGraph } from '../../../support/fake-graph.ts';
import { asked, asks, graphOf, idsIn, mediaOf, poll } from './isolating.ts';

describe('media from before the conversion to a business account', () => {
  const refusal = new SkipError('graph.media-before-conversion', 'Invalid parameter');
  const refusing = (count: number, from: number) =>
    graphOf(mediaOf(count), (request) =>
      idsIn(request).some((id) => Number(id) >= 1000 + from) ? refusal : undefined,
    );

  test('are found within 2·log2(50) + 2 further requests, wherever they begin and however many', async () => {
    for (let from = 0; from < 50; from += 1) {
      const { ids, requests } = await poll(refusing(50, from));

      expect(ids).toHaveLength(from);
      expect(requests - 1).toBeLessThanOrEqual(Math.floor(2 * Math.log2(50)) + 2);
    }
  });

  test('cost no request ever after, and older media that come to light none either', async () => {
    const graph = refusing(120, 30);
    const first = await poll(graph);
    const later = await poll(graph, first.memory, startMs + hourMs);

    expect(first.ids).toHaveLength(30);
    expect(later.ids).toHaveLength(30);
    expect(later.requests).toBe(1);
    expect(later.skipped).toEqual([]);
  });
});

describe('one media that is gone or hidden', () => {
  const refusing = (named: boolean) =>
    graphOf(mediaOf(50), (request) =>
      idsIn(request).includes('1017')
        ? new SkipError('graph.ambiguous', 'gone', named ? ['1017'] : [])
        : undefined,
    );

  test('costs one further request when the API names it', async () => {
    const { ids, requests } = await poll(refusing(true));

    expect(ids).toHaveLength(49);
    expect(requests).toBe(2);
  });

  test('is asked once more an hour later, then for a week no more', async () => {
    const graph = refusing(true);
    const first = await poll(graph);
    const soon = await poll(graph, first.memory, startMs + hourMs / 2);
    const again = await poll(graph, soon.memory, startMs + hourMs);
    const late = await poll(graph, again.memory, startMs + 6 * dayMs);
    const later = await poll(graph, late.memory, startMs + 8 * dayMs);

    expect([first, soon, again, late, later].map(({ requests }) => requests)).toEqual([
      2, 1, 2, 1, 2,
    ]);
  });
});

describe('a metric that one media refuses', () => {
  const refusal = new SkipError('graph.metric-refused', 'no', ['shares']);
  const refusing = (...ids: readonly string[]) =>
    graphOf(mediaOf(50), (request) =>
      asks(request, 'shares') && idsIn(request).some((id) => ids.includes(id))
        ? refusal
        : undefined,
    );

  test('is left out for that media alone; all else arrives', async () => {
    const { nodes, requests, skipped } = await poll(refusing('1017'));

    expect(nodes.filter((node) => node['shares'] === 1)).toHaveLength(49);
    expect(nodes.find(({ id }) => id === '1017')).toMatchObject({ reach: 1, saved: 1 });
    expect(skipped).toEqual([{ reason: 'graph.metric-refused', subject: '1017 shares' }]);
    expect(requests - 1).toBeLessThanOrEqual(Math.floor(2 * Math.log2(50)) + 2);
  });

  test('is not asked of it for a week, then again', async () => {
    const graph = refusing('1017');
    const first = await poll(graph);
    const later = await poll(graph, first.memory, startMs + 6 * dayMs);
    const afterwards = await poll(graph, later.memory, startMs + 8 * dayMs);

    expect(later.requests).toBe(2);
    expect(later.ids).toHaveLength(50);
    // The metric alone of that media alone, then as before.
    expect(afterwards.requests).toBe(3);
    expect(afterwards.memory.refusals).toMatchObject([{ untilMs: startMs + 15 * dayMs }]);
  });

  test('comes back by itself for all that refused it when one of them has it again', async () => {
    let refused: readonly string[] = ['1017', '1030'];
    const graph = graphOf(mediaOf(50), (request) =>
      asks(request, 'shares') && idsIn(request).some((id) => refused.includes(id))
        ? refusal
        : undefined,
    );
    const first = await poll(graph);
    refused = [];
    const later = await poll(graph, first.memory, startMs + 8 * dayMs);

    expect(later.nodes.filter((node) => node['shares'] === 1)).toHaveLength(50);
    expect(later.requests).toBe(2);
    expect(later.memory.refusals).toEqual([]);
  });

  test('costs at most log2(50) + 3 further requests a media, and one for all of them later', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => String(1003 + index * 47));
    const graph = graphOf(mediaOf(1000), (request) =>
      asks(request, 'shares') && idsIn(request).some((id) => ids.includes(id))
        ? refusal
        : undefined,
    );
    const first = await poll(graph);
    const later = await poll(graph, first.memory, startMs + hourMs);
    const afterwards = await poll(graph, later.memory, startMs + 8 * dayMs);

    expect(first.nodes.filter((node) => node['shares'] === 1)).toHaveLength(980);
    expect(first.requests - 20).toBeLessThanOrEqual(20 * (Math.ceil(Math.log2(50)) + 3));
    expect([later.requests, afterwards.requests]).toEqual([21, 22]);
  });

  test('is left out for the whole kind when media after media refuses it', async () => {
    const all = mediaOf(50).map(({ id }) => id as string);
    const graph = refusing(...all);
    const first = await poll(graph);
    const later = await poll(graph, first.memory, startMs + hourMs);

    expect(first.nodes).toHaveLength(50);
    expect(first.requests).toBeLessThan(35);
    expect(later.nodes).toHaveLength(50);
    expect(first.memory.refusals).toContainEqual({
      subject: 'FEED/IMAGE',
      metric: 'shares',
      reason: 'graph.metric-refused',
      untilMs: startMs + 7 * dayMs,
    });
  });
});

describe('a metric that left the list of metrics', () => {
  test('comes back by itself when the list has it again', async () => {
    let gone = true;
    const graph = graphOf(mediaOf(5), (request) =>
      gone && asks(request, 'views')
        ? new SkipError('graph.metric-unknown', 'no', ['views'])
        : undefined,
    );
    const first = await poll(graph);
    gone = false;
    const later = await poll(graph, first.memory, startMs + 6 * dayMs);
    const afterwards = await poll(graph, later.memory, startMs + 7 * dayMs);

    expect([first, later, afterwards].map(({ requests }) => requests)).toEqual([2, 1, 1]);
    expect(later.nodes[0]).not.toHaveProperty('views');
    expect(afterwards.nodes[0]).toMatchObject({ views: 1 });
  });
});

describe('all sorts of refusals together', () => {
  test('leave out exactly what is refused', async () => {
    const index = fc.integer({ min: 0, max: 59 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 60 }),
        fc.uniqueArray(index, { maxLength: 4 }),
        fc.uniqueArray(index, { maxLength: 4 }),
        async (from, gone, sharing) => {
          const number = (id: string) => Number(id) - 1000;
          const graph = graphOf(mediaOf(60), (request) => {
            const numbers = idsIn(request).map(number);
            if (numbers.some((one) => one >= from)) {
              return new SkipError('graph.media-before-conversion', 'old');
            }
            if (numbers.some((one) => gone.includes(one))) {
              return new SkipError('graph.ambiguous', 'gone');
            }
            return asks(request, 'shares') && numbers.some((one) => sharing.includes(one))
              ? new SkipError('graph.metric-refused', 'no', ['shares'])
              : undefined;
          });
          const { nodes } = await poll(graph);
          const found = nodes.map(({ id, shares }) => [number(id as string), shares === 1]);
          const expected = Array.from({ length: from }, (_, one) => one)
            .filter((one) => !gone.includes(one) && one < 60)
            .map((one) => [one, !sharing.includes(one)]);
          expect(found.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('more data than the API gives at once', () => {
  const much = new RetryError('graph.too-much-data', 'reduce');
  const sizes = (graph: FakeGraph) => asked(graph).map((request) => idsIn(request).length);

  test('is asked in halves, which grow again, and none is lost', async () => {
    let refusals = 2;
    const graph = graphOf(mediaOf(100), (request) =>
      idsIn(request).length > 12 && refusals-- > 0 ? much : undefined,
    );
    const { ids, skipped } = await poll(graph);

    expect(sizes(graph)).toEqual([50, 25, 13, 26, 50, 11]);
    expect(new Set(ids).size).toBe(100);
    expect(skipped).toEqual([]);
  });

  test('does not end the search for a media at fault', async () => {
    const gone = new SkipError('graph.media-before-conversion', 'Invalid parameter');
    const graph = graphOf(mediaOf(50), (request) => {
      const size = idsIn(request).length;
      if (size === 25) return much;
      return idsIn(request).includes('1049') ? gone : undefined;
    });
    const { ids } = await poll(graph);

    expect(new Set(ids).size).toBe(49);
  });

  test('of one media alone is for another try', async () => {
    const graph = graphOf(mediaOf(3), () => much);

    expect((await poll(graph)).error).toBe(much);
    expect(sizes(graph)).toEqual([3, 2, 1]);
  });
});
