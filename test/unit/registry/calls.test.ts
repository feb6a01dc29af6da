import { describe, expect, test } from '@jest/globals';
import { call, type RegistryAddress } from '../../../src/registry/calls.ts';
import { openClient, type RegistryClient } from '../../../src/registry/client.ts';
import { startHttpServer, type Handler } from '../../support/http-server.ts';
import { noSignal } from '../../support/registry-options.ts';

const schema = '{"type":"record","name":"User","fields":[]}';
const request = { method: 'get', path: '/subjects' } as const;

function addressOf(url: string, changes: Partial<RegistryAddress> = {}): RegistryAddress {
  return { url, timeoutMs: 20_000, login: { kind: 'none' }, tls: null, ...changes };
}

/** Calls a server that answers by `handler`. */
async function callServer(handler: Handler, changes: Partial<RegistryAddress> = {}) {
  await using server = await startHttpServer(handler);
  return await call({ address: addressOf(server.url, changes), signal: noSignal }, request);
}

function away(why: string): object {
  return {
    disposition: 'retry',
    code: 'registry.unavailable',
    message: expect.stringMatching(
      new RegExp(
        `^the schema registry at http://127\\.0\\.0\\.1:\\d+ is not available \\(${why}\\): ` +
          'check SCHEMA_REGISTRY_URL and that it runs$',
      ),
    ),
  };
}

/** A handler that sends 300 MB of blanks as fast as they are read, and counts the megabytes sent. */
function createBlanks() {
  const blanks = Buffer.alloc(1024 * 1024, ' ');
  const sent = { megabytes: 0 };
  const handler: Handler = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const send = (): void => {
      if (sent.megabytes === 300) return void response.end('[]');
      sent.megabytes += 1;
      if (response.write(blanks)) setImmediate(send);
      else response.once('drain', send);
    };
    send();
  };
  return { sent, handler };
}

