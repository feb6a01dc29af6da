import { describe, expect, it } from '@jest/globals';
import { proofOf } from '../../../../sandbox/graph-api/tokens/app.ts';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { type Asked, standingWorld, startAsking } from './asking.ts';
import { type BatchAnswer, bodiesOf, headersOf, post, postForm, postJson } from './batching.ts';

const accountOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.id ?? '';
const mediaOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.media[0]?.id ?? '';
const codesOf = ({ items }: BatchAnswer) => items.map((item) => item?.code);

describe('simulator batch request', () => {
  it('answers each item independently and counts each item as a call', async () => {
    await using asked = await startAsking(standingWorld({ limits: { account: { calls: 2 } } }));
    const account = accountOf(asked);

    const answer = await post(asked, [
      `v25.0/${mediaOf(asked)}/insights?metric=reach`,
      `v25.0/${account}/media?fields=nonsense`,
      'v25.0/me',
      account,
      `${account}/stories`,
    ]);

    expect(answer.status).toBe(200);
    expect(codesOf(answer)).toEqual([200, 400, 200, 400, 400]);
    const bodies = bodiesOf(answer);
    expect(bodies[1]).toMatchObject({ error: { code: 100 } });
    expect(bodies[3]).toMatchObject({ error: { code: 80_002 } });
    expect(bodies[4]).toMatchObject({ error: { code: 80_002 } });
    expect(asked.api.ledger.total()).toEqual({ requests: 1, calls: 5, errors: 3, throttled: 2 });
    expect(asked.api.ledger.byEndpoint()).toEqual({
      '/{media}/insights': { requests: 0, calls: 1, errors: 0, throttled: 0 },
      '/{account}/media': { requests: 0, calls: 1, errors: 1, throttled: 0 },
      '/me': { requests: 0, calls: 1, errors: 0, throttled: 0 },
      '/{account}': { requests: 0, calls: 1, errors: 1, throttled: 1 },
      '/{account}/stories': { requests: 0, calls: 1, errors: 1, throttled: 1 },
      '/batch': { requests: 1, calls: 0, errors: 0, throttled: 0 },
    });
  });

  it('is recorded in the ledger item by item, without a token', async () => {
    await using asked = await startAsking();

    await post(asked, [`me?access_token=${asked.world.token}`]);

    expect(asked.api.ledger.entries).toEqual([
      {
        at: '2026-02-10T12:00:00.000Z',
        endpoint: '/me',
        requests: 0,
        calls: 1,
        request: '/me?',
        batched: true,
        status: 200,
      },
      {
        at: '2026-02-10T12:00:00.000Z',
        endpoint: '/batch',
        requests: 1,
        calls: 0,
        request: '/?',
        status: 200,
      },
    ]);
  });

  it('omits the item headers with include_headers=false', async () => {
    await using asked = await startAsking();

    const form = await post(asked, ['me'], { include_headers: 'false' });
    const json = await postJson(asked, {
      batch: [{ method: 'GET', relative_url: 'me' }],
      include_headers: false,
      access_token: asked.world.token,
    });

    expect(Object.keys(form.items[0] ?? {})).toEqual(['code', 'body']);
    expect(Object.keys(json.items[0] ?? {})).toEqual(['code', 'body']);
  });

  const batch = [{ method: 'GET', relative_url: 'me' }];

  it.each([
    ['a form', (asked: Asked, token: string) => post(asked, ['me'], { access_token: token })],
    [
      'a JSON object',
      (asked: Asked, token: string) => postJson(asked, { batch, access_token: token }),
    ],
    [
      'the query',
      (asked: Asked, token: string) => postJson(asked, { batch }, `?access_token=${token}`),
    ],
    [
      'the Authorization header',
      (asked: Asked, token: string) =>
        postForm(asked, { batch: JSON.stringify(batch) }, { Authorization: `Bearer ${token}` }),
    ],
    [
      'each item',
      (asked: Asked, token: string) =>
        post(asked, [`me?access_token=${token}`], { access_token: '' }),
    ],
  ])('accepts the token from %s', async (_, send) => {
    await using asked = await startAsking();

    expect(bodiesOf(await send(asked, asked.world.token))).toEqual([
      { name: 'Pat Example', id: '122093456780123456' },
    ]);
  });

  it('is rejected without a token, and rejects an item with a token of the other host', async () => {
    await using asked = await startAsking();
    const instagramToken = asked.world.accounts[0]?.instagramToken ?? '';

    const none = await post(asked, ['me'], { access_token: '' });
    const foreign = await post(asked, [`me?access_token=${instagramToken}`, 'me']);

    expect([none.status, none.error?.['code']]).toEqual([400, 104]);
    expect(codesOf(foreign)).toEqual([400, 200]);
    expect(bodiesOf(foreign)[0]?.['error']).toMatchObject({ code: 190, type: 'OAuthException' });
  });

  it.each([
    ['the form', (asked: Asked, proof: string) => post(asked, ['me'], { appsecret_proof: proof })],
    [
      'the JSON object',
      (asked: Asked, proof: string) =>
        postJson(asked, { batch, access_token: asked.world.token, appsecret_proof: proof }),
    ],
    [
      'the query',
      (asked: Asked, proof: string) =>
        postJson(asked, { batch }, `?access_token=${asked.world.token}&appsecret_proof=${proof}`),
    ],
  ])('accepts one appsecret_proof for all items from %s', async (_, send) => {
    await using asked = await startAsking();
    asked.world.app.requireProof = true;

    const answer = await send(asked, proofOf(asked.world.token, asked.world.app));
    const refused = await send(asked, 'x');

    expect(codesOf(answer)).toEqual([200]);
    expect(refused.error).toMatchObject({
      message: /Invalid appsecret_proof/ as unknown as string,
    });
  });

  it('requires a separate proof for an item with a token of its own', async () => {
    await using asked = await startAsking();
    const { app, token, pages } = asked.world;
    app.requireProof = true;
    const pageToken = pages[0]?.token ?? '';
    const own = `me?access_token=${pageToken}`;

    const answer = await post(
      asked,
      ['me', own, `${own}&appsecret_proof=${proofOf(pageToken, app)}`],
      { appsecret_proof: proofOf(token, app) },
    );

    expect(codesOf(answer)).toEqual([200, 400, 200]);
  });

  it.each([
    ['/v26.0/', 'me', 'v26.0'],
    ['/v26.0', '/me', 'v26.0'],
    ['/v26.0/', 'v23.0/me', 'v23.0'],
    ['/v26.0/', '/v19.0/me', 'v21.0'],
    ['/', 'me', 'v25.0'],
  ])('at %s answers the item %s as version %s', async (path, url, version) => {
    await using asked = await startAsking();

    const answer = await post(asked, [url], { path });

    expect(headersOf(answer.items[0])['Facebook-API-Version']).toBe(version);
  });

  it('is rejected with more than fifty items, and without a valid list of items', async () => {
    await using asked = await startAsking();

    const many = await post(
      asked,
      Array.from({ length: 51 }, () => 'me'),
    );
    const none = await post(asked, [], { batch: '{}' });
    const bad = await post(asked, [], { batch: '[{"method":"GET"}]' });

    expect([many.status, many.error?.['type'], many.error?.['message']]).toEqual([
      400,
      'GraphBatchException',
      'Too many requests in batch message. Maximum batch size is 50',
    ]);
    expect([none.status, bad.status]).toEqual([400, 400]);
    expect(asked.api.ledger.total()).toEqual({ requests: 3, calls: 0, errors: 3, throttled: 0 });
  });

  it('answers a token error as a single object', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ badTokens: { [asked.world.token]: 'expired' } });

    const { status, error } = await post(asked, ['me', 'me']);

    expect([status, error?.['code'], error?.['error_subcode']]).toEqual([400, 190, 463]);
  });

  it('is unavailable for Instagram Login', async () => {
    await using asked = await startAsking();
    const token = asked.world.accounts[0]?.instagramToken ?? '';

    const { status, headers } = await post(asked, ['me'], { access_token: token });

    expect(status).toBe(400);
    expect(headers.get('www-authenticate')).toBe(
      `OAuth "Facebook Platform" "access_denied" "Cannot call API for app ${asked.world.app.clientId} on behalf of user 0"`,
    );
  });
});

