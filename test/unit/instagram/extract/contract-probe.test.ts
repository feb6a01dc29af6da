import { describe, expect, test } from '@jest/globals';
import { FailError, RetryError, SkipError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { probeContract, watchContract } from '../../../../src/instagram/extract/contract-probe.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { calm, createWorld, hourMs } from '../../engine/world.ts';

const media: readonly Node[] = [
  { id: '1', media_type: 'IMAGE', media_product_type: 'FEED', comments_count: 0 },
  { id: '2', media_type: 'IMAGE', media_product_type: 'FEED', comments_count: 7 },
  { id: '3', media_type: 'VIDEO', media_product_type: 'REELS', comments_count: 1 },
];

/** An API that accepts everything, unless a rule answers otherwise. */
const apiWith = (rule: (request: GraphRequest) => Answer | undefined = () => undefined) =>
  createFakeGraph(
    (request) =>
      rule(request) ??
      (/\/(?:media|stories|tags)$/.test(request.path) ? pageOf(media) : { data: [], id: '1' }),
  );

async function probe(graph = apiWith(), names = Object.keys(streams) as (keyof typeof streams)[]) {
  const world = createWorld({ graph });
  const all = names.map((name) => streams[name]);
  const probing = probeContract({ account, streams: all }, world, calm);
  await world.clock.advance(hourMs);
  return probing;
}

const named = (forms: Awaited<ReturnType<typeof probe>>) =>
  forms.map(({ stream, endpoint, outcome }) => `${String(stream)} ${endpoint}: ${outcome}`);

describe('probeContract', () => {
  test('tries each form of request of every stream, and the batch request', async () => {
    expect(named(await probe())).toEqual([
      'stories /{account}/stories: ok',
      'story_insights /{account}/stories: ok',
      'story_insights /{media}/insights: ok',
      'users /{account}: ok',
      'media /{account}/media: ok',
      'media_insights /{account}/media: ok',
      'media_insights /{media}/insights: ok',
      'user_insights /{account}/insights: ok',
      'user_lifetime_insights /{account}/insights: ok',
      'user_engaged_audience /{account}/insights: ok',
      'user_reached_audience /{account}/insights: ok',
      'user_daily_totals /{account}/insights: ok',
      'tags /{account}/tags: ok',
      'comments /{media}/comments: ok',
      'null batch: ok',
    ]);
  });

  test('requests insights of one media of each type, preferring media with comments', async () => {
    const graph = apiWith();
    await probe(graph, ['media_insights', 'comments']);

    expect(graph.requests.map(({ path }) => path).slice(1, 5)).toEqual([
      '/2/insights',
      '/3/insights',
      '/2/comments',
      '/3/comments',
    ]);
  });

  test("names a rejected form of request, with the code and Meta's words", async () => {
    const retired = new FailError('graph.retired', 'is deprecated in v28.0+');
    const forms = await probe(
      apiWith(({ path }) => (path.endsWith('/insights') ? retired : undefined)),
      ['users', 'media_insights'],
    );

    expect(forms.find(({ endpoint }) => endpoint === '/{media}/insights')).toEqual({
      stream: 'media_insights',
      endpoint: '/{media}/insights',
      outcome: 'rejected',
      code: 'graph.retired',
      message: 'is deprecated in v28.0+',
    });
    expect(named(forms)).toContain('users /{account}: ok');
  });

  test('reports a form as partial when a media type rejects a metric', async () => {
    const no = new SkipError('graph.metric-refused', 'no views', ['views'], 'kind');
    const forms = await probe(
      apiWith(({ path, query }) =>
        path === '/3/insights' && query['metric']?.includes('views') === true ? no : undefined,
      ),
      ['media_insights'],
    );

    expect(named(forms)).toContain('media_insights /{media}/insights: partial');
  });

  test.each([
    ['a passing server error', new RetryError('graph.server', 'HTTP 500'), 'unknown'],
    ['too few viewers', new SkipError('graph.not-enough-viewers', 'few'), 'ok'],
  ])('does not report %s as a rejection', async (_what, error, outcome) => {
    const forms = await probe(
      apiWith(({ path }) => (path.endsWith('/insights') ? error : undefined)),
      ['story_insights'],
    );

    expect(named(forms)).toContain(`story_insights /{media}/insights: ${outcome}`);
  });

  test('reports batch requests as rejected when the host has none', async () => {
    const graph = { ...apiWith(), batchSize: 1 };

    expect(named(await probe(graph, ['users']))).toEqual([
      'users /{account}: ok',
      'null batch: rejected',
    ]);
  });
});

describe('watchContract', () => {
  test('probes a polled account an hour after the start and then daily', async () => {
    const world = createWorld({ graph: apiWith() });
    const stop = new AbortController();
    const watch = {
      streams: [{ stream: streams.users }],
      apiVersion: 'v25.0',
      account: () => account,
    };
    const watching = watchContract(watch, world, stop.signal);
    await world.clock.advance(hourMs);
    const [first, ...more] = world.telemetry.ofType('contract-probed');
    await world.clock.advance(24 * hourMs);
    stop.abort();
    await watching;

    expect(more).toEqual([]);
    expect(first).toMatchObject({ accountId: account.id, version: 'v25.0', answeredBy: 'v26.0' });
    expect(named(first?.forms ?? [])).toEqual(['users /{account}: ok', 'null batch: ok']);
    expect(world.telemetry.ofType('contract-probed')).toHaveLength(2);
  });

  test('waits for the next day while this instance polls no account', async () => {
    const world = createWorld({ graph: apiWith() });
    const stop = new AbortController();
    const watch = {
      streams: [{ stream: streams.users }],
      apiVersion: 'v26.0',
      account: () => undefined,
    };
    const watching = watchContract(watch, world, stop.signal);
    await world.clock.advance(2 * hourMs);
    stop.abort();
    await watching;

    expect(world.graph.requests).toEqual([]);
  });
});
