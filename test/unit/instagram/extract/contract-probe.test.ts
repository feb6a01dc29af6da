import { describe, expect, test } from '@jest/globals';
import { FailError, RetryError, SkipError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { probeContract, watchContract } from '../../../../src/instagram/extract/contract-probe.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { withExtra } from '../../../../src/instagram/extract/requested.ts';
import { streams, streamNames } from '../../../../src/instagram/streams/index.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { listStreamOf } from '../../../support/list-streams.ts';
import { calm, createWorld, hourMs, sourceOf } from '../../engine/world.ts';

const media: readonly Node[] = [
  { id: '1', media_type: 'IMAGE', media_product_type: 'FEED', comments_count: 0 },
  { id: '2', media_type: 'IMAGE', media_product_type: 'FEED', comments_count: 7 },
  { id: '3', media_type: 'VIDEO', media_product_type: 'REELS', comments_count: 1 },
];

const publicContent = {
  users: ['brand'],
  mediaAgeMs: hourMs,
  hashtags: ['coke'],
  hashtagPages: 10,
};

/** An API that accepts everything, unless a rule answers otherwise. */
const apiWith = (rule: (request: GraphRequest) => Answer | undefined = () => undefined) =>
  createFakeGraph(
    (request) => rule(request) ?? (listStreamOf(request.path) ? pageOf(media) : answerTo(request)),
  );

function answerTo({ path }: GraphRequest): Node {
  return path === '/ig_hashtag_search' ? { data: [{ id: '17' }] } : { data: [], id: '1' };
}

async function probe(graph = apiWith(), names = streamNames) {
  const world = createWorld({ graph, source: sourceOf({ publicContent }) });
  const all = names.map((name) => streams[name]);
  const probing = probeContract({ accounts: [account], streams: all }, world, calm);
  await world.clock.advance(hourMs);
  return probing;
}

const named = (forms: Awaited<ReturnType<typeof probe>>) =>
  forms.map(({ stream, endpoint, outcome }) => `${String(stream)} ${endpoint}: ${outcome}`);

describe('probeContract', () => {
  test('tries each form of request of every stream, and the batch request', async () => {
    const forms = await probe();

    // Only a webhook names an object of mentions.
    const probed = streamNames.filter((name) => name !== 'mentions');
    expect(new Set(forms.map(({ stream }) => stream))).toEqual(new Set([...probed, null]));
    expect(forms.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(named(forms)).toEqual(
      expect.arrayContaining([
        'story_insights /{account}/stories: ok',
        'story_insights /{media}/insights: ok',
        'users /{account}: ok',
        'media /{account}/media: ok',
        'user_insights /{account}/insights: ok',
        'comments /{media}/comments: ok',
        'discovered_users /{account}/business_discovery: ok',
        'hashtag_media /{hashtag}/recent_media: ok',
        'null batch: ok',
      ]),
    );
  });

  test('probes public content through the account that polls it', async () => {
    const graph = apiWith();
    const world = createWorld({ graph, source: sourceOf({ publicContent }) });
    const withoutIt = { streams: ['users'], intervalsMs: {} };
    const reader = { ...account, id: '17841400000000002' };
    const accounts = [{ ...account, polling: withoutIt }, reader] as const;
    const streamsOf = [streams.users, streams.hashtag_media];
    await probeContract({ accounts, streams: streamsOf }, world, calm);
    await probeContract({ accounts: [accounts[0]], streams: streamsOf }, world, calm);

    expect(
      graph.requests.map(({ path }) => path).filter((path) => path !== `/${account.id}`),
    ).toEqual(['/ig_hashtag_search', '/17/recent_media', '/17/top_media']);
    expect(graph.queries.find(({ user_id: id }) => id !== undefined)?.['user_id']).toBe(reader.id);
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

  test('reports no rejection when media lack an extra metric', async () => {
    const no = new SkipError('graph.metric-refused', 'Fatal', ['facebook_views']);
    const answer = { data: [{ name: 'reach', values: [{ value: 1 }] }] };
    const graph = apiWith(({ query }) => {
      if (query['metric'] === 'facebook_views') return no;
      return 'metric' in query ? answer : undefined;
    });
    const world = createWorld({ graph });
    const stream = withExtra(streams.media_insights, [
      'facebook_views',
      'profile_activity_actions',
    ]);
    const probing = probeContract({ accounts: [account], streams: [stream] }, world, calm);
    await world.clock.advance(hourMs);

    expect(named(await probing)).toContain('media_insights /{media}/insights: ok');
    expect(graph.queries).toContainEqual({ metric: 'facebook_views' });
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
