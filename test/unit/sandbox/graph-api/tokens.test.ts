import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { type Asked, NOW, startAsking, textOf } from './asking.ts';

const DAY_MS = 86_400_000;
const NOW_S = Date.parse(NOW) / 1000;
const REDIRECT = 'http://localhost:7777/callback';

const all = [
  'pages_show_list',
  'pages_read_engagement',
  'instagram_basic',
  'instagram_manage_insights',
  'instagram_manage_comments',
];

const client = ({ world }: Asked) => ({
  client_id: world.app.clientId,
  client_secret: world.app.clientSecret,
});

async function logIn(asked: Asked, path: string, more: Record<string, string> = {}) {
  const url = new URL(path, asked.api.url);
  const query = { client_id: asked.world.app.clientId, redirect_uri: REDIRECT, state: 's 1' };
  url.search = new URLSearchParams({ ...query, response_type: 'code', ...more }).toString();
  const { status, headers } = await fetch(url, { redirect: 'manual' });
  return { status, location: new URL(headers.get('location') ?? 'http://nowhere') };
}

async function exchangeCode(asked: Asked, code: string): Promise<[number, JsonObject]> {
  const form = { ...client(asked), grant_type: 'authorization_code', redirect_uri: REDIRECT, code };
  const answer = await fetch(`${asked.api.url}/oauth/access_token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return [answer.status, (await answer.json()) as JsonObject];
}

describe('simulator tokens', () => {
  it('are described at /debug_token when the app asks', async () => {
    await using asked = await startAsking();
    const { clientId, clientSecret } = asked.world.app;

    const { body } = await asked.ask('/debug_token', {
      input_token: asked.world.token,
      access_token: `${clientId}|${clientSecret}`,
    });

    expect(body['data']).toMatchObject({
      app_id: clientId,
      type: 'USER',
      expires_at: 0,
      is_valid: true,
      issued_at: NOW_S - 7 * 86_400,
      data_access_expires_at: NOW_S + 83 * 86_400,
    });
    const { granular_scopes: granular } = body['data'] as JsonObject;
    expect(granular).toContainEqual({
      scope: 'instagram_basic',
      target_ids: asked.world.accounts.map(({ id }) => id),
    });
  });

  it('are described with the reason why they became invalid', async () => {
    await using asked = await startAsking();
    const page = asked.world.pages[0]?.token ?? '';
    asked.world.conditions.set({ badTokens: { [page]: 'password' } });
    const debug = async (input: string) => {
      const { body } = await asked.ask('/debug_token', { input_token: input });
      return body['data'];
    };

    expect(await debug(page)).toMatchObject({
      type: 'PAGE',
      profile_id: asked.world.pages[0]?.id,
      is_valid: false,
      error: { code: 190, subcode: 460 },
    });
    expect(await debug('nonsense')).toEqual({
      error: { code: 190, message: 'Invalid OAuth access token - Cannot parse access token' },
      is_valid: false,
      scopes: [],
    });
    expect(JSON.stringify(asked.api.ledger.entries)).not.toContain(page);
  });

  it('are described as expired an hour ago when a condition expires them', async () => {
    await using asked = await startAsking();
    const { token } = asked.world.accounts.map(({ instagramToken }) => ({
      token: instagramToken,
    }))[0] ?? { token: '' };
    asked.world.conditions.set({ badTokens: { [token]: 'expired' } });

    const { body } = await asked.ask('/debug_token', { input_token: token });

    expect(body['data']).toMatchObject({
      is_valid: false,
      expires_at: NOW_S - 3600,
      error: { code: 190, subcode: 463 },
    });
  });

  const denied = [400, 10, undefined, expect.stringContaining('does not have permission')];

  it.each([
    ['pages_show_list', (id: string) => ['/me/accounts', `/${id}/media`]],
    ['instagram_basic', (id: string) => [`/${id}`, '/me/accounts']],
    ['instagram_manage_insights', (id: string) => [`/${id}/insights`, `/${id}/media`]],
    ['instagram_manage_comments', (id: string) => [`/${id}/tags`, `/${id}/media`]],
  ])(
    'without the permission %s are rejected only where that permission is required',
    async (scope, paths) => {
      await using asked = await startAsking();
      const id = asked.world.accounts[0]?.id ?? '';
      const scopes = all.filter((one) => one !== scope);
      await asked.admin('PATCH', 'world', { tokens: { [asked.world.token]: { scopes } } });
      const query = { fields: 'id,instagram_business_account', metric: 'reach', period: 'day' };
      const answers = await Promise.all(
        paths(id).map(async (path) => {
          const { fields, ...metrics } = query;
          const { status, body } = await asked.ask(
            path,
            path === '/me/accounts' ? { fields } : metrics,
          );
          if (status !== 200) return await asked.refusal(path, metrics);
          return Array.isArray(body['data']) ? body['data'].length : 'read';
        }),
      );

      expect(answers).toEqual(
        {
          pages_show_list: [0, 25],
          instagram_basic: [denied, 3],
          instagram_manage_insights: [denied, 25],
          instagram_manage_comments: [denied, 25],
        }[scope],
      );
    },
  );

  it('of Instagram Login are rejected for insights when the account has not consented to insights', async () => {
    await using asked = await startAsking();
    const [account] = asked.world.accounts;
    const token = account?.instagramToken ?? '';
    asked.world.tokens.set(token, { scopes: ['instagram_business_basic'] });
    const query = { access_token: token, metric: 'reach', period: 'day' };

    expect(await asked.refusal('/me/insights', query)).toEqual(denied);
    expect((await asked.ask('/me/media', { access_token: token })).status).toBe(200);
  });

  it('are restored, and the app too, by DELETE of the world', async () => {
    await using asked = await startAsking();
    const { token, app } = asked.world;
    const before = { app: { ...app }, grant: asked.world.tokens.find(token) };
    await asked.admin('PATCH', 'world', {
      app: { requireProof: true, clientSecret: 'another' },
      tokens: { [token]: { scopes: [], expiresAt: '2020-01-01T00:00:00Z' }, unknown: {} },
    });
    expect((await asked.ask('/me/accounts')).status).toBe(400);

    await asked.admin('DELETE', 'world');

    expect({ app, grant: asked.world.tokens.find(token) }).toEqual(before);
    expect(asked.world.tokens.find('unknown')).toBeUndefined();
    expect((await asked.ask('/me/accounts')).status).toBe(200);
  });

  it('of Facebook are exchanged for tokens of sixty days, which then expire', async () => {
    await using asked = await startAsking();

    const { body } = await asked.ask('/oauth/access_token', {
      ...client(asked),
      grant_type: 'fb_exchange_token',
      fb_exchange_token: asked.world.token,
    });
    const token = { access_token: textOf(body['access_token']) };

    expect(body).toEqual({ ...token, token_type: 'bearer', expires_in: 5_184_000 });
    expect((await asked.ask('/me', token)).status).toBe(200);
    asked.world.clock.advance(60 * DAY_MS);
    expect(await asked.refusal('/me', token)).toEqual([
      400,
      190,
      463,
      'Error validating access token: Session has expired on Saturday, 11-Apr-26 05:00:00 PDT. The current time is Saturday, 11-Apr-26 05:00:00 PDT.',
    ]);
  });

  it.each([
    [{ client_id: '1' }, 101, /^Error validating application/],
    [{ client_secret: 'x' }, 1, /^Error validating client secret\.$/],
    [{ fb_exchange_token: 'x' }, 190, /Cannot parse access token$/],
    [{ grant_type: 'x' }, 100, /Unsupported grant type: x$/],
  ])('are not exchanged with %j', async (changes, code, message) => {
    await using asked = await startAsking();

    const refusal = await asked.refusal('/oauth/access_token', {
      ...client(asked),
      grant_type: 'fb_exchange_token',
      fb_exchange_token: asked.world.token,
      ...changes,
    });

    expect(refusal).toEqual([400, code, undefined, expect.stringMatching(message)]);
  });

  it('of Instagram Login come from a code once, for an hour and then for sixty days', async () => {
    await using asked = await startAsking();
    const account = asked.world.accounts[1];
    const { status, location } = await logIn(asked, '/oauth/authorize', {
      login_hint: account?.id ?? '',
    });
    const code = location.searchParams.get('code') ?? '';

    const [, short] = await exchangeCode(asked, `${code}#_`);
    const [granted] = short['data'] as unknown as readonly JsonObject[];
    const token = textOf(granted?.['access_token']);
    const long = await asked.ask('/access_token', {
      grant_type: 'ig_exchange_token',
      client_secret: asked.world.app.clientSecret,
      access_token: token,
    });

    expect([status, location.origin, location.searchParams.get('state'), location.hash]).toEqual([
      302,
      'http://localhost:7777',
      's 1',
      '#_',
    ]);
    expect(granted?.['permissions']).toContain('instagram_business_basic,');
    expect(long.body).toMatchObject({ token_type: 'bearer', expires_in: 5_184_000 });
    asked.world.clock.advance(3_600_000);
    const own = (access: unknown) =>
      asked.ask('/me', { fields: 'user_id', access_token: String(access) });
    expect((await own(token)).status).toBe(400);
    expect((await own(long.body['access_token'])).body['user_id']).toBe(account?.id);
    expect(await exchangeCode(asked, code)).toEqual([
      400,
      {
        error_type: 'OAuthException',
        code: 400,
        error_message: 'Matching code was not found or was already used',
      },
    ]);
  });

  it('come in a flat answer when codeShape is flat', async () => {
    await using asked = await startAsking();
    asked.world.app.codeShape = 'flat';
    const { location } = await logIn(asked, '/oauth/authorize');

    const [, body] = await exchangeCode(asked, location.searchParams.get('code') ?? '');

    expect(Object.keys(body)).toEqual(['access_token', 'user_id', 'permissions']);
    expect(body['permissions']).toContain('instagram_business_manage_insights');
  });

  it('of Facebook come from a code once; the second exchange of the code is rejected', async () => {
    await using asked = await startAsking();
    const { location } = await logIn(asked, '/v25.0/dialog/oauth');
    const code = location.searchParams.get('code') ?? '';

    const [, first] = await exchangeCode(asked, code);
    const [status, second] = await exchangeCode(asked, code);

    expect(first).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
    expect([status, second['error']]).toMatchObject([400, { code: 100, error_subcode: 36_009 }]);
  });

  it('of Instagram are refreshed when they are a day old, not younger', async () => {
    await using asked = await startAsking();
    const refresh = (token: unknown) =>
      asked.ask('/refresh_access_token', {
        grant_type: 'ig_refresh_token',
        access_token: String(token),
      });

    const first = await refresh(asked.world.accounts[0]?.instagramToken);
    const early = await refresh(first.body['access_token']);
    asked.world.clock.advance(DAY_MS);
    const second = await refresh(first.body['access_token']);

    expect([first.status, early.status, second.status]).toEqual([200, 400, 200]);
    expect(second.body['access_token']).not.toBe(first.body['access_token']);
    expect((await refresh(asked.world.token)).status).toBe(400);
  });

  it('require appsecret_proof when the app requires it', async () => {
    await using asked = await startAsking();
    asked.world.app.requireProof = true;
    const proof = createHmac('sha256', asked.world.app.clientSecret)
      .update(asked.world.token)
      .digest('hex');

    const without = await asked.refusal('/me');
    const wrong = await asked.refusal('/me', { appsecret_proof: 'beef' });
    const right = await asked.ask('/me/accounts', { appsecret_proof: proof, limit: '1' });

    expect(without[3]).toBe('API calls from the server require an appsecret_proof argument');
    expect(wrong[3]).toBe('Invalid appsecret_proof provided in the API argument');
    expect(right.status).toBe(200);
    expect(right.text).not.toContain(proof);
  });

  it('list the permissions of their user', async () => {
    await using asked = await startAsking();

    const { body } = await asked.ask('/me/permissions');

    expect(body['data']).toContainEqual({
      permission: 'instagram_manage_insights',
      status: 'granted',
    });
  });

  it('accept an expiry over HTTP', async () => {
    await using asked = await startAsking();
    const tokens = { [asked.world.token]: { expiresAt: '2026-02-10T13:00:00Z' } };
    await asked.admin('PATCH', 'world', { tokens, app: { requireProof: false } });

    expect((await asked.ask('/me')).status).toBe(200);
    asked.world.clock.advance(3_600_000);
    expect((await asked.refusal('/me')).slice(0, 3)).toEqual([400, 190, 463]);
  });
});
