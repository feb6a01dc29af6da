import { describe, expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { StopProcessError } from '../../../src/core/errors.ts';
import { createStatusServer } from '../../../src/observability/status-server.ts';
import { account, failed, finished } from './telemetry-events.ts';
import { openCaptured, type Captured } from './captured-observability.ts';

async function listen(open: Captured): Promise<string> {
  const listening = await open.listen();
  return listening?.url ?? 'nowhere';
}

function connectAll({ telemetry }: Captured): void {
  for (const name of ['state', 'kafka', 'registry', 'graph'] as const) {
    telemetry.report({ type: 'dependency', name, ready: true, reason: '' });
  }
}

async function readyz(url: string): Promise<[number, unknown]> {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
}

describe('listen', () => {
  test('says where it listens when the port is 0', async () => {
    await using open = openCaptured();

    const url = await listen(open);

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(open.lines()).toMatchObject([{ msg: 'http server listening', url }]);
  });

  test('gives a URL that can be called when it listens on every interface', async () => {
    await using open = openCaptured({ http: { enabled: true, host: '0.0.0.0', port: 0 } });

    expect((await fetch(`${await listen(open)}/livez`)).status).toBe(200);
  });

  test('is null when the server is not enabled', async () => {
    await using open = openCaptured({ http: { enabled: false, host: '127.0.0.1', port: 0 } });

    expect(await open.listen()).toBeNull();
  });

  test('ends the process with exit code 2 and names HTTP_PORT when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using open = openCaptured({ http: { enabled: true, host: '127.0.0.1', port } });

    const error = await open.listen().catch((thrown: unknown) => thrown);
    other.close();

    expect(error).toBeInstanceOf(StopProcessError);
    expect(error).toMatchObject({
      code: 'config.invalid',
      exitCode: 2,
      message: `the HTTP server cannot listen on 127.0.0.1:${port}: the port is taken; set HTTP_PORT to a free one (0 takes any), or stop what listens there`,
    });
  });

  test('cuts kept-alive connections when it is disposed of', async () => {
    const open = openCaptured();
    const url = await listen(open);
    await fetch(`${url}/livez`);

    await open[Symbol.asyncDispose]();

    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  });
});

describe('routes', () => {
  test('/livez answers while nothing is ready', async () => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/livez`);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ live: true });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each(['/livez', '/metrics'])('HEAD %s answers without a body', async (path) => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}${path}`, { method: 'HEAD' });

    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  test('answers 404 in JSON for an unknown route', async () => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/constructor`);

    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: 'not found' });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('answers 405 to %s', async (method) => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/readyz?x=1`, {
      method,
      headers: { 'content-type': 'text/nonsense' },
      body: 'x',
    });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await response.json()).toEqual({ error: 'method not allowed' });
  });

  test('answers 400 without a stack to a URL that cannot be decoded', async () => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/livez%zz`);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'bad request' });
  });

  test('answers 500 without a word of the reason when the metrics fail', async () => {
    const errors: unknown[] = [];
    await using server = createStatusServer(
      { host: '127.0.0.1', port: 0 },
      {
        readiness: () => ({ ready: true, reasons: [] }),
        metrics: { contentType: 'text/plain', render: () => Promise.reject(new Error('inside')) },
        onError: (error) => errors.push(error),
      },
    );

    const response = await fetch(`${await server.listen()}/metrics`);

    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: 'internal error' });
    expect(errors).toEqual([new Error('inside')]);
  });
});

describe('/readyz', () => {
  test('is 503 with every reason until the last dependency is ready', async () => {
    await using open = openCaptured();
    const url = await listen(open);

    expect(await readyz(url)).toEqual([
      503,
      {
        ready: false,
        reasons: [
          'state: not restored yet',
          'kafka: not connected yet',
          'registry: not connected yet',
          'graph: not connected yet',
        ],
      },
    ]);
    connectAll(open);
    expect(await readyz(url)).toEqual([200, { ready: true }]);
  });

  test('is 503 while a stream is older than three intervals, and recovers', async () => {
    await using open = openCaptured();
    const url = await listen(open);
    connectAll(open);
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });

    open.setNowMs(3001);
    open.telemetry.report(failed());
    expect(await readyz(url)).toEqual([
      503,
      {
        ready: false,
        reasons: ['users: no successful poll for more than 3 s (3 intervals) of account 1'],
      },
    ]);
    open.telemetry.report(finished());
    expect(await readyz(url)).toEqual([200, { ready: true }]);
  });

  test('forgets the trouble of an account when it is removed', async () => {
    await using open = openCaptured();
    const url = await listen(open);
    connectAll(open);
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.setNowMs(9999);
    open.telemetry.report({ type: 'accounts', added: [], removed: [account('1')] });

    expect(await readyz(url)).toEqual([200, { ready: true }]);
  });

  test('Invariant 9: shows no secret of a reason', async () => {
    await using open = openCaptured({ secrets: ['hush-hush'] });
    const url = await listen(open);
    connectAll(open);

    open.telemetry.report({
      type: 'dependency',
      name: 'registry',
      ready: false,
      reason: 'http://u:hush-hush@registry answered 401',
    });

    expect(await readyz(url)).toEqual([
      503,
      { ready: false, reasons: ['registry: http://[secret]@registry answered 401'] },
    ]);
  });
});
