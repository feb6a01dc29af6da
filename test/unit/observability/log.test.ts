import { describe, expect, test } from '@jest/globals';
import { account, failed, finished } from './telemetry-events.ts';
import { openCaptured } from './captured-observability.ts';

const brief = (lines: Record<string, unknown>[]) => lines.map(({ level, msg }) => [level, msg]);

describe('the log', () => {
  test('writes one line of JSON with time, level, version, instance and fields', async () => {
    await using open = openCaptured();
    open.setNowMs(1_700_000_000_000);

    open.log.warn({ port: 1, list: ['a'] }, 'something seen');

    expect(open.written().split('\n')).toHaveLength(2);
    expect(open.lines()).toEqual([
      {
        level: 'warn',
        time: '2023-11-14T22:13:20.000Z',
        version: '1.2.3',
        instance: 'here',
        port: 1,
        list: ['a'],
        msg: 'something seen',
      },
    ]);
  });

  test('omits lines below its level', async () => {
    await using open = openCaptured({ level: 'warn' });

    open.log.debug({}, 'a');
    open.log.info({}, 'b');
    open.log.warn({}, 'c');
    open.log.error({}, 'd');

    expect(brief(open.lines())).toEqual([
      ['warn', 'c'],
      ['error', 'd'],
    ]);
  });

  test('renames a field whose name is reserved', async () => {
    await using open = openCaptured();

    open.log.info({ level: 5, msg: 'x' }, 'seen');

    expect(open.lines()).toMatchObject([{ level: 'info', level_: 5, msg_: 'x', msg: 'seen' }]);
  });

  test('writes the message when reading a field throws', async () => {
    await using open = openCaptured();
    const thrower = {
      get field(): string {
        throw new Error('no');
      },
    };

    open.log.info({ thrower }, 'seen');

    expect(open.lines()).toMatchObject([{ unloggable: true, msg: 'seen' }]);
  });

  test('masks every secret in every line, whatever its source (Invariant 9)', async () => {
    const secret = 'EAAsecret-token/1';
    await using open = openCaptured({ secrets: [secret] });
    const cause = Object.assign(new Error(`GET /me?access_token=${encodeURIComponent(secret)}`), {
      request: { headers: [['authorization', `Bearer ${secret}`]] },
    });

    open.log.error({ error: new Error('outer', { cause }), [secret]: [secret] }, `m ${secret}`);
    open.telemetry.report(failed({ message: `url https://h/?access_token=${secret}` }));
    open.telemetry.report(finished({ unknownFields: [secret] }));
    open.telemetry.report({ type: 'dependency', name: 'graph', ready: false, reason: secret });

    expect(open.lines()).toHaveLength(5);
    expect(open.written()).toContain('[secret]');
    expect(open.written()).not.toContain('secret-token');
  });
});

