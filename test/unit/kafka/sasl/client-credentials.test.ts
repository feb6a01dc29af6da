import { constants, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import {
  requestClientToken,
  type ClientAuthentication,
  type ClientCredentials,
} from '../../../../src/kafka/sasl/client-credentials.ts';
import { createOauthTokens } from '../../../../src/kafka/sasl/tokens.ts';
import { answering, startHttpServer, type Handler } from '../../../support/http-server.ts';

interface Setting {
  readonly handler: Handler;
  readonly changes?: Partial<ClientCredentials>;
}

async function setUp({ handler, changes = {} }: Setting) {
  const server = await startHttpServer(handler);
  const clock = { ms: 0 };
  const told: string[] = [];
  const client = {
    tokenEndpointUrl: `${server.url}/token`,
    clientId: 'a client',
    authentication: { method: 'client_secret_basic', secret: () => 'hush€' } as const,
    scope: 'kafka write',
    timeoutMs: 5000,
    ...changes,
  };
  const source = {
    request: () => requestClientToken(client),
    extensions: { pool: 'p-1' },
    onToken: (token: string) => told.push(token),
  };
  const tokens = createOauthTokens(source, () => clock.ms);
  return {
    server,
    clock,
    told,
    tokens,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Answers with `token-1`, `token-2` and so on. */
function counting(expiresIn?: number): Handler {
  let count = 0;
  return (_request, response) => {
    count += 1;
    response.end(JSON.stringify({ access_token: `token-${count}`, expires_in: expiresIn }));
  };
}

describe('OAuth tokens of the Kafka client', () => {
  test('are requested with the client id and secret, encoded by RFC 6749', async () => {
    await using world = await setUp({ handler: counting(100) });

    await expect(world.tokens.token()).resolves.toEqual({
      value: 'token-1',
      extensions: { pool: 'p-1' },
    });
    const pair = Buffer.from('a+client:hush%E2%82%AC').toString('base64');
    expect(world.server.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${pair}`,
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    });
    expect(world.told).toEqual(['token-1']);
  });

  test('are reused until 80 % of their lifetime is over', async () => {
    await using world = await setUp({ handler: counting(100) });

    await world.tokens.token();
    world.clock.ms = 79_000;
    await expect(world.tokens.token()).resolves.toMatchObject({ value: 'token-1' });
    world.clock.ms = 81_000;
    await expect(world.tokens.token()).resolves.toMatchObject({ value: 'token-2' });
  });

  test('are requested once for all concurrent callers', async () => {
    await using world = await setUp({ handler: counting() });

    await Promise.all([world.tokens.token(), world.tokens.token(), world.tokens.token()]);
    expect(world.server.requests).toHaveLength(1);
  });

  test('provide the subject of the principal', async () => {
    const payload = Buffer.from(JSON.stringify({ sub: 'alice' })).toString('base64url');
    await using world = await setUp({
      handler: answering(200, { access_token: `e30.${payload}.x` }),
    });

    expect(world.tokens.subject()).toBeUndefined();
    await world.tokens.token();
    expect(world.tokens.subject()).toBe('alice');
  });

  test('stop the process when the client is unknown, and the error hides the secret', async () => {
    await using world = await setUp({ handler: answering(401, { error: 'invalid_client' }) });

    const error: unknown = await world.tokens.token().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3, retriable: false });
    expect(String(error)).toMatch(/refused the client a client \(HTTP 401, invalid_client\)/);
    expect(String(error)).not.toContain('hush');
  });

  test.each<[string, Handler, RegExp]>([
    ['an error of the server', answering(503, {}), /HTTP 503/],
    ['too many requests', answering(429, {}), /HTTP 429/],
    [
      'a redirect, which is not followed',
      answering(302, {}, { location: '/elsewhere' }),
      /HTTP 302/,
    ],
    ['a page', answering(200, '<html>'), /no access_token/],
    ['a token with a line break', answering(200, { access_token: 'a\nb' }), /no access_token/],
  ])('are retried later after %s', async (_what, handler, said) => {
    await using world = await setUp({ handler });

    await expect(world.tokens.token()).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
      message: expect.stringMatching(said),
    });
    expect(world.server.requests).toHaveLength(1);
  });

  test('are read up to 64 KiB of the response, compressed or not', async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    const closed = Promise.withResolvers<undefined>();
    await using endless = await setUp({
      handler: (_request, response) => {
        response.on('close', () => {
          closed.resolve(undefined);
        });
        const more = (): void => {
          if (response.destroyed) return;
          response.write(' '.repeat(16_384), () => setImmediate(more));
        };
        more();
      },
    });
    await expect(endless.tokens.token()).rejects.toThrow(/its answer exceeds 65536 bytes/);
    await closed.promise;
    await using compressed = await setUp({
      handler: (_request, response) => {
        response.setHeader('content-encoding', 'gzip');
        response.end(packed);
      },
    });
    await expect(compressed.tokens.token()).rejects.toThrow(/its answer exceeds 65536 bytes/);
  });

  test('are retried later when the endpoint is silent or unreachable', async () => {
    await using silent = await setUp({ handler: () => undefined, changes: { timeoutMs: 100 } });
    await expect(silent.tokens.token()).rejects.toThrow(/TimeoutError/);
    await using gone = await setUp({
      handler: () => undefined,
      changes: { tokenEndpointUrl: 'http://127.0.0.1:1' },
    });
    await expect(gone.tokens.token()).rejects.toMatchObject({ code: 'kafka.unavailable' });
  });
});

/** A token endpoint that keeps the forms of its requests. */
async function startTokenEndpoint(answer: Handler = counting()) {
  const forms: URLSearchParams[] = [];
  const server = await startHttpServer((seen, response, raw) => {
    void text(raw).then((body) => {
      forms.push(new URLSearchParams(body));
      answer(seen, response, raw);
    });
  });
  return { ...server, forms };
}

function clientOf(url: string, authentication: ClientAuthentication): ClientCredentials {
  const tokenEndpointUrl = `${url}/token`;
  return { tokenEndpointUrl, clientId: 'me', authentication, scope: 'kafka', timeoutMs: 5000 };
}

const pemOf = (key: KeyObject, password?: string) =>
  key
    .export({
      type: 'pkcs8',
      format: 'pem',
      ...(password !== undefined && { cipher: 'aes-256-cbc', passphrase: password }),
    })
    .toString();

const keys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
};

function keyLogin(changes: object = {}): ClientAuthentication {
  return {
    method: 'private_key_jwt',
    key: () => ({ pem: pemOf(keys.rsa.privateKey), password: null }),
    algorithm: 'RS256',
    keyId: null,
    audience: null,
    ...changes,
  };
}

function partsOf(form: URLSearchParams | undefined) {
  const assertion = form?.get('client_assertion') ?? '';
  const [header = '', payload = '', signature = ''] = assertion.split('.');
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
  return {
    header: read(header),
    payload: read(payload),
    signed: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

describe('the authentication of a client', () => {
  test('by client_secret_post has the id and the secret in the form and not in the header', async () => {
    await using endpoint = await startTokenEndpoint();
    const authentication = { method: 'client_secret_post', secret: () => 'hush€' } as const;

    await requestClientToken(clientOf(endpoint.url, authentication));

    expect(Object.fromEntries(endpoint.forms[0] ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'kafka',
      client_id: 'me',
      client_secret: 'hush€',
    });
    expect(endpoint.requests[0]?.headers.authorization).toBeUndefined();
  });

  test.each([
    ['RS256', 'rsa', 'sha256'],
    ['RS384', 'rsa', 'sha384'],
    ['RS512', 'rsa', 'sha512'],
    ['PS256', 'rsa', 'sha256'],
    ['PS384', 'rsa', 'sha384'],
    ['PS512', 'rsa', 'sha512'],
    ['ES256', 'P-256', 'sha256'],
    ['ES384', 'P-384', 'sha384'],
    ['ES512', 'P-521', 'sha512'],
  ] as const)('by private_key_jwt is signed with %s', async (algorithm, kind, digest) => {
    await using endpoint = await startTokenEndpoint();
    const { privateKey, publicKey } = keys[kind];
    const key = () => ({ pem: pemOf(privateKey), password: null });

    await requestClientToken(clientOf(endpoint.url, keyLogin({ algorithm, key })));

    const { header, signed, signature } = partsOf(endpoint.forms[0]);
    expect(header).toEqual({ alg: algorithm });
    const verifier = {
      key: publicKey,
      dsaEncoding: 'ieee-p1363',
      ...(algorithm.startsWith('PS') && {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }),
    } as const;
    expect(verify(digest, signed, verifier, signature)).toBe(true);
  });

  test('by private_key_jwt names the client, the endpoint and a minute, each time anew', async () => {
    await using endpoint = await startTokenEndpoint();
    const client = clientOf(endpoint.url, keyLogin());
    const nowS = Math.floor(Date.now() / 1000);

    await requestClientToken(client);
    await requestClientToken(client);

    const [first, second] = endpoint.forms.map((form) => partsOf(form).payload);
    expect(first).toMatchObject({ iss: 'me', sub: 'me', aud: client.tokenEndpointUrl });
    const times = [first?.['iat'], first?.['exp']].map((time) => Number(time) - nowS);
    expect(times[0]).toBeGreaterThanOrEqual(0);
    expect(times[0]).toBeLessThan(10);
    expect(Number(first?.['exp']) - Number(first?.['iat'])).toBe(60);
    expect(first?.['jti']).not.toBe(second?.['jti']);
    expect(endpoint.forms[0]?.get('client_assertion_type')).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
    expect(endpoint.forms[0]?.has('client_secret')).toBe(false);
  });

  test('by private_key_jwt has the key id and the audience that are set, and opens a key', async () => {
    await using endpoint = await startTokenEndpoint();
    const key = () => ({ pem: pemOf(keys.rsa.privateKey, 'open'), password: 'open' });
    const set = { key, keyId: 'key-1', audience: 'https://issuer.example' };

    await requestClientToken(clientOf(endpoint.url, keyLogin(set)));

    const { header, payload } = partsOf(endpoint.forms[0]);
    expect(header).toEqual({ alg: 'RS256', kid: 'key-1' });
    expect(payload['aud']).toBe('https://issuer.example');
  });

  test('by private_key_jwt names the settings of the key when the endpoint rejects it', async () => {
    await using endpoint = await startTokenEndpoint(answering(400, { error: 'invalid_client' }));

    await expect(requestClientToken(clientOf(endpoint.url, keyLogin()))).rejects.toMatchObject({
      code: 'kafka.unauthenticated',
      exitCode: 3,
      message: expect.stringMatching(/HTTP 400, invalid_client.*_KEY_ID, …_ASSERTION_AUDIENCE/),
    });
  });

  test.each<[string, object]>([
    ['broken', { key: () => ({ pem: '-----BEGIN PRIVATE KEY-----\nx', password: null }) }],
    ['of another kind', { algorithm: 'ES256' }],
  ])('names the file of a key that is %s, and sends nothing', async (_what, changes) => {
    await using endpoint = await startTokenEndpoint();

    const requested = requestClientToken(clientOf(endpoint.url, keyLogin(changes)));

    await expect(requested).rejects.toMatchObject({
      code: 'kafka.unavailable',
      message: expect.stringMatching(/Check the file of KAFKA_SASL_OAUTHBEARER_KEY_LOCATION/),
    });
    expect(endpoint.requests).toEqual([]);
  });
});
