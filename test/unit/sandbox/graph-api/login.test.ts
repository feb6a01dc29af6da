import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { type Asked, startAsking, textOf } from './asking.ts';

const REDIRECT = 'http://localhost:7777/callback';
const VERIFIER = 'a-proof-key-of-forty-three-characters-at-least';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

function loginUrl(asked: Asked, path: string, more: Record<string, string> = {}): URL {
  const url = new URL(path, asked.api.url);
  const query = { client_id: asked.world.app.clientId, redirect_uri: REDIRECT, state: 's 1' };
  url.search = new URLSearchParams({ ...query, response_type: 'code', ...more }).toString();
  return url;
}

async function decided(url: URL): Promise<URLSearchParams> {
  const { headers } = await fetch(url, { redirect: 'manual' });
  return new URL(headers.get('location') ?? 'http://nowhere').searchParams;
}

async function exchanged(asked: Asked, code: string, more: Record<string, string> = {}) {
  const { clientId, clientSecret } = asked.world.app;
  const { body } = await asked.ask('/oauth/access_token', {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uri: REDIRECT,
    code,
    ...more,
  });
  return body;
}

describe('simulator login', () => {
  it.each(['/v25.0/dialog/oauth', '/oauth/authorize'])(
    'at %s shows the requested permissions in a browser, and redirects after the decision',
    async (path) => {
      await using asked = await startAsking();
      const url = loginUrl(asked, path, { scope: 'instagram_basic,<b>' });
      const page = await fetch(url, { headers: { accept: 'text/html' } });
      url.searchParams.set('decision', 'deny');
      const denied = await decided(url);
      url.searchParams.set('decision', 'allow');
      const allowed = await decided(url);

      expect(page.headers.get('content-type')).toBe('text/html');
      expect(await page.text()).toContain('<li>instagram_basic</li><li>&#60;b&#62;</li>');
      expect(Object.fromEntries(denied)).toEqual({
        error: 'access_denied',
        error_code: '200',
        error_description: 'Permissions error',
        error_reason: 'user_denied',
        state: 's 1',
      });
      expect([...allowed.keys()]).toEqual(['code', 'state']);
    },
  );

  it('grants only the requested permissions', async () => {
    await using asked = await startAsking();
    const scope = 'instagram_basic,pages_show_list,publish_everything';
    const code = textOf((await decided(loginUrl(asked, '/dialog/oauth', { scope }))).get('code'));
    const { access_token: short } = await exchanged(asked, code);
    const { access_token: long } = await exchanged(asked, '', {
      grant_type: 'fb_exchange_token',
      fb_exchange_token: textOf(short),
    });

    const token = { access_token: textOf(long) };
    const { body } = await asked.ask('/me/permissions', token);
    const told = await asked.ask('/debug_token', { ...token, input_token: textOf(long) });

    expect(body['data']).toEqual([
      { permission: 'pages_show_list', status: 'granted' },
      { permission: 'instagram_basic', status: 'granted' },
    ]);
    expect(told.body['data']).toMatchObject({ scopes: ['pages_show_list', 'instagram_basic'] });
  });

  it('with Facebook rejects a code without the PKCE verifier of its login', async () => {
    await using asked = await startAsking();
    const proof = { code_challenge: CHALLENGE, code_challenge_method: 'S256' };
    const code = textOf((await decided(loginUrl(asked, '/dialog/oauth', proof))).get('code'));

    const without = await exchanged(asked, code);
    const wrong = await exchanged(asked, code, { code_verifier: `${VERIFIER}x` });
    const right = await exchanged(asked, code, { code_verifier: VERIFIER });

    expect((without['error'] as JsonObject)['message']).toMatch(/code_verifier does not match/);
    expect((wrong['error'] as JsonObject)['code']).toBe(100);
    expect(right['token_type']).toBe('bearer');
    expect(JSON.stringify(asked.api.ledger.entries)).not.toContain(VERIFIER);
  });

  it('describes the token of a system user as one without expiry', async () => {
    await using asked = await startAsking();
    const { token } = asked.world;
    await asked.admin('PATCH', 'world', { tokens: { [token]: { systemUser: true } } });

    const { body } = await asked.ask('/debug_token', { input_token: token });

    expect(body['data']).toMatchObject({
      type: 'SYSTEM_USER',
      expires_at: 0,
      data_access_expires_at: 0,
    });
  });

  it('with a configuration grants its permissions and the token of its owner', async () => {
    await using asked = await startAsking();
    const proof = { code_challenge: CHALLENGE, code_challenge_method: 'S256' };
    const configurations = {
      1: { tokenType: 'system-user', scopes: ['instagram_basic'] },
      2: { tokenType: 'system-user', expiresInDays: 60 },
      3: { ignoresProofKey: true },
    };
    await asked.admin('PATCH', 'world', { app: { configurations } });
    const grantedBy = async (config_id: string, more: Record<string, string>) => {
      const answer = await decided(loginUrl(asked, '/dialog/oauth', { ...proof, config_id }));
      return exchanged(asked, textOf(answer.get('code')), more);
    };

    const endless = await grantedBy('1', { code_verifier: VERIFIER });
    const ending = await grantedBy('2', { code_verifier: VERIFIER });
    const withoutVerifier = [await grantedBy('2', {}), await grantedBy('3', {})];
    const unknown = await fetch(loginUrl(asked, '/dialog/oauth', { config_id: '4' }));
    const told = await asked.ask('/debug_token', { input_token: textOf(endless['access_token']) });

    expect(told.body['data']).toMatchObject({
      type: 'SYSTEM_USER',
      expires_at: 0,
      scopes: ['instagram_basic'],
    });
    expect([endless['expires_in'], ending['expires_in']]).toEqual([undefined, 60 * 86_400]);
    expect(withoutVerifier).toEqual([
      { error: expect.objectContaining({ code: 100 }) },
      expect.objectContaining({ expires_in: 3600 }),
    ]);
    expect(unknown.status).toBe(400);
  });
});
