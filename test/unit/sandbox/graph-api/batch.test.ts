import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import type { Asked } from './asking.ts';
import { standingWorld, startAsking } from './asking.ts';

interface Item {
  readonly code: number;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  readonly body: string;
}

async function post(
  asked: Asked,
  urls: readonly string[],
  changes: Readonly<Record<string, string>> = {},
): Promise<{ status: number; items: readonly Item[]; error: JsonObject }> {
  const batch = JSON.stringify(urls.map((url) => ({ method: 'GET', relative_url: url })));
  const answer = await fetch(`${asked.api.url}/v25.0/`, {
    method: 'POST',
    body: new URLSearchParams({ access_token: asked.world.token, batch, ...changes }),
  });
  const body: unknown = await answer.json();
  const { error } = body as { error: JsonObject };
  return { status: answer.status, items: body as readonly Item[], error };
}

describe('batches of the simulator', () => {
  it('answers each request for itself, and counts each', async () => {
    await using asked = await startAsking(standingWorld({ limits: { account: { calls: 2 } } }));
    const [first] = asked.world.accounts;
    const { id: account = '', media: [newest] = [] } = first ?? {};
    const media = newest?.id ?? '';

    const { status, items } = await post(asked, [
      `v25.0/${media}/insights?metric=reach`,
      `v25.0/${account}/media?fields=nonsense`,
      'v25.0/me',
      account,
    ]);

    expect(status).toBe(200);
    expect(items.map(({ code }) => code)).toEqual([200, 400, 200, 400]);
    const bodies = items.map(({ body }) => JSON.parse(body) as JsonObject);
    expect(bodies[1]).toMatchObject({ error: { code: 100 } });
    expect(bodies[3]).toMatchObject({ error: { code: 80_002 } });
    expect(items[0]?.headers).toContainEqual({
      name: 'Content-Type',
      value: 'application/json; charset=UTF-8',
    });
    expect(asked.api.ledger.total()).toEqual({ requests: 4, ids: 4, errors: 2, throttled: 1 });
  });

  it('leaves the headers out where it is told to', async () => {
    await using asked = await startAsking();

    const { items } = await post(asked, ['me'], { include_headers: 'false' });

    expect(Object.keys(items[0] ?? {})).toEqual(['code', 'body']);
  });

  it('refuses more than fifty requests, and what is no list', async () => {
    await using asked = await startAsking();

    const many = await post(
      asked,
      Array.from({ length: 51 }, () => 'me'),
    );
    const none = await post(asked, [], { batch: '{}' });

    expect([many.status, many.error['message']]).toEqual([
      400,
      'Too many requests in batch message. Maximum batch size is 50',
    ]);
    expect(none.status).toBe(400);
    expect(asked.api.ledger.total().requests).toBe(0);
  });

  it('is not there for Instagram Login', async () => {
    await using asked = await startAsking();
    const token = asked.world.accounts[0]?.instagramToken ?? '';

    const { status, error } = await post(asked, ['me'], { access_token: token });

    expect(status).toBe(400);
    expect(error['message']).toMatch(/access_denied: Cannot call API for app \d+ on behalf of us/);
  });
});
