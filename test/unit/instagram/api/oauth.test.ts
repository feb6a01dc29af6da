import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { beginLogin, readAnswer } from '../../../../src/instagram/api/login.ts';
import { OAuth } from '../../../../src/instagram/api/oauth.ts';
import type { OAuthOptions } from '../../../../src/instagram/options.ts';
import type { Answer, Transport } from '../../../../src/instagram/api/transport.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';
import { calm, rejection } from '../opened.ts';

const secrets = { token: 'EAAtoken0123456789abcdefghij', app: 'hush-app-secret', code: 'AQcode' };
const nowMs = Date.UTC(2026, 10, 26);
const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };

interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly form: URLSearchParams;
  readonly accessToken: string | null;
}

/** A fake of Meta's hosts that answers with the test's response. */
function atMeta(changes: Partial<OAuthOptions>, answer: () => { status?: number; body: unknown }) {
  const sent: Sent[] = [];
  const respond = (one: Omit<Sent, 'url'> & { url: string }): Promise<Answer> => {
    const { origin, pathname, searchParams } = new URL(one.url);
    const form = one.method === 'GET' ? searchParams : one.form;
    sent.push({ ...one, url: new URL(pathname, origin), form });
    const { status = 200, body } = answer();
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return Promise.resolve({ status, headers: new Headers(), body: bytes });
  };
  const none = new URLSearchParams();
  const transport: Transport = {
    get: async (url, accessToken) => respond({ method: 'GET', url, form: none, accessToken }),
    post: async (url, form) => respond({ method: 'POST', url, form, accessToken: null }),
    delete: () => Promise.reject(new Error('no DELETE is expected')),
  };
  const options: OAuthOptions = {
    login: 'facebook',
    apiVersion: 'v25.0',
    baseUrl: null,
    clientId: '123',
    clientSecret: secrets.app,
    requestTimeoutMs: 1000,
    ...changes,
  };
  const telemetry = createRecordingTelemetry();
  return { sent, telemetry, oauth: new OAuth(options, { transport, telemetry, clock }) };
}

const granted = { access_token: 'EAAnew', token_type: 'bearer', expires_in: 60 };
const grant = {
  clientId: '123',
  clientSecret: secrets.app,
  redirectUri: 'http://localhost:8087/',
  code: secrets.code,
};

describe('OAuth client', () => {
  test.each([
    [
      'facebook',
      'exchange',
      'GET https://graph.facebook.com/v25.0/oauth/access_token fb_exchange_token',
    ],
    [
      'facebook',
      'refresh',
      'GET https://graph.facebook.com/v25.0/oauth/access_token fb_exchange_token',
    ],
    ['instagram', 'exchange', 'GET https://graph.instagram.com/access_token ig_exchange_token'],
    [
      'instagram',
      'refresh',
      'GET https://graph.instagram.com/refresh_access_token ig_refresh_token',
    ],
  ] as const)('sends with %s login for %s the request %s', async (login, name, asked) => {
    const { sent, oauth } = atMeta({ login }, () => ({ body: granted }));

    expect(await oauth[name](secrets.token, calm)).toEqual({
      accessToken: 'EAAnew',
      expiresAtMs: nowMs + 60_000,
    });
    const type = (form: URLSearchParams) => form.get('grant_type') ?? '';
    const calls = sent.map(({ method, url, form }) => `${method} ${url.toString()} ${type(form)}`);
    expect(calls).toEqual([asked]);
    expect([...(sent[0]?.form.values() ?? [])]).toContain(secrets.token);
  });

  test.each([
    ['facebook', 'GET https://graph.facebook.com/v25.0/oauth/access_token', granted],
    ['instagram', 'POST https://api.instagram.com/oauth/access_token', { access_token: 'EAAnew' }],
    [
      'instagram',
      'POST https://api.instagram.com/oauth/access_token',
      { data: [{ access_token: 'EAAnew', user_id: '1', permissions: 'a' }] },
    ],
  ] as const)('redeems a code with %s login by %s', async (login, call, body) => {
    const { sent, oauth } = atMeta({ login }, () => ({ body }));

    const { accessToken } = await oauth.redeem({ ...grant, codeVerifier: 'verifier' }, calm);

    expect(accessToken).toBe('EAAnew');
    expect(sent.map(({ method, url }) => `${method} ${url.toString()}`)).toEqual([call]);
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      client_id: '123',
      client_secret: secrets.app,
      grant_type: 'authorization_code',
      redirect_uri: grant.redirectUri,
      code: secrets.code,
      code_verifier: 'verifier',
    });
  });

  test.each([
    [{}, `123|${secrets.app}`, false],
    [{ clientId: null }, secrets.token, true],
    [{ clientId: null, clientSecret: null }, secrets.token, false],
  ])(
    'inspects a token with %j as the app or as the token itself',
    async (changes, asker, isProved) => {
      const { sent, oauth } = atMeta(changes, () => ({ body: { data: { is_valid: true } } }));

      await oauth.inspect(secrets.token, calm);

      const [call] = sent;
      expect(call?.url.toString()).toBe('https://graph.facebook.com/v25.0/debug_token');
      expect(call?.accessToken).toBe(asker);
      expect(call?.form.has('appsecret_proof')).toBe(isProved);
    },
  );

  test.each([[{}], [{ access_token: 7 }], [{ access_token: 'a\nb' }], [{ data: [] }]])(
    'rejects the answer %j, which holds no token, as a bad body',
    async (body) => {
      const { oauth } = atMeta({}, () => ({ body }));

      expect(await rejection(oauth.exchange(secrets.token, calm))).toMatchObject({
        code: 'graph.bad-body',
      });
    },
  );

  test('reports each request, whatever Meta answers', async () => {
    const good = atMeta({}, () => ({ body: granted }));
    const bad = atMeta({}, () => ({ status: 400, body: { error: { message: 'no', code: 190 } } }));

    await good.oauth.refresh(secrets.token, calm);
    await rejection(bad.oauth.exchange(secrets.token, calm));

    const asked = { type: 'request', endpoint: '/oauth/access_token', calls: 1, durationMs: 0 };
    expect(good.telemetry.events).toEqual([{ ...asked, outcome: 'ok' }]);
    expect(bad.telemetry.events).toEqual([{ ...asked, outcome: 'graph.token' }]);
  });

  test('reports errors without any secret that was sent (Invariant 9)', async () => {
    const message = `no ${secrets.token} ${secrets.app} ${secrets.code} verifier-of-it`;
    const { oauth } = atMeta({}, () => ({ status: 400, body: { error: { message, code: 100 } } }));

    const errors = await Promise.all([
      rejection(oauth.exchange(secrets.token, calm)),
      rejection(oauth.inspect(secrets.token, calm)),
      rejection(oauth.redeem({ ...grant, codeVerifier: 'verifier-of-it' }, calm)),
    ]);

    const [exchange, asked, redeem] = errors.map((error) => inspect(error, { depth: 9 }));
    expect(exchange).toContain(`no [secret] [secret] ${secrets.code}`);
    expect(asked).not.toContain(secrets.token);
    expect(redeem).toContain('[secret] [secret] [secret]');
  });
});