describe('a call to the registry', () => {
  test('returns status and body, of an error response as well', async () => {
    const answer = await callServer((_request, response) => {
      response.writeHead(404).end('{"error_code":40401}');
    });

    expect(answer).toEqual({ status: 404, body: { error_code: 40401 } });
  });

  test("keeps the path of the registry's URL", async () => {
    await using server = await startHttpServer((_request, response) => response.end('[]'));

    await call({ address: addressOf(`${server.url}/apis/ccompat/v7/`), signal: noSignal }, request);

    expect(server.requests[0]?.path).toBe('/apis/ccompat/v7/subjects');
  });

  test('stops reading at 4 MB when the response has 300 MB', async () => {
    const { sent, handler } = createBlanks();

    await expect(callServer(handler)).rejects.toMatchObject(
      away('its answer to GET /subjects exceeds 4 MB'),
    );
    // The data beyond 4 MB is in the buffers of the two sockets.
    expect(sent.megabytes).toBeLessThan(24);
  });

  test('reads a response of 4 MB to its end', async () => {
    const text = 'x'.repeat(4 * 1024 * 1024 - 2);

    const answer = await callServer((_request, response) => response.end(JSON.stringify(text)));

    expect(answer).toEqual({ status: 200, body: text });
  });

  for (const [step, act] of [
    ['registering', (client: RegistryClient) => client.register('users-value', schema, null)],
    ['reading a schema', (client: RegistryClient) => client.typeOf(7)],
  ] as const) {
    test(`stops reading at 4 MB through the client library as well: ${step}`, async () => {
      const { sent, handler } = createBlanks();
      await using server = await startHttpServer((seen, response, raw) => {
        if (seen.path.startsWith('/config/')) response.writeHead(404).end('{}');
        else handler(seen, response, raw);
      });

      await expect(act(openClient(addressOf(server.url)))).rejects.toMatchObject({
        disposition: 'retry',
        code: 'registry.unavailable',
        message: expect.stringContaining('exceeds 4 MB'),
      });
      expect(sent.megabytes).toBeLessThan(24);
    });
  }

  test('fails at its timeout when no response comes', async () => {
    await expect(callServer(() => undefined, { timeoutMs: 100 })).rejects.toMatchObject(
      away('nothing within 100 ms'),
    );
  });

  test('fails at its timeout when the body never ends', async () => {
    const half = callServer(
      (_request, response) => {
        response.writeHead(200).write('{"id"');
      },
      { timeoutMs: 100 },
    );

    await expect(half).rejects.toMatchObject(away('nothing within 100 ms'));
  });

  test('is retried when the connection breaks in the middle of the body', async () => {
    const broken = callServer((_request, response, raw) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"id"', () => raw.socket.destroy());
    });

    await expect(broken).rejects.toMatchObject(away('its answer broke off'));
  });

  test('is retried when the registry is unreachable', async () => {
    const server = await startHttpServer(() => undefined);
    await server[Symbol.asyncDispose]();

    await expect(
      call({ address: addressOf(server.url), signal: noSignal }, request),
    ).rejects.toMatchObject(away('ECONNREFUSED'));
  });

  for (const status of [429, 500, 502, 503]) {
    test(`is retried after HTTP ${status}`, async () => {
      const answer = callServer((_request, response) => {
        response.writeHead(status).end('<html>busy</html>');
      });

      await expect(answer).rejects.toMatchObject(away(`HTTP ${status}`));
    });
  }

  test('does not follow a redirect, which would take the login elsewhere', async () => {
    await using other = await startHttpServer((_request, response) => response.end('[]'));
    const answer = callServer((_request, response) => {
      response.writeHead(302, { location: other.url }).end();
    });

    await expect(answer).rejects.toMatchObject(away('HTTP 302, a redirect, which is not followed'));
    expect(other.requests).toEqual([]);
  });

  test('is retried when the response is not JSON', async () => {
    const answer = callServer((_request, response) => response.end('<html>hello</html>'));

    await expect(answer).rejects.toMatchObject(
      away('it answered something that is not JSON \\(HTTP 200\\)'),
    );
  });

  for (const status of [401, 403]) {
    test(`stops the process with exit code 3 after HTTP ${status}`, async () => {
      const answer = callServer(
        (_request, response) => {
          response.writeHead(status).end('{"message":"who are you"}');
        },
        { login: { kind: 'basic', username: 'me', password: () => 'hush' } },
      );

      const error: unknown = await answer.catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        disposition: 'stop-process',
        code: 'registry.unauthorized',
        exitCode: 3,
        message: expect.stringContaining(
          'check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD',
        ),
      });
      expect(String(error)).not.toContain('hush');
    });
  }

  test("names the request and the registry's message after HTTP 403", async () => {
    const answer = callServer(
      (_request, response) => {
        response.writeHead(403).end('{"message":"User is denied\\n operation Read on Subject"}');
      },
      { login: { kind: 'bearer', token: () => 'hush' } },
    );

    await expect(answer).rejects.toMatchObject({
      code: 'registry.unauthorized',
      message: expect.stringMatching(
        /^the schema registry at http:\/\/127\.0\.0\.1:\d+ does not permit GET \/subjects \(HTTP 403: User is denied operation Read on Subject\): grant the login this permission, or check SCHEMA_REGISTRY_BEARER_TOKEN$/,
      ),
    });
  });

  test("names the request and the registry's message after HTTP 401", async () => {
    const answer = callServer((_request, response) => {
      response.writeHead(401).end('{"message":"Unauthorized"}');
    });

    await expect(answer).rejects.toMatchObject({
      code: 'registry.unauthorized',
      message: expect.stringMatching(
        /rejected the login at GET \/subjects \(HTTP 401: Unauthorized\): set SCHEMA_REGISTRY_USERNAME and /,
      ),
    });
  });

  test('sends the user name and password as UTF-8', async () => {
    await using server = await startHttpServer((_request, response) => response.end('[]'));

    const login = { kind: 'basic', username: 'jörg', password: () => '€5' } as const;
    await call({ address: addressOf(server.url, { login }), signal: noSignal }, request);

    // base64 of the UTF-8 bytes of "jörg:€5".
    expect(server.requests[0]?.headers.authorization).toBe('Basic asO2cmc64oKsNQ==');
  });

  test('rejects with the abort reason when it is aborted', async () => {
    const stop = new AbortController();
    await using server = await startHttpServer(() => {
      stop.abort(new Error('stopped by SIGTERM'));
    });

    await expect(
      call({ address: addressOf(server.url, { timeoutMs: 5000 }), signal: stop.signal }, request),
    ).rejects.toThrow('stopped by SIGTERM');
  });
});
