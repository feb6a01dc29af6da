/**
 * The shapes of Meta's answers, written down as literals: order of keys, codes, messages, headers.
 * Each comment says when an answer was seen, and whether it was recorded, observed or documented.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from './asking.ts';
import { headersOf, post } from './batching.ts';
import { type ShapeSite, keysOf, openShapeSite } from './shape-site.ts';

let site: ShapeSite;

beforeAll(async () => {
  site = await openShapeSite();
});

afterAll(async () => {
  await site.asked[Symbol.asyncDispose]();
});

describe('simulator insights', () => {
  // graph.facebook.com v25.0 and v26.0, recorded and edited, 2026.
  it.each<[string, 'reel' | 'image' | 'feedVideo' | 'story', string]>([
    ['a reel', 'reel', 'shares,comments,likes,saved,total_interactions,reach,views'],
    ['an image', 'image', 'reach,saved,likes,comments'],
    ['an old video of the feed', 'feedVideo', 'reach,saved'],
  ])('of %s have the shape recorded from graph.facebook.com', async (_, media, metric) => {
    const id = site[media];
    const { body } = await site.get(`/${id}/insights`, { metric });

    expect(keysOf(body)).toEqual(['data']);
    expect(listOf(body).map(({ name }) => name)).toEqual(metric.split(','));
    expect(listOf(body).map(({ id: own }) => own)).toEqual(
      metric.split(',').map((name) => `${id}/insights/${name}/lifetime`),
    );
    for (const entry of listOf(body)) {
      expect(keysOf(entry)).toEqual(['name', 'period', 'values', 'title', 'description', 'id']);
      expect(entry).toMatchObject({ period: 'lifetime', values: [{ value: expect.any(Number) }] });
    }
  });

  // graph.instagram.com v26.0, recorded and edited, 2026-09; the story observed 2026-08-04.
  it.each<[string, 'reel' | 'image' | 'feedVideo' | 'story', string]>([
    ['a reel', 'reel', 'views,reach,likes,comments,saved,shares,total_interactions'],
    ['a reel', 'reel', 'ig_reels_avg_watch_time,ig_reels_video_view_total_time,reels_skip_rate'],
    ['an image', 'image', 'follows,profile_visits,reach,views,total_interactions,saved,shares'],
    [
      'a story',
      'story',
      'reach,views,replies,shares,navigation,profile_visits,follows,total_interactions',
    ],
  ])('of %s have the names recorded from graph.instagram.com', async (_, media, metric) => {
    const { status, body } = await site.get(`/${site[media]}/insights`, {
      metric,
      ...site.instagram,
    });

    expect(status).toBe(200);
    expect(listOf(body).map(({ name }) => name)).toEqual(metric.split(','));
  });

  // Nodes recorded 2024-02 on graph.facebook.com, the list envelope as recorded on v23.0.
  it('nested in the media list have the requested keys and no paging, as recorded from Meta', async () => {
    const { body } = await site.get(`/${site.account}/media`, {
      fields: 'id,insights.metric(reach,shares),media_type,timestamp',
      limit: '2',
    });

    expect(keysOf(body)).toEqual(['data', 'paging']);
    expect(keysOf(body['paging'])).toEqual(['cursors', 'next']);
    expect(listOf(body)).toHaveLength(2);
    for (const node of listOf(body)) {
      expect(keysOf(node)).toEqual(['id', 'insights', 'media_type', 'timestamp']);
      expect(keysOf(node['insights'])).toEqual(['data']);
    }
  });
});

describe('simulator batch request, as recorded from Meta,', () => {
  // Envelope documented, quoted 2026-07-01; names of headers recorded on v2.3.
  it('answers an item with its code, its headers as a list and its body as a string', async () => {
    const { status, items } = await post(
      site.asked,
      [`${site.image}/insights?metric=reach%2Csaved`, `${site.reel}/insights?metric=follows`],
      { path: '/v26.0/' },
    );

    expect(status).toBe(200);
    expect(items.map(keysOf)).toEqual([
      ['code', 'headers', 'body'],
      ['code', 'headers', 'body'],
    ]);
    expect(items[0]?.body).toMatch(/^{"data":\[{"name":"reach","period":"lifetime",/);
    expect(items[0]?.body).toContain(String.raw`\/insights\/reach\/lifetime"`);
    expect(headersOf(items[0])).toMatchObject({
      'Content-Type': 'application/json; charset=UTF-8',
      'Facebook-API-Version': 'v26.0',
      'X-Business-Use-Case-Usage': expect.stringContaining(site.account),
      'Cache-Control': 'private, no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Expires: 'Sat, 01 Jan 2000 00:00:00 GMT',
    });
    expect(headersOf(items[1])['WWW-Authenticate']).toBe(
      'OAuth "Facebook Platform" "invalid_request" "(#100) The Media Insights API does not support the follows metric for this media product type."',
    );
  });

  // From an old client library's tests; status and code are unknown.
  it('is rejected as a single object when it has more than fifty items', async () => {
    const { error } = await post(site.asked, Array<string>(51).fill('me'));

    expect(error).toMatchObject({
      message: 'Too many requests in batch message. Maximum batch size is 50',
      type: 'GraphBatchException',
    });
  });

  // Observed 2026-08-30, v22.0.
  it('is rejected on graph.instagram.com', async () => {
    const { status, headers } = await post(site.asked, ['me?fields=id'], site.instagram);

    expect(status).toBe(400);
    expect(headers.get('www-authenticate')).toMatch(
      /"access_denied" "Cannot call API for app \d+ on behalf of user 0"$/,
    );
  });
});

describe('simulator usage headers, as recorded from Meta,', () => {
  const usageOf = async (path: string, query: Readonly<Record<string, string>>) => {
    const { headers } = await site.get(path, query);
    return [headers.get('x-app-usage'), headers.get('x-business-use-case-usage')];
  };

  // Observed 2026-09-21, v25.0.
  it('report on graph.facebook.com the usage of the app, or of an account by its id', async () => {
    expect(await usageOf('/me/accounts', {})).toEqual([
      '{"call_count":0,"total_cputime":0,"total_time":0}',
      null,
    ]);
    expect(await usageOf(`/${site.account}`, {})).toEqual([
      null,
      `{"${site.account}":[{"type":"instagram","call_count":0,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":0}]}`,
    ]);
  });

  // Recorded 2026-09, v26.0.
  it('report on graph.instagram.com the usage of the app, by the names of that host', async () => {
    expect(await usageOf(`/${site.account}/media`, site.instagram)).toEqual([
      '{"call_volume":0,"cpu_time":0}',
      null,
    ]);
  });
});

describe('simulator lists', () => {
  // Keys recorded on v23.0; the request is in use, 2026.
  it('of pages with nested accounts have the shape recorded from Meta', async () => {
    const profile = 'id,username,name,followers_count,follows_count,media_count';
    const { body } = await site.get('/me/accounts', {
      fields: `id,name,access_token,instagram_business_account{${profile}}`,
      limit: '100',
    });

    const [first, second] = listOf(body);
    expect(keysOf(body)).toEqual(['data', 'paging']);
    expect(keysOf(body['paging'])).toEqual(['cursors']);
    expect(keysOf(first)).toEqual(['id', 'name', 'access_token', 'instagram_business_account']);
    expect(keysOf(first?.['instagram_business_account'])).toEqual(profile.split(','));
    expect(keysOf(second)).toEqual(['id', 'name', 'access_token']);
  });

  // Recorded 2026-09, v26.0: `me` of the request is the account's id in `next`.
  it('of media have the shape recorded from graph.instagram.com', async () => {
    const fields =
      'id,caption,media_type,media_product_type,permalink,timestamp,like_count,comments_count';
    const { body } = await site.get('/me/media', { fields, limit: '25', ...site.instagram });

    const paging = body['paging'] as unknown as { next: string; cursors: { after: string } };
    const next = new URL(paging.next);
    expect(keysOf(listOf(body)[0])).toEqual(fields.split(','));
    expect(keysOf(paging)).toEqual(['cursors', 'next']);
    expect(keysOf(paging.cursors)).toEqual(['before', 'after']);
    expect(next.pathname).toBe(`/v26.0/${site.account}/media`);
    expect([...next.searchParams]).toEqual([
      ['fields', fields],
      ['limit', '25'],
      ['access_token', site.instagram.access_token],
      ['after', paging.cursors.after],
    ]);
  });

  // In the instructions for Instagram Login: two ids of one account.
  it.each(['me', 'the id of the account'])(
    'of account fields by %s have the shape recorded from graph.instagram.com',
    async (by) => {
      const { body } = await site.get(by === 'me' ? '/me' : `/${site.account}`, {
        fields: 'user_id,username,id',
        ...site.instagram,
      });

      expect(keysOf(body)).toEqual(['user_id', 'username', 'id']);
      expect(body['user_id']).toBe(site.account);
      expect(body['id']).toMatch(/^2\d{16}$/);
    },
  );
});
