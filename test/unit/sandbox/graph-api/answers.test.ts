import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { standingWorld, startAsking } from './asking.ts';

interface Metric {
  readonly values?: readonly { readonly value: unknown; readonly end_time?: string }[];
  readonly total_value?: JsonObject;
}

function metrics(body: JsonObject): readonly Metric[] {
  return body['data'] as unknown as readonly Metric[];
}

describe('simulator', () => {
  it('lists pages with and without an Instagram account', async () => {
    await using asked = await startAsking();

    const { body } = await asked.ask('/me/accounts', {
      fields: 'id,name,instagram_business_account{id,username}',
    });

    const pages = body['data'] as unknown as readonly JsonObject[];
    const accounts = pages.map((page) => page['instagram_business_account']);
    expect(pages.map((page) => Object.keys(page))).toEqual([
      ['id', 'name', 'instagram_business_account'],
      ['id', 'name'],
      ['id', 'name', 'instagram_business_account'],
    ]);
    expect(accounts[0]).toEqual({
      id: asked.world.accounts[0]?.id,
      username: asked.world.accounts[0]?.user['username'],
    });
  });

  it('returns the fields in the requested order, escaped as PHP does', async () => {
    await using asked = await startAsking();

    const { text, body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}`, {
      fields: 'website, username,biography',
    });

    expect(Object.keys(body)).toEqual(['website', 'username', 'biography', 'id']);
    expect(text).toContain('"https:\\/\\/shop-1.example.com\\/"');
    expect(text).toContain('\\u2013');
  });

  it.each([
    ['winter', '2026-02-10T12:00:00Z', 'T08:00:00+0000'],
    ['summer', '2026-07-10T12:00:00Z', 'T07:00:00+0000'],
  ])('ends a day at midnight US Pacific in %s', async (_, now, end) => {
    await using asked = await startAsking(standingWorld({ now }));

    const { body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/insights`, {
      metric: 'reach',
      period: 'day',
      since: String(Date.parse(now) / 1000 - 3 * 86_400),
      until: String(Date.parse(now) / 1000),
    });

    const ends = metrics(body)[0]?.values?.map(({ end_time: time }) => time?.slice(10));
    expect(ends).toEqual([end, end, end]);
  });

  it('includes a day that ends exactly at since or until', async () => {
    await using asked = await startAsking();
    const at = (text: string) => String(Date.parse(text) / 1000);

    const { body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/insights`, {
      metric: 'reach',
      period: 'day',
      since: at('2026-02-05T08:00:00Z'),
      until: at('2026-02-07T08:00:00Z'),
    });

    expect(metrics(body)[0]?.values?.map(({ end_time: time }) => time)).toEqual([
      '2026-02-05T08:00:00+0000',
      '2026-02-06T08:00:00+0000',
      '2026-02-07T08:00:00+0000',
    ]);
  });

  it('returns a next link into the future for account insights', async () => {
    await using asked = await startAsking();

    const { body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/insights`, {
      metric: 'reach',
      period: 'day',
      since: '2026-02-03',
      until: '2026-02-10',
    });

    const { next } = body['paging'] as unknown as { readonly next: string };
    const since = new URL(next).searchParams.get('since');
    expect(since).toBe(String(Date.parse('2026-02-10T00:00:00Z') / 1000 + 1));
  });

  it('corrects the values of a day until 48 hours after its end, and then keeps them', async () => {
    await using asked = await startAsking();
    const reach = () => {
      const days = asked.world.accounts[0]?.series ?? [];
      return days.find(({ endTimeMs }) => endTimeMs === Date.parse('2026-02-10T08:00:00Z'))?.reach;
    };
    const first = reach();
    asked.world.clock.advance(50 * 3_600_000);
    const settled = reach();
    asked.world.clock.advance(50 * 3_600_000);

    expect(settled).toBeGreaterThan(first ?? Infinity);
    expect(reach()).toBe(settled);
  });

  it('returns follower_demographics without results below a hundred followers', async () => {
    await using asked = await startAsking();
    const ask = async (index: number) => {
      const { body } = await asked.ask(`/${asked.world.accounts[index]?.id ?? ''}/insights`, {
        metric: 'follower_demographics',
        period: 'lifetime',
        metric_type: 'total_value',
        breakdown: 'age,gender',
      });
      return metrics(body)[0]?.total_value?.['breakdowns'] as unknown as readonly JsonObject[];
    };

    expect(await ask(1)).toEqual([{ dimension_keys: ['age', 'gender'] }]);
    const [full] = await ask(0);
    expect(full?.['results']).toContainEqual({
      dimension_values: ['25-34', 'F'],
      value: asked.world.accounts[0]?.demographics['age,gender']?.['25-34,F'],
    });
  });

  it('returns the requested timeframe of an audience as a dimension', async () => {
    await using asked = await startAsking();
    const path = `/${asked.world.accounts[0]?.id ?? ''}/insights`;
    const query = {
      metric: 'reached_audience_demographics',
      period: 'lifetime',
      metric_type: 'total_value',
      breakdown: 'country',
    };

    const { body } = await asked.ask(path, { ...query, timeframe: 'this_month' });
    const refused = await asked.refusal(path, { ...query, timeframe: 'last_year' });

    const [full] = metrics(body)[0]?.total_value?.['breakdowns'] as unknown as [JsonObject];
    expect(full['dimension_keys']).toEqual(['timeframe', 'country']);
    expect((full['results'] as unknown as readonly JsonObject[])[0]).toMatchObject({
      dimension_values: ['THIS_MONTH', expect.stringMatching(/^[A-Z]{2}$/)],
    });
    expect(refused.slice(0, 2)).toEqual([400, 100]);
  });

  it('expands the children of an album with the fields of a child', async () => {
    await using asked = await startAsking();
    const album = asked.world.accounts[0]?.media.find(({ children }) => children.length > 0);

    const { body } = await asked.ask(`/${album?.id ?? ''}`, {
      fields: 'id,children{id,caption,media_type}',
    });

    const { data } = body['children'] as unknown as { readonly data: readonly JsonObject[] };
    expect(data.map((child) => Object.keys(child))).toEqual(
      album?.children.map(() => ['id', 'media_type']),
    );
  });

  it('hides like counts that the owner hides in lists, but not in a direct read', async () => {
    await using asked = await startAsking();
    const hidden =
      asked.world.accounts[0]?.media.find(({ traits }) => traits.hiddenLikes)?.id ?? '';

    const list = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/media`, {
      fields: 'id,like_count',
      limit: '100',
    });
    const direct = await asked.ask(`/${hidden}`, { fields: 'like_count' });

    const listed = (list.body['data'] as unknown as readonly JsonObject[]).find(
      ({ id }) => id === hidden,
    );
    expect(listed).toEqual({ id: hidden });
    expect(direct.body['like_count']).toEqual(expect.any(Number));
  });

  it('returns the navigation of a story by action, as values and as a total', async () => {
    await using asked = await startAsking();
    const story = asked.world.accounts[0]?.stories.at(-1);

    const { body } = await asked.ask(`/${story?.id ?? ''}/insights`, {
      metric: 'navigation',
      breakdown: 'story_navigation_action_type',
    });

    const total = story?.insights(asked.world.clock.now())?.['navigation'];
    expect(metrics(body)[0]?.values).toEqual([{ value: total }]);
    expect(metrics(body)[0]?.total_value).toMatchObject({ value: total });
  });

  it('signs media URLs anew at every request', async () => {
    await using asked = await startAsking();
    const path = `/${asked.world.accounts[0]?.media[0]?.id ?? ''}`;
    const url = async () => {
      const { body } = await asked.ask(path, { fields: 'media_url' });
      return (body as { readonly media_url: string }).media_url;
    };
    const [first, second] = [await url(), await url()];

    expect(first).not.toBe(second);
    expect(first.split('?')[0]).toBe(second.split('?')[0]);
  });

  it('lists a story for 24 hours', async () => {
    await using asked = await startAsking(standingWorld({ storiesPerAccount: 1 }));
    const [story] = asked.world.accounts[0]?.stories ?? [];
    const list = async () => {
      const { body } = await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/stories`);
      return (body['data'] as unknown as readonly JsonObject[]).map(({ id }) => id);
    };

    expect(await list()).toContain(story?.id);
    asked.world.clock.advance(24 * 3_600_000);
    expect(await list()).not.toContain(story?.id);
  });

  it('records every request in the ledger, without its token', async () => {
    await using asked = await startAsking();
    await asked.ask(`/${asked.world.accounts[0]?.id ?? ''}/media`);
    await asked.ask('/1', {});

    expect(asked.api.ledger.byEndpoint()).toEqual({
      '/{account}/media': { requests: 1, calls: 1, errors: 0, throttled: 0 },
      '/{media}': { requests: 1, calls: 1, errors: 1, throttled: 0 },
    });
    expect(JSON.stringify(asked.api.ledger.entries)).not.toContain(asked.world.token);
  });

  it('sets its clock and returns its truth and ledger over HTTP', async () => {
    await using asked = await startAsking();
    const own = async (name: string, init?: RequestInit) =>
      (await (await fetch(`${asked.api.url}/_sandbox/${name}`, init)).json()) as JsonObject;

    const body = JSON.stringify({ advance_ms: 3_600_000 });
    expect(await own('clock', { method: 'POST', body })).toEqual({
      now: '2026-02-10T13:00:00.000Z',
      speed: 0,
    });
    expect((await own('truth'))['now']).toBe('2026-02-10T13:00:00+0000');
    expect((await own('ledger'))['total']).toEqual({
      requests: 0,
      calls: 0,
      errors: 0,
      throttled: 0,
    });
    expect(await own('health')).toEqual({ status: 'ok', accounts: 2 });
  });

  it('builds the same world from the same seed, and another world from another seed', () => {
    const ids = (seed: number) =>
      standingWorld({ seed }).accounts.flatMap(({ media }) => media.map(({ id }) => id));

    expect(ids(3)).toEqual(ids(3));
    expect(ids(3)).not.toEqual(ids(4));
  });
});

describe('simulator API version', () => {
  it.each([
    ['v21.0', 'v21.0'],
    ['v27.0', 'v27.0'],
    ['v19.0', 'v21.0'],
  ])('%s is answered as %s', async (version, answered) => {
    await using asked = await startAsking();

    const { status, headers } = await fetch(
      `${asked.api.url}/${version}/me?access_token=${asked.world.token}`,
    );

    expect([status, headers.get('facebook-api-version')]).toEqual([200, answered]);
  });

  it('that is not released yet is answered as an unknown path', async () => {
    await using asked = await startAsking();

    const answer = await fetch(`${asked.api.url}/v28.0/me?access_token=${asked.world.token}`);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: 2500, message: 'Unknown path components: /me' },
    });
  });
});
