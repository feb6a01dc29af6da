import { describe, expect, test } from '@jest/globals';
import type { ControlAnswer, ControlRequest, Controls } from '../../../../src/engine/ports.ts';
import { accepted, openCaptured, type Captured } from '../captured-observability.ts';
import { account, failed, finished } from '../telemetry-events.ts';

const token = 'a-token-of-the-operator';
const authorization = `Bearer ${token}`;
const pausePath = '/streams/users/accounts/1/pause';

interface Given extends Captured {
  readonly requests: readonly ControlRequest[];
}

/** An observability that takes control requests, and what was requested. */
function openOrdered(answer: ControlAnswer = accepted): Given {
  const requests: ControlRequest[] = [];
  const controls: Controls = {
    execute(request) {
      requests.push(request);
      return Promise.resolve(answer);
    },
  };
  return { ...openCaptured({ http: { token: () => token } }, controls), requests };
}

async function send(open: Captured, path: string, init: RequestInit = {}) {
  const response = await fetch(`${(await open.listen())?.url ?? 'nowhere'}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('the routes of the control API', () => {
  test.each(['poll', 'pause', 'resume'])('pass %s on and log it', async (kind) => {
    await using open = openOrdered();
    const path = `/streams/users/accounts/1/${kind}`;

    const answer = await send(open, path, { method: 'POST', headers: { authorization } });

    expect(answer).toMatchObject({ status: 202, body: { accepted: true } });
    const request = { action: kind, stream: 'users', accountId: '1', untilMs: null };
    expect(open.requests).toEqual([request]);
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

  test.each<[string, ControlAnswer, Partial<ControlRequest>, object]>([
    ['/streams/users/accounts/1/poll', { ...accepted, saved: null }, { action: 'poll' }, {}],
    ['/streams/users/accounts/1/resume', accepted, { action: 'resume' }, { saved: true }],
    [
      '/accounts/1/pause',
      { ...accepted, count: 7, saved: false },
      { stream: null },
      { streams: 7, saved: false },
    ],
    [
      '/streams/users/pause',
      { ...accepted, count: 12, elsewhere: [{ owner: 'b', accounts: 3 }] },
      { accountId: null },
      { accounts: 12, saved: true, elsewhere: [{ owner: 'b', accounts: 3 }] },
    ],
  ])('answer POST %s with what was done', async (path, given, request, outcome) => {
    await using open = openOrdered(given);

    const answer = await send(open, path, { method: 'POST', headers: { authorization } });

    expect(answer).toMatchObject({ status: 202 });
    expect(answer.body).toEqual({ accepted: true, ...outcome });
    const whole = { action: 'pause', stream: 'users', accountId: '1', untilMs: null };
    expect(open.requests).toEqual([{ ...whole, ...request }]);
  });

  test.each([
    ['2026-12-01T08:00:00Z', Date.UTC(2026, 11, 1, 8)],
    ['2026-12-01T08:00+02:00', Date.UTC(2026, 11, 1, 6)],
    ['2026-12-01T08:00:00.250-05:30', Date.UTC(2026, 11, 1, 13, 30, 0, 250)],
    [null, null],
  ])('pass the end %s of a pause on, and log it', async (until, untilMs) => {
    await using open = openOrdered();
    open.setNowMs(Date.UTC(2026, 10, 30));

    const init = { method: 'POST', headers: { authorization }, body: JSON.stringify({ until }) };
    expect(await send(open, pausePath, init)).toMatchObject({ status: 202 });

    expect(open.requests).toMatchObject([{ untilMs }]);
    const logged = open.lines().find(({ msg }) => msg === 'control request executed');
    expect(logged?.['until']).toBe(untilMs === null ? undefined : new Date(untilMs).toISOString());
  });

  const expectedTime = 'expected a time with its offset, such as "2026-12-01T08:00:00Z"';
  const now = '2026-11-30T00:00:00.000Z';
  const expectedNear = `expected a time after now, ${now}, and at most 366 days later`;
  test.each([
    ['{"until":"tomorrow"}', `until: got "tomorrow"; ${expectedTime}`],
    ['{"until":"2026-12-01"}', `until: got "2026-12-01"; ${expectedTime}`],
    ['{"until":"2026-12-01T08:00:00"}', `until: got "2026-12-01T08:00:00"; ${expectedTime}`],
    ['{"until":"2027-02-29T08:00:00Z"}', `until: got "2027-02-29T08:00:00Z"; ${expectedTime}`],
    ['{"until":"2026-13-01T08:00:00Z"}', `until: got "2026-13-01T08:00:00Z"; ${expectedTime}`],
    ['{"until":"2026-12-01T25:00:00Z"}', `until: got "2026-12-01T25:00:00Z"; ${expectedTime}`],
    ['{"until":1796112000}', `until: got 1796112000; ${expectedTime}`],
    [`{"until":"${'9'.repeat(99)}"}`, `until: got "${'9'.repeat(59)}…; ${expectedTime}`],
    ['{"until":"2026-11-30T00:00:00Z"}', `until: got "2026-11-30T00:00:00Z"; ${expectedNear}`],
    ['{"until":"2036-12-01T08:00:00Z"}', `until: got "2036-12-01T08:00:00Z"; ${expectedNear}`],
    ['{"untill":null}', 'body: got the member "untill"; expected "until" alone'],
    ['[]', 'body: got a list; expected none, or {"until": "2026-12-01T08:00:00Z"}'],
    [
      '8:00',
      'body: got text that is not JSON; expected none, or {"until": "2026-12-01T08:00:00Z"}',
    ],
  ])('answer 400 to a pause with the body %s', async (body, error) => {
    await using open = openOrdered();
    open.setNowMs(Date.parse(now));

    const answer = await send(open, pausePath, {
      method: 'POST',
      headers: { authorization },
      body,
    });

    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(open.requests).toEqual([]);
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
    const answer = await send(open, pausePath, { method: 'POST', headers });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(open.requests).toEqual([]);
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
    const paused = { type: 'paused', stream: 'users', accountId: '1', saved: true } as const;
    open.telemetry.report({ ...paused, pause: { sinceMs: 0, untilMs: null } });
    open.setNowMs(99_000);

    expect((await send(open, '/readyz')).status).toBe(200);
    expect((await send(open, '/status')).body).toMatchObject({
      accounts: { items: [{ streams: [{ state: 'paused', nextPoll: null }] }] },
    });
    const metrics = await open.metrics();
    expect(metrics).toContain('instagram_kafka_accounts_paused{stream="users"} 1');
    expect(metrics).not.toContain('instagram_kafka_last_success_timestamp_seconds{');
    open.telemetry.report({ ...paused, pause: null });
    expect((await send(open, '/readyz')).status).toBe(503);
  });

  test('has the pause, and counts lateness from its end', async () => {
    await using open = openCaptured();
    for (const name of ['state', 'kafka', 'registry', 'graph', 'group'] as const) {
      open.telemetry.report({ type: 'dependency', name, ready: true, reason: '' });
    }
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.telemetry.report(finished({ nextPollMs: 1000 }));
    const event = { stream: 'users', accountId: '1' } as const;
    const pause = { sinceMs: 500, untilMs: 60_000 };
    open.telemetry.report({ type: 'paused', ...event, pause, saved: false });
    const shownPause = async () => {
      const { body } = await send(open, '/status');
      const { accounts } = body as { accounts: { items: { streams: { pause: unknown }[] }[] } };
      return accounts.items[0]?.streams[0]?.pause;
    };

    const shown = { since: '1970-01-01T00:00:00.500Z', until: '1970-01-01T00:01:00.000Z' };
    expect(await shownPause()).toEqual({ ...shown, saved: false });
    open.telemetry.report({ type: 'pause-saved', ...event });
    expect(await shownPause()).toEqual({ ...shown, saved: true });
    open.setNowMs(60_000);
    expect(await shownPause()).toBeNull();
    expect(await open.metrics()).toContain('instagram_kafka_accounts_paused{stream="users"} 0');
    open.setNowMs(62_000);
    expect((await send(open, '/readyz')).status).toBe(200);
    expect((await send(open, '/status')).body).toMatchObject({
      accounts: { items: [{ streams: [{ state: 'ok' }] }] },
    });
    open.setNowMs(64_000);
    expect((await send(open, '/readyz')).status).toBe(503);
  });

  test('is stopped rather than paused when an error has stopped the stream', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.telemetry.report(failed({ disposition: 'stop-stream' }));
    open.telemetry.report({
      type: 'paused',
      stream: 'users',
      accountId: '1',
      pause: { sinceMs: 0, untilMs: null },
      saved: true,
    });

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
