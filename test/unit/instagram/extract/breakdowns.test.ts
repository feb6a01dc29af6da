import { describe, expect, test } from '@jest/globals';
import {
  type ClassifiedError,
  FailError,
  RetryError,
  SkipError,
  StopStreamError,
} from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { emptyCheckpoint, type Rejection } from '../../../../src/engine/state.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { type Answer, createFakeGraph } from '../../../support/fake-graph.ts';
import { dayMs, hourMs, startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

const stream = streams.user_daily_breakdowns;
const endMs = Date.UTC(2026, 4, 12, 7);
/** One day is due. */
const yesterday = { ...emptyCheckpoint, cursorMs: endMs - dayMs, coveredUntilMs: endMs - dayMs };

const allPairs = [
  'views follow_type',
  'reach follow_type',
  'views media_product_type',
  'reach media_product_type',
  'total_interactions media_product_type',
  'likes media_product_type',
  'comments media_product_type',
  'shares media_product_type',
  'saves media_product_type',
  'profile_links_taps contact_button_type',
];
const pairOf = ({ query }: GraphRequest) => `${query['metric']} ${query['breakdown']}`;

function answerTo({ query }: GraphRequest): Node {
  const { metric = '', breakdown = '' } = query;
  const results = [
    { dimension_values: ['A'], value: 3 },
    { dimension_values: ['B'], value: 4 },
  ];
  const breakdowns = [{ dimension_keys: [breakdown], results }];
  return { data: [{ name: metric, total_value: { value: 7, breakdowns } }] };
}

const fieldOf = (pair: string) => pair.replace(' ', '_by_');
const fieldsOf = (pairs: readonly string[]) =>
  Object.fromEntries(pairs.map((pair) => [fieldOf(pair), { A: 3, B: 4 }]));

/** An API that answers all but the pairs of a metric and a breakdown that a rule answers. */
const graphWith = (rule: (pair: string) => Answer | undefined) =>
  createFakeGraph((request) => rule(pairOf(request)) ?? answerTo(request));

/** Meta's ways to reject a breakdown, as the adapter translates them. */
const refusals: readonly (readonly [string, ClassifiedError])[] = [
  ['by the name of the metric', new SkipError('graph.metric-refused', 'no', ['views'])],
  ['by the list of breakdowns', new FailError('graph.refused', 'breakdown[0] must be one of')],
  ['by code 10', new FailError('graph.permission', '(#10)')],
  ['by code 200', new StopStreamError('graph.permission', '(#200)')],
];

describe('user_daily_breakdowns extraction', () => {
  test('requests each metric by each breakdown alone, the requests of a day in one batch', async () => {
    const graph = graphWith(() => undefined);
    const { nodes } = await extractAll(stream, graph, { checkpoint: yesterday });

    expect(graph.requests.map(pairOf)).toEqual(allPairs);
    expect(graph.queries[0]).toEqual({
      metric: 'views',
      breakdown: 'follow_type',
      period: 'day',
      metric_type: 'total_value',
      since: '1778482801',
      until: '1778569200',
    });
    expect(graph.batches).toEqual([allPairs.length]);
    expect(nodes).toEqual([
      { date: '2026-05-12T07:00:00Z', day: '2026-05-11', ...fieldsOf(allPairs) },
    ]);
  });

  test.each(refusals)(
    'publishes a day without the one breakdown that is rejected %s, and remembers it for a week',
    async (_how, error) => {
      const refused = 'views media_product_type';
      const graph = graphWith((pair) => (pair === refused ? error : undefined));
      const { nodes, pages } = await extractAll(stream, graph, {
        checkpoint: { ...yesterday, coveredUntilMs: endMs - 2 * dayMs },
      });

      expect(nodes).toMatchObject([{ day: '2026-05-10' }, { day: '2026-05-11' }]);
      const others = fieldsOf(allPairs.filter((pair) => pair !== refused));
      for (const { date = '', day = '', ...fields } of nodes) {
        expect({ date, day, ...fields }).toEqual({ date, day, ...others });
      }
      // Requested for the first day only.
      expect(graph.requests.map(pairOf).filter((pair) => pair === refused)).toHaveLength(1);
      expect(pages[0]?.skipped).toEqual([
        { reason: error.code, subject: 'views_by_media_product_type' },
      ]);
      expect(pages[0]?.checkpointUpdate?.rejections).toEqual([
        {
          subject: '*',
          metric: 'views_by_media_product_type',
          reason: error.code,
          untilMs: startMs + 7 * dayMs,
          missingFromMs: endMs - 2 * dayMs,
        },
      ]);
    },
  );

  test('requests a breakdown that fails with an unknown error again after an hour', async () => {
    const away = new RetryError('graph.server', 'An unknown error has occurred.');
    const graph = graphWith((pair) => (pair === 'likes media_product_type' ? away : undefined));
    const { nodes, pages } = await extractAll(stream, graph, { checkpoint: yesterday });

    expect(nodes).toHaveLength(1);
    expect(nodes[0]).not.toHaveProperty('likes_by_media_product_type');
    expect(pages[0]?.checkpointUpdate?.rejections).toMatchObject([
      { metric: 'likes_by_media_product_type', untilMs: startMs + hourMs },
    ]);
  });

  test.each([
    ['the server fails', new RetryError('graph.server', 'HTTP 500')],
    ['the permission is missing', new StopStreamError('graph.permission', '(#200)')],
  ])('fails, and excludes no breakdown, when %s for all of them', async (_what, error) => {
    const { pages, error: failure } = await extractAll(
      stream,
      graphWith(() => error),
      {
        checkpoint: yesterday,
      },
    );

    expect(failure).toBe(error);
    expect(pages).toEqual([]);
  });

  test('fails when a request has no answer', async () => {
    const lost = new RetryError('graph.timeout', 'no answer');
    const graph = graphWith((pair) => (pair === 'likes media_product_type' ? lost : undefined));

    expect((await extractAll(stream, graph, { checkpoint: yesterday })).error).toMatchObject({
      code: 'graph.timeout',
    });
  });

  describe('with a rejection that has ended', () => {
    const rejection: Rejection = {
      subject: '*',
      metric: 'likes_by_media_product_type',
      reason: 'graph.server',
      untilMs: startMs - 1,
      missingFromMs: startMs - 60 * dayMs,
    };
    const checkpoint = { ...yesterday, coveredUntilMs: endMs, rejections: [rejection] };

    test('completes the days of the last two weeks by the missing breakdown alone', async () => {
      const graph = graphWith(() => undefined);
      const { nodes, pages } = await extractAll(stream, graph, { checkpoint });

      expect(new Set(graph.requests.map(pairOf))).toEqual(new Set(['likes media_product_type']));
      expect([nodes.length, nodes[0]?.['day']]).toEqual([14, '2026-04-28']);
      expect(pages.at(-1)?.checkpointUpdate?.rejections).toEqual([]);
    });

    test('excludes the breakdown again at the cost of one request when it still fails', async () => {
      const away = new RetryError('graph.server', 'An unknown error has occurred.');
      const graph = graphWith(() => away);
      const { error, pages } = await extractAll(stream, graph, { checkpoint });

      expect(error).toBeUndefined();
      // A transient error is repeated once.
      expect(graph.requests).toHaveLength(2);
      expect(pages.at(-1)?.checkpointUpdate?.rejections).toMatchObject([
        { metric: 'likes_by_media_product_type', untilMs: startMs + hourMs },
      ]);
    });
  });
});
