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

/** A handler that sends 300 MB of blanks, as fast as they are read, and counts what it could send. */
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

describe('call', () => {
  test('gives status and body, an error answer included', async () => {
    const answer = await callServer((_request, response) => {
      response.writeHead(404).end('{"error_code":40401}');
    });

    expect(answer).toEqual({ status: 404, body: { error_code: 40401 } });
  });

  test('keeps the path of the URL', async () => {
    await using server = await startHttpServer((_request, response) => response.end('[]'));

    await call({ address: addressOf(`${server.url}/apis/ccompat/v7/`), signal: noSignal }, request);

    expect(server.requests[0]?.path).toBe('/apis/ccompat/v7/subjects');
  });

  test('stops reading at 4 MB when an answer of 300 MB arrives', async () => {
    const { sent, handler } = createBlanks();

    await expect(callServer(handler)).rejects.toMatchObject(
      away('its answer to GET /subjects exceeds 4 MB'),
    );
    // What was sent beyond 4 MB lay in the buffers of the two sockets.
    expect(sent.megabytes).toBeLessThan(24);
  });

  test('reads an answer of 4 MB to its end', async () => {
    const text = 'x'.repeat(4 * 1024 * 1024 - 2);

    const answer = await callServer((_request, response) => response.end(JSON.stringify(text)));

    expect(answer).toEqual({ status: 200, body: text });
  });

  for (const [step, act] of [
    ['registering', (client: RegistryClient) => client.register('users-value', schema, null)],
    ['reading a schema', (client: RegistryClient) => client.typeOf(7)],
  ] as const) {
    test(`stops reading at 4 MB also through the client library, ${step}`, async () => {
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

  test('gives up in time when nothing ever comes', async () => {
    await expect(callServer(() => undefined, { timeoutMs: 100 })).rejects.toMatchObject(
      away('nothing within 100 ms'),
    );
  });

  test('gives up in time when the body never ends', async () => {
    const half = callServer(
      (_request, response) => {
        response.writeHead(200).write('{"id"');
      },
      { timeoutMs: 100 },
    );

    await expect(half).rejects.toMatchObject(away('nothing within 100 ms'));
  });

  test('asks to be tried again when the connection breaks in the middle of the body', async () => {
    const broken = callServer((_request, response, raw) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"id"', () => raw.socket.destroy());
    });

    await expect(broken).rejects.toMatchObject(away('its answer broke off'));
  });

  test('asks to be tried again when nobody listens', async () => {
    const server = await startHttpServer(() => undefined);
    await server[Symbol.asyncDispose]();

    await expect(
      call({ address: addressOf(server.url), signal: noSignal }, request),
    ).rejects.toMatchObject(away('ECONNREFUSED'));
  });

  for (const status of [429, 500, 502, 503]) {
    test(`asks to be tried again when it answers ${status}`, async () => {
      const answer = callServer((_request, response) => {
        response.writeHead(status).end('<html>busy</html>');
      });

      await expect(answer).rejects.toMatchObject(away(`HTTP ${status}`));
    });
  }

  test('asks to be tried again when something else than a registry answers', async () => {
    const answer = callServer((_request, response) => response.end('<html>hello</html>'));

    await expect(answer).rejects.toMatchObject(
      away('it answered something that is not JSON \\(HTTP 200\\)'),
    );
  });

  for (const status of [401, 403]) {
    test(`ends the process with 3 when it answers ${status}`, async () => {
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

  test('names the request and the words of the registry when it answers 403', async () => {
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

  test('names the request and the words of the registry when it answers 401', async () => {
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

  test('sends user and password as UTF-8, whatever the characters', async () => {
    await using server = await startHttpServer((_request, response) => response.end('[]'));

    const login = { kind: 'basic', username: 'jörg', password: () => '€5' } as const;
    await call({ address: addressOf(server.url, { login }), signal: noSignal }, request);

    // base64 of the UTF-8 bytes of "jörg:€5".
    expect(server.requests[0]?.headers.authorization).toBe('Basic asO2cmc64oKsNQ==');
  });

  test('ends with the reason of the signal when it is aborted', async () => {
    const stop = new AbortController();
    await using server = await startHttpServer(() => {
      stop.abort(new Error('stopped by SIGTERM'));
    });

    await expect(
      call({ address: addressOf(server.url, { timeoutMs: 5000 }), signal: stop.signal }, request),
    ).rejects.toThrow('stopped by SIGTERM');
  });
});
