import { describe, expect, it } from '@jest/globals';
import { startAsking, type Asked } from './asking.ts';
import { headersOf, post } from './batching.ts';

const fetchRaw = (asked: Asked, path: string, query = '') =>
  fetch(`${asked.api.url}/v25.0${path}?access_token=${asked.world.token}${query}`);
const accountOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.id ?? '';

describe('simulator fault rule', () => {
  it('skips the first requests, hits the given number, and then ends', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ skip: 1, times: 2, effect: { error: 'retry-later' } });

    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await asked.ask('/me')).status);

    expect(statuses).toEqual([200, 500, 500, 200]);
    expect(asked.api.faults.all[0]).toMatchObject({ matched: 4, applied: 2 });
  });

  it.each([
    ['endpoint', { endpoint: '/{account}/media' }],
    ['path', { path: '/media' }],
    ['query', { query: 'fields=id,caption' }],
  ])('hits only requests with its %s', async (_, match) => {
    await using asked = await startAsking();
    asked.api.faults.add({ match, effect: { error: 'unavailable' } });

    const hit = await asked.ask(`/${accountOf(asked)}/media`, { fields: 'id,caption' });
    const missed = await asked.ask(`/${accountOf(asked)}/stories`, { fields: 'id' });

    expect([hit.status, missed.status]).toEqual([500, 200]);
  });

  it("hits only requests about its account, including the account's media", async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ match: { account: accountOf(asked) }, effect: { error: 'app-limit' } });
    const media = asked.world.accounts[0]?.media[0]?.id ?? '';

    const hit = await asked.refusal(`/${media}`);
    const missed = await asked.ask(`/${accountOf(asked, 1)}`);

    expect(hit).toEqual([403, 4, undefined, '(#4) Application request limit reached']);
    expect(missed.status).toBe(200);
  });

  it('answers with the given status and body', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ effect: { status: 429, body: { slow: 'down' } } });

    const { status, body } = await asked.ask('/me');

    expect([status, body]).toEqual([429, { slow: 'down' }]);
  });

  it('answers with the given headers beside the usual ones', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ effect: { error: 'app-limit', headers: { 'Retry-After': '2' } } });

    const answer = await fetchRaw(asked, '/me');

    expect(answer.status).toBe(403);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.headers.get('facebook-api-version')).toBe('v25.0');
  });

  it('cuts the true answer without an error status', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ effect: { truncate: 9 } });

    expect(await (await fetchRaw(asked, '/me')).text()).toBe('{"name":"');
  });

  it.each([
    [{ html: true } as const, 500, /^<!DOCTYPE html>/],
    [{ html: true, status: 200 } as const, 200, /^<!DOCTYPE html>/],
    [{ empty: true } as const, 200, /^$/],
  ])('answers without JSON: %j', async (effect, status, text) => {
    await using asked = await startAsking();
    asked.api.faults.add({ effect });

    const answer = await fetchRaw(asked, '/me');

    expect(answer.status).toBe(status);
    expect(await answer.text()).toMatch(text);
  });

  it.each([{ close: 'before' }, { close: 'middle' }, { null: true }] as const)(
    'closes the connection of a single request: %j',
    async (effect) => {
      await using asked = await startAsking();
      asked.api.faults.add({ effect });

      const came = fetchRaw(asked, '/me').then((answer) => answer.text());

      await expect(came).rejects.toThrow(/^(fetch failed|terminated)$/);
      expect(asked.api.ledger.total().requests).toBe(1);
    },
  );

  const media = (asked: Asked, index: number) =>
    `${asked.world.accounts[0]?.media[index]?.id ?? ''}/insights?metric=reach`;

  it.each([
    [{ error: 'retry-later' }, 500, /^{"error":{"message":"An unexpected error has occurred/],
    [{ body: { slow: 'down' }, status: 429 }, 429, /^{"slow":"down"}$/],
    [{ html: true }, 500, /^<!DOCTYPE html>/],
    [{ empty: true }, 200, /^$/],
    [{ truncate: 9 }, 200, /^{"data":\[$/],
  ] as const)('hits one item of a batch request only: %j', async (effect, code, body) => {
    await using asked = await startAsking();
    const match = { endpoint: '/{media}/insights' };
    asked.api.faults.add({ match, skip: 1, times: 1, effect });

    const { status, items } = await post(asked, [media(asked, 0), media(asked, 1), 'me']);

    expect(status).toBe(200);
    expect(items.map((item) => item?.code)).toEqual([200, code, 200]);
    expect(items[1]?.body).toMatch(body);
  });

  it.each([{ null: true }, { close: 'before' }, { close: 'middle' }] as const)(
    'answers null in place of a batch item: %j',
    async (effect) => {
      await using asked = await startAsking();
      asked.api.faults.add({ match: { query: 'metric=reach' }, effect });

      const { items } = await post(asked, ['me', media(asked, 1)]);

      expect([items[0]?.code, items[1]]).toEqual([200, null]);
      expect(asked.api.ledger.entries[1]).toMatchObject({
        endpoint: '/{media}/insights',
        status: 0,
        requests: 0,
        calls: 1,
        fault: true,
      });
    },
  );

  it('adds headers to the item of a batch request', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ effect: { error: 'app-limit', headers: { 'Retry-After': '2' } } });

    const { items, headers } = await post(asked, ['me']);

    expect(headersOf(items[0])).toMatchObject({ 'Retry-After': '2' });
    expect(headers.get('retry-after')).toBeNull();
  });

  it('delays a batch request by the longest delay of its items', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ match: { path: '/me' }, effect: { latency_ms: 60 } });
    const startMs = performance.now();

    const { items } = await post(asked, ['me', 'me']);

    expect(items.map((item) => item?.code)).toEqual([200, 200]);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(55);
    expect(asked.api.faults.all[0]).toMatchObject({ matched: 2, applied: 2 });
  });

  it('with the endpoint /batch hits the HTTP request of a batch, and no item', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ match: { endpoint: '/batch' }, effect: { error: 'unavailable' } });

    const { status, error } = await post(asked, ['me']);
    const single = await asked.ask('/me');

    expect([status, error?.['code'], single.status]).toEqual([500, 2, 200]);
    expect(asked.api.ledger.total()).toEqual({ requests: 2, calls: 1, errors: 1, throttled: 0 });
  });

  it('without an endpoint hits the items of a batch, and not its HTTP request', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ times: 1, effect: { error: 'unavailable' } });

    const { status, items } = await post(asked, ['me', 'me']);

    expect([status, ...items.map((item) => item?.code)]).toEqual([200, 500, 200]);
  });

  it.each([{ close: 'before' }, { close: 'middle' }] as const)(
    'closes the connection of a batch request: %j',
    async (effect) => {
      await using asked = await startAsking();
      asked.api.faults.add({ match: { endpoint: '/batch' }, effect });

      await expect(post(asked, ['me'])).rejects.toThrow(/^(fetch failed|terminated)$/);
    },
  );

  it('delays an answer that another rule changes', async () => {
    await using asked = await startAsking();
    asked.api.faults.add({ effect: { latency_ms: 60 } });
    asked.api.faults.add({ effect: { latency_ms: 30, error: 'unexpected' } });
    const startMs = performance.now();

    const { status } = await asked.ask('/me');

    expect(status).toBe(500);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(85);
  });

  it('is added, read and cleared over HTTP', async () => {
    await using asked = await startAsking();
    const rule = {
      match: { path: '/me' },
      times: 1,
      effect: { error: 'media-metric', values: ['x'] },
    };
    await asked.admin('POST', 'faults', rule);

    const refusal = await asked.refusal('/me');
    const shown = await asked.admin('GET', 'faults');
    const cleared = await asked.admin('DELETE', 'faults');

    expect(refusal[3]).toMatch(/does not support the x metric/);
    expect(shown.body['faults']).toEqual([{ rule, matched: 1, applied: 1 }]);
    expect(cleared.body['faults']).toEqual([]);
  });

  it.each([
    [{}, /^effect: got nothing, expected an object$/],
    [{ effect: { error: 'x' } }, /^effect\.error: got "x", expected the name of an error/],
    [{ effect: { html: true, empty: true } }, /^effect: got .*, expected latency_ms, one of /],
    [{ effect: { status: 500 } }, /^effect: got /],
    [
      { match: { url: 'x' }, effect: { html: true } },
      /^match: got "url", expected one of endpoint/,
    ],
  ])('is rejected when it is invalid: %j', async (rule, message) => {
    await using asked = await startAsking();

    const answer = await asked.admin('POST', 'faults', rule);

    expect([answer.status, answer.body['error']]).toEqual([400, expect.stringMatching(message)]);
  });
});
