import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkHealth } from '../../../src/cli/health.ts';

/** Serves on the loopback until it is disposed. */
async function serve(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('checkHealth', () => {
  test('is ok when the response is 200', async () => {
    await using server = await serve((_request, response) => response.end('{"live":true}'));

    expect(await checkHealth(server.url, 5000)).toEqual({
      ok: true,
      detail: `${server.url} answered 200: {"live":true}`,
    });
  });

  test('is not ok and shows the reasons when the response is 503', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(503).end('{"ready":false,\n"reasons":["kafka: away"]}');
    });

    expect(await checkHealth(server.url, 5000)).toEqual({
      ok: false,
      detail: `${server.url} answered 503: {"ready":false, "reasons":["kafka: away"]}`,
    });
  });

  test('is not ok when the response is a redirect', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });

    expect((await checkHealth(server.url, 5000)).ok).toBe(false);
  });

  test('is not ok when no response comes in time', async () => {
    await using server = await serve(() => undefined);

    expect(await checkHealth(server.url, 50)).toEqual({
      ok: false,
      detail: `${server.url} did not answer: nothing within 50 ms`,
    });
  });

  test('explains that fetch does not allow the port', async () => {
    expect(await checkHealth('http://127.0.0.1:1/livez', 5000)).toEqual({
      ok: false,
      detail:
        'http://127.0.0.1:1/livez did not answer: HTTP clients do not use this port; check HTTP_PORT',
    });
  });

  test('names the reason when the connection is refused', async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();

    const { ok, detail } = await checkHealth(server.url, 5000);

    expect(ok).toBe(false);
    expect(detail).toContain('ECONNREFUSED');
  });

  test('names the reason when the URL is invalid', async () => {
    expect(await checkHealth('nonsense', 50)).toEqual({
      ok: false,
      detail: 'nonsense did not answer: Invalid URL',
    });
  });
});
