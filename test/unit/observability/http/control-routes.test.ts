import { describe, expect, test } from '@jest/globals';
import type { Controls, ControlAnswer } from '../../../../src/engine/ports.ts';
import { openCaptured, type Captured } from '../captured-observability.ts';
import { account, failed, finished } from '../telemetry-events.ts';

const token = 'a-token-of-the-operator';
const authorization = `Bearer ${token}`;
const pausePath = '/streams/users/accounts/1/pause';

interface Given extends Captured {
  readonly orders: readonly string[];
}

/** An observability that takes orders, and what was ordered. */
function openOrdered(answer: ControlAnswer = { kind: 'accepted' }): Given {
  const orders: string[] = [];
  const controls: Controls = {
    execute(kind, stream, accountId) {
      orders.push(`${kind} ${stream} ${accountId}`);
      return Promise.resolve(answer);
    },
  };
  return { ...openCaptured({ http: { token: () => token } }, controls), orders };
}

async function send(open: Captured, path: string, init: RequestInit = {}) {
  const response = await fetch(`${(await open.listen())?.url ?? 'nowhere'}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('the routes of the control API', () => {
  test.each(['poll', 'pause', 'resume'])('pass %s on and log it', async (kind) => {
    await using open = openOrdered();
    const { orders } = open;
    const path = `/streams/users/accounts/1/${kind}`;

    const answer = await send(open, path, { method: 'POST', headers: { authorization } });

    expect(answer).toMatchObject({ status: 202, body: { accepted: true } });
    expect(orders).toEqual([`${kind} users 1`]);
    expect(open.lines()).toContainEqual(
      expect.objectContaining({
        level: 'info',
        msg: 'control request executed',
        request: kind,
        stream: 'users',
        account: '1',
      }),
    );
  });

  test.each<[ControlAnswer, number, object]>([
    [{ kind: 'unknown', reason: 'no' }, 404, { error: 'no' }],
    [{ kind: 'conflict', reason: 'no' }, 409, { error: 'no' }],
    [{ kind: 'elsewhere', reason: 'no', owner: 'b' }, 409, { error: 'no', owner: 'b' }],
    [{ kind: 'unready', reason: 'no' }, 503, { error: 'no' }],
  ])('do not log a control request that is answered with %j', async (given, status, body) => {
    await using open = openOrdered(given);

    const answer = await send(open, pausePath, { method: 'POST', headers: { authorization } });

    expect(answer).toMatchObject({ status, body });
    expect(open.written()).not.toContain('control request executed');
  });

  test.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer another' }],
    ['a part of the token', { authorization: authorization.slice(0, -1) }],
    ['another scheme', { authorization: `Basic ${token}` }],
  ])('answer 401 to a request with %s', async (_what, headers) => {
    await using open = openOrdered();
    const { orders } = open;

    const answer = await send(open, pausePath, { method: 'POST', headers });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(orders).toEqual([]);
  });

  test.each([
    ['POST', pausePath],
    ['PUT', '/log-level'],
    ['GET', '/log-level'],
  ])('answer 403 to %s %s when no token is configured', async (method, path) => {
    await using open = openCaptured();

    const answer = await send(open, path, { method, headers: { authorization: 'Bearer ' } });

    expect(answer).toMatchObject({
      status: 403,
      body: { error: 'the control API is off: set HTTP_TOKEN, or HTTP_TOKEN_FILE, and restart' },
    });
  });

  test('answer 405 to other methods than POST', async () => {
    await using open = openOrdered();

    const answer = await send(open, pausePath, { headers: { authorization } });

    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
  });
});

describe('the route /log-level', () => {
  test('changes the level of later log lines', async () => {
    await using open = openOrdered();
    const body = '{"level":"warn"}';

    const answer = await send(open, '/log-level', {
      method: 'PUT',
      headers: { authorization },
      body,
    });
    open.log.info({}, 'not any more');
    open.log.warn({}, 'still');

    expect(answer).toMatchObject({ status: 200, body: { level: 'warn' } });
    expect(open.lines().map(({ msg }) => msg)).toEqual(['http server listening', 'still']);
    const shown = await send(open, '/log-level', { headers: { authorization } });
    expect(shown.body).toEqual({ level: 'warn' });
  });

  test.each(['', 'nonsense', 'null', '{"level":"loud"}', '{"level":["warn"]}'])(
    'answers 400 to %j and lists the levels',
    async (body) => {
      await using open = openOrdered();

      const answer = await send(open, '/log-level', {
        method: 'POST',
        headers: { authorization },
        body,
      });

      expect(answer).toMatchObject({
        status: 400,
        body: {
          error:
            'expected {"level": "…"} with one of trace, debug, info, warn, error, fatal, silent',
        },
      });
    },
  );

  test('answers 413 to a body that is too large', async () => {
    await using open = openOrdered();

    const init = { method: 'PUT', headers: { authorization }, body: 'x'.repeat(5000) };
    expect(await send(open, '/log-level', init)).toMatchObject({
      status: 413,
      body: { error: 'the body is too large' },
    });
  });
});

describe('the status of a stream', () => {
  test('is paused after a pause, and a paused stream is neither late nor a reason against readiness', async () => {
    await using open = openCaptured();
    for (const name of ['state', 'kafka', 'registry', 'graph', 'group'] as const) {
      open.telemetry.report({ type: 'dependency', name, ready: true, reason: '' });
    }
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.telemetry.report(finished({ nextPollMs: 1000 }));
    const paused = { type: 'paused', stream: 'users', accountId: '1' } as const;
    open.telemetry.report({ ...paused, isPaused: true });
    open.setNowMs(99_000);

    expect((await send(open, '/readyz')).status).toBe(200);
    expect((await send(open, '/status')).body).toMatchObject({
      accounts: { items: [{ streams: [{ state: 'paused', nextPoll: null }] }] },
    });
    const metrics = await open.metrics();
    expect(metrics).toContain('instagram_kafka_accounts_paused{stream="users"} 1');
    expect(metrics).not.toContain('instagram_kafka_last_success_timestamp_seconds{');
    open.telemetry.report({ ...paused, isPaused: false });
    expect((await send(open, '/readyz')).status).toBe(503);
  });

  test('is stopped rather than paused when an error has stopped the stream', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.telemetry.report(failed({ disposition: 'stop-stream' }));
    open.telemetry.report({ type: 'paused', stream: 'users', accountId: '1', isPaused: true });

    expect((await send(open, '/status')).body).toMatchObject({
      accounts: { items: [{ streams: [{ state: 'stopped' }] }] },
    });
  });

  test('has the changed interval', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'interval', stream: 'users', intervalMs: 60_000 });

    expect((await send(open, '/status')).body).toMatchObject({
      streams: [{ name: 'users', intervalSeconds: 60 }],
    });
  });
});
