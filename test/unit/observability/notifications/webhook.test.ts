import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { fromRecord, toRecord } from '../../../../src/observability/notifications/record.ts';
import type { Notification } from '../../../../src/observability/notifications/tracker.ts';
import {
  createWebhook,
  signatureOf,
  slackBody,
} from '../../../../src/observability/notifications/webhook.ts';
import { startHttpServer } from '../../../support/http-server.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

const noSignal = new AbortController().signal;
const sinceMs = Date.parse('2026-11-30T08:00:00Z');

const rejected: Notification = {
  key: 'token-rejected/default',
  kind: 'token-rejected',
  status: 'open',
  severity: 'critical',
  accountId: null,
  username: null,
  stream: null,
  token: 'default',
  code: 'graph.token',
  message: 'The API rejects the token default: a <b> & c',
  advice: 'Get a new token.',
  sinceMs,
  atMs: sinceMs,
  instance: 'a',
};
const resolved: Notification = { ...rejected, status: 'resolved', atMs: sinceMs + 1000 };

/** A webhook on a real server that answers with these statuses, then with 200. */
async function openWebhook(
  statuses: number[],
  {
    secret = null,
    headers = {},
  }: { secret?: (() => string) | null; headers?: Record<string, string> } = {},
) {
  const bodies: string[] = [];
  const server = await startHttpServer((_request, response, raw) => {
    void text(raw).then((body) => {
      bodies.push(body);
      response.writeHead(statuses.shift() ?? 200, headers).end();
    });
  });
  const clock = createManualClock(sinceMs);
  // Waits pass at once; the server answers in real time.
  const instantly = {
    nowMs: () => clock.nowMs(),
    sleep: async (ms: number, signal: AbortSignal) => {
      const slept = clock.sleep(ms, signal);
      await clock.advance(ms);
      await slept;
    },
  };
  const telemetry = createRecordingTelemetry();
  const url = (): string => `${server.url}/hook`;
  const tools = { clock: instantly, random: () => 1, telemetry };
  return {
    server,
    bodies,
    clock,
    webhook: createWebhook({ url, format: 'json', secret }, tools),
    outcomes: () =>
      telemetry.ofType('notifications').map(({ outcome, reason }) => `${outcome} ${reason}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('webhook of notifications', () => {
  test('receives the records with their times as texts, some in one request', async () => {
    await using opened = await openWebhook([]);
    await opened.webhook.deliver([rejected, resolved], noSignal);

    expect(opened.bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      {
        notifications: [
          {
            id: 'token-rejected/default@2026-11-30T08:00:00.000Z',
            condition: 'token-rejected/default',
            kind: 'token-rejected',
            status: 'open',
            severity: 'critical',
            since: '2026-11-30T08:00:00.000Z',
            at: '2026-11-30T08:00:00.000Z',
            business_account_id: null,
            username: null,
            stream: null,
            token: 'default',
            code: 'graph.token',
            message: 'The API rejects the token default: a <b> & c',
            advice: 'Get a new token.',
            instance: 'a',
          },
          expect.objectContaining({ status: 'resolved', at: '2026-11-30T08:00:01.000Z' }),
        ],
      },
    ]);
    expect(opened.outcomes()).toEqual(['delivered ']);
  });

  test('receives a message with escaped texts in the format slack', () => {
    expect(JSON.parse(slackBody([rejected, resolved]))).toEqual({
      text:
        ':red_circle: *critical*: The API rejects the token default: a &lt;b&gt; &amp; c\nGet a new token.\n\n' +
        ':white_check_mark: *resolved* (since 2026-11-30T08:00:00.000Z): The API rejects the token default: a &lt;b&gt; &amp; c',
    });
  });

  test('receives the signature of the body, and none without a key', async () => {
    const secret = () => 'a-key-of-the-signature';
    await using signed = await openWebhook([], { secret });
    await using unsigned = await openWebhook([]);
    await signed.webhook.deliver([rejected], noSignal);
    await unsigned.webhook.deliver([rejected], noSignal);

    expect(signed.server.requests[0]?.headers['x-signature-256']).toBe(
      signatureOf(signed.bodies[0] ?? '', secret()),
    );
    expect(signatureOf('{}', 'key')).toBe(
      'sha256=a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032',
    );
    expect(unsigned.server.requests[0]?.headers).not.toHaveProperty('x-signature-256');
  });

  test('is called again after an error, with growing waits, until it answers with success', async () => {
    await using opened = await openWebhook([500, 404, 302], { headers: { location: '/other' } });
    await opened.webhook.deliver([rejected], noSignal);

    expect(opened.server.requests.map(({ path }) => path)).toEqual(Array(4).fill('/hook'));
    expect(opened.clock.slept).toEqual([1000, 2000, 4000]);
    expect(opened.outcomes()).toEqual([
      'failed it answers with HTTP 500',
      'failed it answers with HTTP 404',
      'failed it answers with HTTP 302',
      'delivered ',
    ]);
  });

  test('is left alone for the time of Retry-After', async () => {
    await using opened = await openWebhook([429], { headers: { 'retry-after': '120' } });
    await opened.webhook.deliver([rejected], noSignal);

    expect(opened.clock.slept).toEqual([120_000]);
  });

  test('misses a notification that is a day old, and receives later ones', async () => {
    await using opened = await openWebhook([503, 503, 503]);
    const old = { ...rejected, atMs: sinceMs - 86_394_000 };
    await opened.webhook.deliver([old], noSignal);
    await opened.webhook.deliver([old, { ...resolved, key: 'later' }], noSignal);

    expect(opened.outcomes().map((outcome) => outcome.split(' ')[0])).toEqual([
      'failed',
      'failed',
      'failed',
      'dropped',
      'dropped',
      'delivered',
    ]);
    expect(opened.bodies).toHaveLength(4);
    expect(opened.bodies[3]).not.toContain('"open"');
  });

  test('receives a notification once when two instances have written it', async () => {
    await using opened = await openWebhook([]);
    await opened.webhook.deliver([rejected], noSignal);
    await opened.webhook.deliver([rejected], noSignal);
    await opened.webhook.deliver([resolved], noSignal);

    expect(opened.bodies).toHaveLength(2);
  });

  test('receives the last status of a condition that begins again and ends within one request', async () => {
    await using opened = await openWebhook([]);
    await opened.webhook.deliver([rejected, rejected, resolved], noSignal);
    const again = { ...rejected, sinceMs: sinceMs + 2000 };
    await opened.webhook.deliver([again, { ...again, status: 'resolved' }], noSignal);

    const statuses = opened.bodies.map((body) => {
      const { notifications } = JSON.parse(body) as { notifications: { status: string }[] };
      return notifications.map(({ status }) => status);
    });
    expect(statuses).toEqual([
      ['open', 'resolved'],
      ['open', 'resolved'],
    ]);
  });

  test('names the reason of a connection that fails', async () => {
    const opened = await openWebhook([]);
    await opened[Symbol.asyncDispose]();
    await opened.webhook.deliver([{ ...rejected, atMs: sinceMs - 86_399_500 }], noSignal);

    expect(opened.outcomes()).toEqual(['failed ECONNREFUSED', 'dropped ']);
  });
});

describe('record of a notification', () => {
  test('is read back from its JSON form', () => {
    const json = {
      ...toRecord(resolved),
      since: new Date(resolved.sinceMs).toISOString(),
      at: new Date(resolved.atMs).toISOString(),
    };

    expect(fromRecord(json)).toEqual(resolved);
  });

  test.each([
    null,
    'text',
    {},
    { condition: 'a', status: 'open' },
    { condition: 'a', status: 'x' },
    { condition: 'a', status: 'open', since: '2026-11-30T08:00:00Z', at: 'no time' },
  ])('is not read from %j', (json) => {
    expect(fromRecord(json)).toBeUndefined();
  });
});
