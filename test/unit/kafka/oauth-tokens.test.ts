import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { createOauthTokens, type ClientCredentials } from '../../../src/kafka/oauth-tokens.ts';
import { answering, startHttpServer, type Handler } from '../../support/http-server.ts';

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
    clientSecret: () => 'hush€',
    scope: 'kafka write',
    extensions: { pool: 'p-1' },
    timeoutMs: 5000,
    onToken: (token: string) => told.push(token),
    ...changes,
  };
  const tokens = createOauthTokens(client, () => clock.ms);
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