describe('simulator batch condition', () => {
  const usage = 'X-Business-Use-Case-Usage';

  it('absent: usage headers are on each item', async () => {
    await using asked = await startAsking();

    const { items, headers } = await post(asked, [accountOf(asked), 'me']);

    expect(headersOf(items[0])[usage]).toContain(`{"${accountOf(asked)}":[{"type":"instagram",`);
    expect(headersOf(items[1])['X-App-Usage']).toBe(
      '{"call_count":0,"total_cputime":0,"total_time":0}',
    );
    expect([headers.get(usage), headers.get('x-app-usage')]).toEqual([null, null]);
  });

  it('batchUsageHeaders "outer": the usage of all items is on the HTTP answer', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ batchUsageHeaders: 'outer' });
    const [first, second] = [accountOf(asked), accountOf(asked, 1)];

    const { items, headers } = await post(asked, [first, second, first]);

    const all = JSON.parse(headers.get(usage) ?? '{}') as JsonObject;
    expect(Object.keys(all).sort()).toEqual([first, second].sort());
    expect(Object.keys(headersOf(items[0]))).not.toContain(usage);
  });

  it('batchUsageHeaders "none": there are no usage headers', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ batchUsageHeaders: 'none' });

    const { items, headers } = await post(asked, [accountOf(asked)]);

    expect(headers.get(usage)).toBeNull();
    expect(Object.keys(headersOf(items[0]))).not.toContain(usage);
  });

  it('batchThrottle "envelope": the whole batch is rejected over a limit', async () => {
    await using asked = await startAsking(standingWorld({ limits: { account: { calls: 2 } } }));
    asked.world.conditions.set({ batchThrottle: 'envelope' });
    const account = accountOf(asked);

    const within = await post(asked, [account, account]);
    const over = await post(asked, ['me', account, account]);

    expect(codesOf(within)).toEqual([200, 200]);
    expect([over.status, over.error?.['code']]).toEqual([400, 80_002]);
    expect(over.headers.get(usage)).toContain('"estimated_time_to_regain_access":1440');
    expect(asked.api.ledger.byEndpoint()).toMatchObject({
      '/{account}': { calls: 2, errors: 0, throttled: 0 },
      '/batch': { requests: 2, calls: 0, errors: 1, throttled: 1 },
    });
  });

  it('batchRefused: every batch is rejected', async () => {
    await using asked = await startAsking();
    await asked.admin('PATCH', 'world', { batchRefused: true });

    const { status, error } = await post(asked, ['me']);

    expect([status, error?.['code'], error?.['message']]).toEqual([
      400,
      100,
      '(#100) Unsupported post request. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api',
    ]);
  });

  it('batchShort: only the first items are answered', async () => {
    await using asked = await startAsking();
    await asked.admin('PATCH', 'world', { batchShort: 2 });

    const { items } = await post(asked, ['me', 'me', 'me']);

    expect(items).toHaveLength(2);
    expect(asked.api.ledger.total().calls).toBe(2);
  });
});
