import { describe, expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { StopProcessError } from '../../../../src/engine/errors.ts';
import { createStatusServer } from '../../../../src/observability/http/server.ts';
import { account, failed, finished } from '../telemetry-events.ts';
import { openCaptured, type Captured, accepted } from '../captured-observability.ts';

async function listen(open: Captured): Promise<string> {
  const listening = await open.listen();
  return listening?.url ?? 'nowhere';
}

function connectAll({ telemetry }: Captured): void {
  for (const name of ['state', 'kafka', 'registry', 'graph', 'group'] as const) {
    telemetry.report({ type: 'dependency', name, ready: true, reason: '' });
  }
}

async function readyz(url: string): Promise<[number, unknown]> {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
}

describe('listen', () => {
  test('logs the actual address when the port is 0', async () => {
    await using open = openCaptured();

    const url = await listen(open);

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(open.lines()).toMatchObject([{ msg: 'http server listening', url }]);
  });

  test('returns a reachable URL when it listens on every interface', async () => {
    await using open = openCaptured({ http: { enabled: true, host: '0.0.0.0', port: 0 } });

    expect((await fetch(`${await listen(open)}/livez`)).status).toBe(200);
  });

  test('returns null when the server is disabled', async () => {
    await using open = openCaptured({ http: { enabled: false, host: '127.0.0.1', port: 0 } });

    expect(await open.listen()).toBeNull();
  });

  test('stops the process with exit code 2 and names HTTP_PORT when the port is taken', async () => {
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

  test('closes kept-alive connections when it is disposed', async () => {
    const open = openCaptured();
    const url = await listen(open);
    await fetch(`${url}/livez`);

    await open[Symbol.asyncDispose]();

    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  });
});

describe('the HTTP server', () => {
  test('answers /livez when no dependency is ready', async () => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/livez`);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ live: true });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each(['/livez', '/metrics'])('answers HEAD %s without a body', async (path) => {
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

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'answers 405 to %s on /readyz',
    async (method) => {
      await using open = openCaptured();

      const response = await fetch(`${await listen(open)}/readyz?x=1`, {
        method,
        headers: { 'content-type': 'text/nonsense' },
        body: 'x',
      });

      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD');
      expect(await response.json()).toEqual({ error: 'method not allowed' });
    },
  );

  test('answers 400 without a stack when the URL cannot be decoded', async () => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/livez%zz`);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'bad request' });
  });

  test('answers 500 without the reason when rendering the metrics fails', async () => {
    const errors: unknown[] = [];
    await using server = createStatusServer(
      { host: '127.0.0.1', port: 0, allowedHosts: [], token: null },
      {
        readiness: () => ({ ready: true, reasons: [], partitions: [] }),
        status: () => {
          throw new Error('unasked');
        },
        history: () => {
          throw new Error('unasked');
        },
        metrics: { contentType: 'text/plain', render: () => Promise.reject(new Error('inside')) },
        controls: { execute: () => Promise.resolve(accepted) },
        nowMs: () => 0,
        log: {
          error: ({ error }) => errors.push(error),
          info: () => undefined,
          level: () => 'info',
          setLevel: () => undefined,
        },
      },
    );

    const response = await fetch(`${await server.listen()}/metrics`);

    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: 'internal error' });
    expect(errors).toEqual([new Error('inside')]);
  });
});

describe('the route /status', () => {
  test('answers with the status as JSON', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });

    const response = await fetch(`${await listen(open)}/status`);

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toMatchObject({
      formatVersion: 1,
      program: { version: '1.2.3', instance: 'here' },
      ready: false,
      accounts: { total: 1, items: [{ id: '1' }] },
    });
  });

  test('answers with the requested part of the accounts', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'accounts', added: [account('1'), account('2')], removed: [] });

    const response = await fetch(`${await listen(open)}/status?offset=1&limit=1`);

    expect(await response.json()).toMatchObject({
      accounts: { total: 2, matching: 2, offset: 1, items: [{ id: '2' }] },
    });
  });

  test('answers 400 and names the expected value when the query is invalid', async () => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}/status?limit=many`);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: 'limit: expected a whole number from 0 to 200',
    });
  });

  test('shortens messages and masks their secrets (Invariant 9)', async () => {
    await using open = openCaptured({ secrets: ['hush-hush'] });
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.telemetry.report(failed({ message: `token hush-hush ${'x'.repeat(9999)}` }));

    const text = await (await fetch(`${await listen(open)}/status`)).text();

    expect(text).toContain('token [secret] xxx');
    expect(text).not.toContain('hush-hush');
    expect(text.length).toBeLessThan(5000);
  });
});

describe('the status page', () => {
  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/status.css', 'text/css; charset=utf-8'],
    ['/status.js', 'text/javascript; charset=utf-8'],
    ['/words.js', 'text/javascript; charset=utf-8'],
    ['/icon.svg', 'image/svg+xml'],
  ])('allows %s to load from its own origin only', async (path, type) => {
    await using open = openCaptured();

    const response = await fetch(`${await listen(open)}${path}`);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'",
    );
  });
});

describe('the route /readyz', () => {
  test('answers 503 with every reason until the last dependency is ready', async () => {
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
          'group: not joined yet',
        ],
        partitions: [],
      },
    ]);
    connectAll(open);
    expect(await readyz(url)).toEqual([200, { ready: true, partitions: [] }]);
  });

  test('answers 503 when the last success of a stream is older than three intervals, until the next success', async () => {
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
        partitions: [],
      },
    ]);
    open.telemetry.report(finished());
    expect(await readyz(url)).toEqual([200, { ready: true, partitions: [] }]);
  });

  test('ignores a late account after its removal', async () => {
    await using open = openCaptured();
    const url = await listen(open);
    connectAll(open);
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.setNowMs(9999);
    open.telemetry.report({ type: 'accounts', added: [], removed: [account('1')] });

    expect(await readyz(url)).toEqual([200, { ready: true, partitions: [] }]);
  });

  test('answers 200 and lists the owned partitions, even when there are none', async () => {
    await using open = openCaptured();
    const url = await listen(open);
    connectAll(open);
    const assignment = {
      type: 'assignment',
      gained: [],
      lost: [],
      partitions: 4,
      cause: 'rebalance',
    } as const;

    open.telemetry.report({ ...assignment, owned: [1, 3] });
    expect(await readyz(url)).toEqual([200, { ready: true, partitions: [1, 3] }]);
    open.telemetry.report({ ...assignment, owned: [] });
    expect(await readyz(url)).toEqual([200, { ready: true, partitions: [] }]);
  });

  test('masks a secret in a reason (Invariant 9)', async () => {
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
      {
        ready: false,
        reasons: ['registry: http://[secret]@registry answered 401'],
        partitions: [],
      },
    ]);
  });
});