describe('OAuth login', () => {
  test("starts at Facebook's dialog with a PKCE challenge", () => {
    const at = { login: 'facebook', apiVersion: 'v25.0', baseUrl: null } as const;
    const begun = beginLogin(at, {
      clientId: '1',
      redirectUri: 'http://localhost/',
      scope: ['a', 'b'],
      configId: null,
    });

    const url = new URL(begun.url);
    const hash = createHash('sha256')
      .update(begun.codeVerifier ?? '')
      .digest('base64url');
    expect(`${url.origin}${url.pathname}`).toBe('https://www.facebook.com/v25.0/dialog/oauth');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: '1',
      redirect_uri: 'http://localhost/',
      response_type: 'code',
      scope: 'a,b',
      state: begun.state,
      code_challenge: hash,
      code_challenge_method: 'S256',
    });
    expect(begun.codeVerifier).toMatch(/^[\w-]{64}$/);
  });

  test('requests the configuration of Facebook Login for Business in place of permissions', () => {
    const at = { login: 'facebook', apiVersion: 'v25.0', baseUrl: null } as const;
    const redirectUri = 'http://localhost/';
    const { url } = beginLogin(at, { clientId: '1', redirectUri, scope: ['a'], configId: '7' });

    const parameters = new URL(url).searchParams;
    expect(parameters.get('config_id')).toBe('7');
    expect(parameters.get('response_type')).toBe('code');
    expect(parameters.has('scope')).toBe(false);
  });

  test("starts at Instagram's page without a PKCE challenge", () => {
    const at = { login: 'instagram', apiVersion: 'v25.0', baseUrl: null } as const;
    const request = {
      clientId: '1',
      redirectUri: 'https://example.org/',
      scope: ['a'],
      configId: null,
    };
    const [one, other] = [beginLogin(at, request), beginLogin(at, request)];

    expect(one.url).toMatch(/^https:\/\/www\.instagram\.com\/oauth\/authorize\?client_id=1&/);
    expect([one.codeVerifier, one.url.includes('code_challenge')]).toEqual([null, false]);
    expect(one.state).not.toBe(other.state);
    expect(one.state.length).toBeGreaterThan(30);
  });

  test.each([
    ['?code=AQ&state=s', { kind: 'code', code: 'AQ' }],
    ['?code=AQ%23_&state=s#_', { kind: 'code', code: 'AQ' }],
    ['?code=AQ&state=S', { kind: 'foreign' }],
    ['?code=AQ', { kind: 'foreign' }],
    ['?error=access_denied&state=s', { kind: 'denied', reason: 'access_denied' }],
    ['?error=x&error_description=No%0A%1B[1m&state=s', { kind: 'denied', reason: 'No??[1m' }],
    ['?error=x&state=', { kind: 'foreign' }],
    ['?state=s', { kind: 'nothing' }],
  ])('reads the redirect %s as %j', (search, answer) => {
    expect(readAnswer(new URL(search, 'http://localhost/'), 's')).toEqual(answer);
  });
});