describe('the event log', () => {
  test('writes a poll with records or dead letters at level info and an empty poll at debug', async () => {
    await using open = openCaptured();

    open.telemetry.report(finished({ records: 2, skipped: { 'graph.not-enough-viewers': 1 } }));
    open.telemetry.report(finished({ deadLetters: 1 }));
    open.telemetry.report(finished());

    expect(open.lines().map(({ level }) => level)).toEqual(['info', 'info', 'debug']);
    expect(open.lines()[0]).toMatchObject({
      msg: 'poll finished',
      stream: 'users',
      accountId: '1',
      records: 2,
      skipped: { 'graph.not-enough-viewers': 1 },
      leftOut: [],
      durationMs: 500,
      unknownFields: 0,
    });
  });

  test('writes a poll without records at info when it has skipped what the last one did not', async () => {
    await using open = openCaptured();
    const skip = (...subjects: readonly string[]): void => {
      const leftOut = subjects.map((subject) => ({ reason: 'graph.refused' as const, subject }));
      open.telemetry.report(finished({ leftOut }));
    };
    skip('#secret');
    skip('#secret');
    // A rejected name is requested, and skipped, again after a day.
    skip();
    skip('#secret');
    skip('#secret', '#other');

    expect(open.lines().map(({ level }) => level)).toEqual([
      ...['info', 'debug', 'debug', 'debug', 'info'],
    ]);
  });

  test('writes a refused webhook at warn for each reason, and again after an accepted one', async () => {
    await using open = openCaptured();
    const facts = { accepted: {}, ignored: [], durationMs: 1 };
    const report = (outcome: 'unavailable' | 'accepted', reason: string): void => {
      open.telemetry.report({ type: 'webhook-request', outcome, reason, ...facts });
    };
    const [away, full] = ['no broker', 'account 1: its backlog of 10000 changes is full'];
    for (const reason of [away, away, full, away]) report('unavailable', reason);
    report('accepted', '');
    report('unavailable', full);

    expect(open.lines().map(({ level, reason }) => [level, reason])).toEqual([
      ['warn', away],
      ['debug', away],
      ['warn', full],
      ['debug', away],
      ['debug', undefined],
      ['warn', full],
    ]);
  });

  test('writes a poll at level info when every requested media was skipped, with the reasons', async () => {
    await using open = openCaptured();
    const skipped = { 'graph.media-before-conversion': 3 };

    open.telemetry.report(finished({ requestedMedia: 3, answeredNodes: 0, skipped }));
    open.telemetry.report(finished({ requestedMedia: 4, answeredNodes: 1, skipped }));
    open.telemetry.report(finished({ requestedMedia: 4, answeredNodes: 0, skipped }));
    open.telemetry.report(finished({ skipped }));

    expect(open.lines()[0]).toMatchObject({ msg: 'poll finished', skipped });
    expect(open.lines().map(({ level }) => level)).toEqual(['info', 'debug', 'debug', 'debug']);
  });

  test('writes a retried poll at level warn and a poll without a retry at error', async () => {
    await using open = openCaptured();

    open.telemetry.report(failed());
    open.telemetry.report(failed({ disposition: 'wait', code: 'graph.rate-limited' }));
    open.telemetry.report(failed({ retryInMs: null }));
    open.telemetry.report(failed({ disposition: 'unexpected', code: 'internal.unexpected' }));
    open.telemetry.report(failed({ disposition: 'stop-account', code: 'graph.token' }));

    expect(brief(open.lines())).toEqual([
      ['warn', 'poll failed'],
      ['warn', 'poll failed'],
      ['error', 'poll given up'],
      ['error', 'poll failed'],
      ['error', 'poll stopped'],
    ]);
    expect(open.lines()[0]).toMatchObject({
      code: 'graph.server',
      disposition: 'retry',
      message: 'HTTP 500',
      retryInMs: 1000,
    });
  });

  test('writes a missing permission once per account at level error, and at debug for its other streams', async () => {
    await using open = openCaptured();
    const denied = {
      disposition: 'stop-stream',
      code: 'graph.permission',
      retryInMs: null,
    } as const;

    open.telemetry.report(failed({ ...denied, accountId: '1', stream: 'users' }));
    open.telemetry.report(failed({ ...denied, accountId: '1', stream: 'media' }));
    open.telemetry.report(failed({ ...denied, accountId: '2', stream: 'media' }));
    open.telemetry.report(failed({ ...denied, accountId: '2', code: 'graph.refused' }));
    open.telemetry.report(finished({ accountId: '1', stream: 'users' }));
    open.telemetry.report(failed({ ...denied, accountId: '1', stream: 'users' }));

    const stops = open.lines().filter(({ msg }) => msg === 'poll stopped');
    expect(stops.map(({ level, accountId, stream }) => [level, accountId, stream])).toEqual([
      ['error', '1', 'users'],
      ['debug', '1', 'media'],
      ['error', '2', 'media'],
      ['error', '2', 'users'],
      ['error', '1', 'users'],
    ]);
  });

  test('writes a registry mismatch once at level error, and then at debug', async () => {
    await using open = openCaptured();
    const stop = {
      disposition: 'stop-stream',
      code: 'registry.mismatch',
      retryInMs: null,
    } as const;

    for (const accountId of ['1', '2', '1']) open.telemetry.report(failed({ ...stop, accountId }));

    const stops = open.lines().filter(({ msg }) => msg === 'poll stopped');
    expect(stops.map(({ level }) => level)).toEqual(['error', 'debug', 'debug']);
  });

  test('writes throttling by Kafka once after a second, and again for each further minute', async () => {
    await using open = openCaptured();
    for (const durationMs of [400, 700, 30_000, 31_000, 100]) {
      open.telemetry.report({ type: 'throttled', durationMs });
    }

    const lines = open.lines().filter(({ msg }) => msg === 'throttled by a quota of kafka');
    expect(lines.map(({ level, seconds }) => [level, seconds])).toEqual([
      ['warn', 1],
      ['warn', 62],
    ]);
  });

  test('writes a known state without its rejections', async () => {
    await using open = openCaptured();
    const rejections = [
      { subject: '5', metric: null, reason: 'graph.gone', untilMs: null },
    ] as const;
    open.telemetry.report({
      type: 'state',
      stream: 'users',
      accountId: '1',
      writtenAtMs: 0,
      rejections,
    });

    expect(open.lines().at(-1)).toMatchObject({ msg: 'state known', stream: 'users' });
    expect(open.lines().at(-1)).not.toHaveProperty('rejections');
  });

  test("writes a rejected token with the advice, and the token's later acceptance", async () => {
    await using open = openCaptured();
    const rejection = { code: 'graph.token', message: 'revoked' } as const;
    open.telemetry.report({ type: 'token-rejected', name: '2', rejection });
    open.telemetry.report({ type: 'token-rejected', name: '2', rejection: null });

    expect(open.lines()).toMatchObject([
      {
        level: 'error',
        msg: 'token refused',
        name: '2',
        code: 'graph.token',
        reason: 'revoked',
        action: expect.stringContaining('instagram-kafka login'),
      },
      { level: 'info', msg: 'token accepted again', name: '2' },
    ]);
  });

  test("writes a warning at each step before the expiry of a token, with the token's name", async () => {
    await using open = openCaptured();
    const token = { type: 'token', name: '2', expiresAtMs: 0, action: 'Get a new one.' } as const;

    for (const warnAtDays of [null, 14, 14, 7, 7, 14, null] as const) {
      open.telemetry.report({ ...token, warnAtDays });
    }

    const [read, ...warned] = open.lines();
    expect(read).toMatchObject({ level: 'info', msg: 'token read', name: '2' });
    expect(brief(warned)).toEqual(Array(3).fill(['warn', 'token ends soon']));
    expect(warned[0]).toMatchObject({ name: '2', action: 'Get a new one.' });
  });

  test('writes a warning about the end of the API version, again only when the warning changes', async () => {
    await using open = openCaptured();
    const version = { type: 'api-version', version: 'v25.0', endsAtMs: 0 } as const;

    for (const warning of ['', 'It ends soon.', 'It ends soon.', 'It has ended.']) {
      open.telemetry.report({ ...version, warning });
    }

    expect(open.lines()).toMatchObject([
      { level: 'warn', msg: 'api version needs attention', warning: 'It ends soon.' },
      { level: 'warn', msg: 'api version needs attention', warning: 'It has ended.' },
    ]);
    expect(open.lines()[0]).toMatchObject({
      apiVersion: 'v25.0',
      ends: '1970-01-01T00:00:00.000Z',
    });
  });

  test('writes a failed token renewal at level warn once per reason', async () => {
    await using open = openCaptured();
    const renewal = { type: 'token-renewal', name: 'default' } as const;

    for (const message of ['no', 'no', 'never']) {
      open.telemetry.report({ ...renewal, outcome: 'failed', message });
    }
    open.telemetry.report({ ...renewal, outcome: 'renewed', message: '' });

    expect(brief(open.lines())).toEqual([
      ['warn', 'token not renewed'],
      ['debug', 'token not renewed'],
      ['warn', 'token not renewed'],
      ['info', 'token renewed'],
    ]);
  });

  test('writes requests and commits at level debug, and other transaction outcomes at warn', async () => {
    await using open = openCaptured();
    const transaction = { type: 'transaction', partition: 3, records: 1, durationMs: 9 } as const;

    open.telemetry.report({
      type: 'request',
      endpoint: '/{account}',
      calls: 1,
      outcome: 'ok',
      durationMs: 5,
    });
    open.telemetry.report({ ...transaction, outcome: 'committed' });
    open.telemetry.report({ ...transaction, outcome: 'redone' });
    open.telemetry.report({ ...transaction, outcome: 'failed' });

    expect(brief(open.lines())).toEqual([
      ['debug', 'request made'],
      ['debug', 'transaction ended'],
      ['warn', 'transaction ended'],
      ['warn', 'transaction ended'],
    ]);
  });

  test('writes added and removed accounts, and no line when nothing changed', async () => {
    await using open = openCaptured();

    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [account('2')] });
    open.telemetry.report({ type: 'accounts', added: [], removed: [] });

    expect(open.lines()).toMatchObject([
      { level: 'info', msg: 'accounts changed', added: ['1'], removed: ['2'] },
    ]);
  });

  test('writes a starting dependency at level info and its later failure at warn', async () => {
    await using open = openCaptured({ level: 'info' });
    const { telemetry } = open;
    const state = { type: 'dependency', name: 'state', ready: false } as const;
    telemetry.report({ ...state, reason: 'restoring partitions 0, 1', isStarting: true });
    telemetry.report({ ...state, reason: 'restoring partitions 1', isStarting: true });
    telemetry.report({ ...state, reason: 'restoring partitions 1: no broker' });
    telemetry.report({ ...state, ready: true, reason: '' });

    expect(open.lines().map(({ level, msg }) => [level, msg])).toEqual([
      ['info', 'dependency starting'],
      ['warn', 'dependency down'],
      ['info', 'dependency up'],
    ]);
  });

  test('writes a dependency once when its readiness changes, with repeats at debug', async () => {
    await using open = openCaptured({ level: 'info' });
    const kafka = { type: 'dependency', name: 'kafka', reason: '' } as const;

    open.telemetry.report({ ...kafka, ready: false, reason: 'no broker answers' });
    open.telemetry.report({ ...kafka, ready: false, reason: 'no broker answers yet' });
    open.telemetry.report({ ...kafka, ready: true });
    open.telemetry.report({ ...kafka, ready: true });

    expect(open.lines()).toMatchObject([
      { level: 'warn', msg: 'dependency down', dependency: 'kafka', reason: 'no broker answers' },
      { level: 'info', msg: 'dependency up', dependency: 'kafka' },
    ]);
  });

  test('writes an unknown field once per stream', async () => {
    await using open = openCaptured({ level: 'info' });

    open.telemetry.report(finished({ unknownFields: ['a', 'b'] }));
    open.telemetry.report(finished({ unknownFields: ['b'] }));
    open.telemetry.report(finished({ stream: 'media', unknownFields: ['b'] }));

    expect(open.lines()).toMatchObject([
      { msg: 'unknown field ignored', stream: 'users', field: 'a' },
      { msg: 'unknown field ignored', stream: 'users', field: 'b' },
      { msg: 'unknown field ignored', stream: 'media', field: 'b' },
    ]);
  });

  test('writes an error, and reporting does not throw, when an event cannot be counted', async () => {
    await using open = openCaptured();

    open.telemetry.report({ type: 'committed', stream: 'users', records: -1, deadLetters: 0 });

    expect(open.lines()).toMatchObject([
      { level: 'error', msg: 'event handler failed', event: 'committed' },
      { level: 'debug', msg: 'batches committed' },
    ]);
  });
});
