import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { isOwnHost } from '../../../../src/observability/http/own-hosts.ts';
import { createStatusServer } from '../../../../src/observability/http/server.ts';
import { openCaptured, type Captured, accepted } from '../captured-observability.ts';

async function answer(open: Captured, host: string): Promise<[number, string]> {
  const url = (await open.listen())?.url ?? '';
  const sent = request(`${url}/status`, { headers: { host } }).end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return [response.statusCode ?? 0, text];
}

describe('isOwnHost', () => {
  test.each([
    ['localhost', true],
    ['LOCALHOST.:8080', true],
    ['127.0.0.1:8080', true],
    ['127.8.9.10', true],
    ['[::1]:8080', true],
    ['evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['localhost.evil.example:8080', false],
    ['evil.example@localhost', false],
    ['localhost:8080:8080', false],
    ['10.0.0.7:8080', false],
    ['[fd00::1]', false],
    ['', false],
    [undefined, false],
  ])('on loopback and for the Host %p is %p', (host, own) => {
    expect(isOwnHost(host, { name: '127.0.0.1', address: '127.0.0.1', allowed: [] })).toBe(own);
    expect(isOwnHost(host, { name: '::1', address: '::1', allowed: [] })).toBe(own);
  });

  test('on loopback accepts the configured host name and the allowed names as well', () => {
    const rule = { name: 'Here', address: '127.0.1.1', allowed: ['Status.Example'] };

    expect(isOwnHost('status.example:80', rule)).toBe(true);
    expect(isOwnHost('here:80', rule)).toBe(true);
    expect(isOwnHost('localhost', rule)).toBe(true);
    expect(isOwnHost('evil.example', rule)).toBe(false);
  });

  test('on other addresses accepts every name unless allowed names are configured', () => {
    expect(
      isOwnHost('anything.example', { name: '0.0.0.0', address: '0.0.0.0', allowed: [] }),
    ).toBe(true);
    expect(
      isOwnHost('evil.example', { name: '0.0.0.0', address: '0.0.0.0', allowed: ['mine'] }),
    ).toBe(false);
  });

  test.each(['mine:8080', '10.0.0.7:8080', '[fd00::1]:8080', 'localhost'])(
    'on other addresses with allowed names accepts the allowed names and every address: %s',
    (host) => {
      expect(isOwnHost(host, { name: '::', address: '::', allowed: ['mine'] })).toBe(true);
    },
  );
});

describe('the HTTP server', () => {
  test.each(['localhost', '127.0.0.1', '[::1]:80'])(
    'answers on loopback when the Host header is %s',
    async (host) => {
      await using open = openCaptured();

      expect((await answer(open, host))[0]).toBe(200);
    },
  );

  test('answers 421 on loopback to a foreign name that resolves to it', async () => {
    await using open = openCaptured();

    expect(await answer(open, 'evil.example')).toEqual([
      421,
      '{"error":"the Host header names another server; HTTP_ALLOWED_HOSTS adds names"}',
    ]);
  });

  test('answers when the Host header is a name of HTTP_ALLOWED_HOSTS', async () => {
    await using open = openCaptured({ http: { allowedHosts: ['status.example'] } });

    expect((await answer(open, 'status.example:8080'))[0]).toBe(200);
  });
});

describe('the HTTP server with slow clients', () => {
  const limits = { requestMs: 100, connections: 1 };
  const serve = () =>
    createStatusServer(
      {
        host: '127.0.0.1',
        port: 0,
        allowedHosts: [],
        token: () => 'hush-hush-operator',
        limits,
      },
      idle,
    );

  test.each([
    ['a head', 'GET /livez HTTP/1.1\r\nHost: localhost\r\n'],
    ['a body', 'PUT /log-level HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'],
  ])('ends a request with %s that does not arrive in time', async (_what, text) => {
    await using server = serve();
    const { port } = new URL(await server.listen());
    const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8');
    let got = '';
    socket.on('data', (chunk) => (got += String(chunk)));
    socket.write(text);
    await once(socket, 'close');

    expect(got).toContain('HTTP/1.1 408');
  });

  test('drops connections above its limit', async () => {
    await using server = serve();
    const { port } = new URL(await server.listen());
    const first = connect(Number(port), '127.0.0.1');
    await once(first, 'connect');
    const second = connect(Number(port), '127.0.0.1').resume();
    await once(second, 'close');
    first.destroy();

    expect(second.bytesRead).toBe(0);
  });
});

const idle: Parameters<typeof createStatusServer>[1] = {
  readiness: () => ({ ready: true, reasons: [], partitions: [] }),
  status: () => {
    throw new Error('unasked');
  },
  history: () => {
    throw new Error('unasked');
  },
  metrics: { contentType: 'text/plain', render: () => Promise.resolve('') },
  controls: { execute: () => Promise.resolve(accepted) },
  nowMs: () => 0,
  log: {
    error: () => undefined,
    info: () => undefined,
    level: () => 'info',
    setLevel: () => undefined,
  },
};
