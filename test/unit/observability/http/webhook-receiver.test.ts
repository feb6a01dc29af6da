import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { RetryError } from '../../../../src/engine/errors.ts';
import type { WebhookChange } from '../../../../src/engine/webhooks.ts';
import { readWebhookPayload } from '../../../../src/instagram/webhooks/payload.ts';
import {
  createWebhookReceiver,
  type WebhookReceiverParts,
  type WebhookReceiverSettings,
} from '../../../../src/observability/http/webhook-receiver.ts';
import { account } from '../../../support/accounts.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

const secret = '0123456789abcdef0123456789abcdef';
const verifyToken = 'a text of my choice';
const accountId = account.id;
const limits = { requestMs: 1000, commitMs: 1000, connections: 50, requests: 10 };

interface Options {
  readonly settings?: Partial<WebhookReceiverSettings>;
  readonly parts?: Partial<WebhookReceiverParts>;
}

/** A receiver on loopback, with an inbox that keeps the changes. */
async function startReceiver({ settings = {}, parts = {} }: Options = {}) {
  const telemetry = createRecordingTelemetry();
  const kept: WebhookChange[] = [];
  const receiver = createWebhookReceiver(
    {
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 500_000,
      maxRequestsPerSecond: 10_000,
      verifyToken: () => verifyToken,
      appSecret: () => secret,
      limits,
      ...settings,
    },
    {
      inbox: {
        isFull: false,
        accept: (changes) => {
          kept.push(...changes);
          return Promise.resolve();
        },
      },
      accounts: () => new Map([[accountId, account]]),
      read: (body, facts) =>
        readWebhookPayload(body, { ...facts, streams: new Set(['comments', 'mentions']) }),
      telemetry,
      clock: { nowMs: () => 0 },
      monotonicMs: () => performance.now(),
      closeMs: () => 5000,
      ...parts,
    },
  );
  const url = await receiver.listen();
  return {
    url,
    telemetry,
    kept,
    keys: () => kept.map(({ key }) => key),
    outcomes: () => telemetry.ofType('webhook-request').map(({ outcome }) => outcome),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

const mention = (id: number) => ({ field: 'mentions', value: { media_id: String(id) } });

function bodyOf(...changes: unknown[]): string {
  const entry = [{ id: accountId, time: 1_795_939_200, changes }];
  return JSON.stringify({ object: 'instagram', entry });
}

function signatureOf(body: string, key = secret): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

function post(url: string, body: string, signature = signatureOf(body)): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', 'X-Hub-Signature-256': signature };
  return fetch(url, { method: 'POST', body, headers });
}

const statusOf = async (answer: Promise<Response>): Promise<number> => (await answer).status;

/** Opens a connection and sends a text on it. */
async function write(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(text);
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

describe('the webhook receiver', () => {
  test('answers 200 after the inbox has committed the changes, and counts them by field', async () => {
    await using receiver = await startReceiver();
    const comment = { field: 'comments', value: { id: '5', media: { id: '6' } } };
    const other = { field: 'messages', value: {} };

    expect(await statusOf(post(receiver.url, bodyOf(mention(1), comment, other)))).toBe(200);

    expect(receiver.keys()).toEqual([`${accountId}/mentions/1`, `${accountId}/comments/5`]);
    expect(receiver.telemetry.ofType('webhook-request')).toMatchObject([
      {
        outcome: 'accepted',
        reason: '',
        accepted: { mentions: 1, comments: 1 },
        ignored: [{ field: 'messages', reason: 'unknown-field', count: 1 }],
      },
    ]);
  });

  test('verifies the signature over the bytes as they came, escapes and spaces included', async () => {
    await using receiver = await startReceiver();
    const body = `\n ${bodyOf(mention(1)).replace('mentions', String.raw`\u006dentions`)}  `;
    expect(await statusOf(post(receiver.url, body))).toBe(200);
    expect(receiver.keys()).toEqual([`${accountId}/mentions/1`]);
  });

  test('answers 200 without effect for changes of unknown accounts and fields', async () => {
    await using receiver = await startReceiver();
    const body = bodyOf(mention(1)).replace(accountId, '0');
    expect(await statusOf(post(receiver.url, body))).toBe(200);
    expect(receiver.kept).toEqual([]);
    expect(receiver.telemetry.ofType('webhook-request')).toMatchObject([
      { outcome: 'accepted', accepted: {}, ignored: [{ reason: 'unknown-account' }] },
    ]);
  });

  test.each([
    ['no signature', ''],
    ['another secret', signatureOf(bodyOf(mention(1)), 'another secret')],
    ['the signature of another body', signatureOf(bodyOf(mention(2)))],
    ['a part of the signature', signatureOf(bodyOf(mention(1))).slice(0, -1)],
    ['SHA-1', signatureOf(bodyOf(mention(1))).replace('sha256', 'sha1')],
    ['no text of hex', `sha256=${'z'.repeat(64)}`],
  ])('answers 401 without effect for %s', async (_case, signature) => {
    await using receiver = await startReceiver();
    const answer = await post(receiver.url, bodyOf(mention(1)), signature);
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain(secret);
    expect(receiver.kept).toEqual([]);
    expect(receiver.outcomes()).toEqual(['bad-signature']);
  });

  test('takes repeated and reordered requests: the keys are the same', async () => {
    await using receiver = await startReceiver();
    const bodies = [bodyOf(mention(1)), bodyOf(mention(2), mention(3))];
    for (const body of [...bodies, ...bodies.toReversed()]) {
      expect(await statusOf(post(receiver.url, body))).toBe(200);
    }
    expect(new Set(receiver.keys()).size).toBe(3);
    expect(receiver.keys()).toHaveLength(6);
  });

  test('takes 1,000 changes in one request, as one commit', async () => {
    let commits = 0;
    const inbox = {
      isFull: false,
      accept: (changes: readonly WebhookChange[]) => {
        commits += changes.length;
        return Promise.resolve();
      },
    };
    await using receiver = await startReceiver({ parts: { inbox } });
    const body = bodyOf(...Array.from({ length: 1000 }, (_, index) => mention(index)));
    expect(await statusOf(post(receiver.url, body))).toBe(200);
    expect(commits).toBe(1000);
    expect(receiver.telemetry.ofType('webhook-request')).toMatchObject([
      { accepted: { mentions: 1000 } },
    ]);
  });

  test.each(['', '{', '[]', '{"object":"instagram"}', '\u0000\ud83d'])(
    'answers 400 for a signed body that is no webhook: %j',
    async (body) => {
      await using receiver = await startReceiver();
      // The bytes that are sent; fetch replaces half a surrogate pair.
      const sent = Buffer.from(body).toString();
      expect(await statusOf(post(receiver.url, sent))).toBe(400);
      expect(receiver.outcomes()).toEqual(['malformed']);
    },
  );

  test('answers 413 for a body above the limit, announced or not, and goes on', async () => {
    await using receiver = await startReceiver({ settings: { maxBodyBytes: 10_000 } });
    const body = ' '.repeat(10_001);
    const { host } = new URL(receiver.url);
    const answer = await post(receiver.url, body).catch(() => undefined);
    expect(answer?.status ?? 413).toBe(413);
    const head = `POST /webhooks/instagram HTTP/1.1\r\nHost: ${host}\r\nX-Hub-Signature-256: ${signatureOf(body)}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const socket = await write(receiver.url, `${head}2711\r\n${body}\r\n0\r\n\r\n`);
    const [received] = (await once(socket, 'data')) as [Buffer];
    expect(received.toString()).toMatch(/^HTTP\/1\.1 413 /);
    expect(await statusOf(post(receiver.url, bodyOf(mention(1))))).toBe(200);
    expect(receiver.outcomes()).toEqual(['too-large', 'too-large', 'accepted']);
  });

  test('answers 429 with Retry-After above the rate, and accepts again later', async () => {
    const time = { nowMs: 0 };
    await using receiver = await startReceiver({
      settings: { maxRequestsPerSecond: 2 },
      parts: { monotonicMs: () => time.nowMs },
    });
    const send = () => post(receiver.url, bodyOf(mention(1)));
    expect([(await send()).status, (await send()).status]).toEqual([200, 200]);
    const refused = await send();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    time.nowMs += 500;
    expect([(await send()).status, (await send()).status]).toEqual([200, 429]);
    expect(receiver.kept).toHaveLength(3);
  });

  test.each([
    ['the inbox is full', { isFull: true, accept: () => Promise.resolve() }],
    [
      'the broker is away',
      {
        isFull: false,
        accept: () => Promise.reject(new RetryError('kafka.unavailable', 'no broker answers')),
      },
    ],
    [
      'the commit takes too long',
      { isFull: false, accept: () => Promise.withResolvers<undefined>().promise },
    ],
  ])('answers 503 when %s', async (_case, inbox) => {
    const settings = { limits: { ...limits, commitMs: 50 } };
    await using receiver = await startReceiver({ settings, parts: { inbox } });
    expect(await statusOf(post(receiver.url, bodyOf(mention(1))))).toBe(503);
    expect(receiver.telemetry.ofType('webhook-request')).toMatchObject([
      { outcome: 'unavailable', accepted: {}, reason: expect.stringMatching(/./) },
    ]);
  });

  test('answers 503 before the accounts are listed', async () => {
    await using receiver = await startReceiver({ parts: { accounts: () => undefined } });
    expect(await statusOf(post(receiver.url, bodyOf(mention(1))))).toBe(503);
    expect(receiver.kept).toEqual([]);
  });

  test('survives a connection that breaks in the middle of a body', async () => {
    await using receiver = await startReceiver();
    const body = bodyOf(mention(1));
    const head = `POST /webhooks/instagram HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: ${signatureOf(body)}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = await write(receiver.url, `${head}${body.slice(0, -5)}`);
    await delay(20);
    socket.destroy();
    await until(() => receiver.outcomes().length > 0);
    expect(receiver.outcomes()).toEqual(['incomplete']);
    expect(receiver.kept).toEqual([]);
    expect(await statusOf(post(receiver.url, body))).toBe(200);
  });

  test('commits the changes of a request whose sender does not wait for the answer', async () => {
    const gate = Promise.withResolvers<undefined>();
    const started = Promise.withResolvers<undefined>();
    const accept = (): Promise<undefined> => {
      started.resolve(undefined);
      return gate.promise;
    };
    await using receiver = await startReceiver({ parts: { inbox: { isFull: false, accept } } });
    const body = bodyOf(mention(1));
    const head = `POST /webhooks/instagram HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: ${signatureOf(body)}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = await write(receiver.url, `${head}${body}`);
    await started.promise;
    socket.destroy();
    await delay(20);
    gate.resolve(undefined);
    await until(() => receiver.outcomes().length > 0);
    expect(receiver.outcomes()).toEqual(['accepted']);
  });

  test('ends a request that does not arrive in time, head or body', async () => {
    await using receiver = await startReceiver({
      settings: { limits: { ...limits, requestMs: 100 } },
    });
    const slow = ['POST /webhooks', 'POST /webhooks/instagram HTTP/1.1\r\nHost: x\r\n'];
    const sockets = await Promise.all(slow.map((text) => write(receiver.url, text)));
    const answers = await Promise.all(sockets.map((socket) => once(socket, 'data')));
    for (const [data] of answers as [Buffer][]) expect(data.toString()).toMatch(/ 408 /);
    expect(receiver.outcomes()).toEqual(['incomplete', 'incomplete']);
  });

  test('answers 503 to more requests at a time than it holds', async () => {
    const gate = Promise.withResolvers<undefined>();
    await using receiver = await startReceiver({
      settings: { limits: { ...limits, requests: 1 } },
      parts: { inbox: { isFull: false, accept: () => gate.promise } },
    });
    const first = post(receiver.url, bodyOf(mention(1)));
    let second = 200;
    while (second !== 503) {
      const answer = post(receiver.url, bodyOf(mention(2)));
      second = await Promise.race([statusOf(answer), delay(50).then(() => 0)]);
    }
    gate.resolve(undefined);
    expect(await statusOf(first)).toBe(200);
    expect(await statusOf(post(receiver.url, bodyOf(mention(3))))).toBe(200);
  });

  test('answers the request in hand before it ends, and drops one that takes too long', async () => {
    const gate = Promise.withResolvers<undefined>();
    const started = Promise.withResolvers<undefined>();
    const accept = (): Promise<undefined> => {
      started.resolve(undefined);
      return gate.promise;
    };
    const receiver = await startReceiver({ parts: { inbox: { isFull: false, accept } } });
    const answer = statusOf(post(receiver.url, bodyOf(mention(1))));
    await started.promise;
    const closed = receiver[Symbol.asyncDispose]();
    gate.resolve(undefined);
    expect(await answer).toBe(200);
    await closed;

    const never = { isFull: false, accept: () => Promise.withResolvers<undefined>().promise };
    const slow = await startReceiver({ parts: { inbox: never, closeMs: () => 50 } });
    const dropped = post(slow.url, bodyOf(mention(1))).then(
      ({ status }) => status,
      () => 503,
    );
    await delay(100);
    await slow[Symbol.asyncDispose]();
    expect(await dropped).toBe(503);
  });

  test('reports its URL when it listens, and names the variable of a port that is taken', async () => {
    await using receiver = await startReceiver();
    expect(receiver.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/webhooks\/instagram$/);
    expect(receiver.telemetry.ofType('webhook-listening')).toMatchObject([{ url: receiver.url }]);
    const port = Number(new URL(receiver.url).port);
    await expect(startReceiver({ settings: { port } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: `the webhook receiver cannot listen on 127.0.0.1:${port}: the port is taken; set WEBHOOK_RECEIVER_PORT to a free one (0 takes any), or stop what listens there`,
    });
  });

  test.each([
    ['GET', '/', 404],
    ['POST', '/webhooks/other', 404],
    ['GET', '/metrics', 404],
    ['DELETE', '/webhooks/instagram', 405],
    ['HEAD', '/webhooks/instagram', 405],
    ['GET', '/livez', 200],
  ])('answers %s %s with %i', async (method, path, status) => {
    await using receiver = await startReceiver();
    const answer = await fetch(new URL(path, receiver.url), { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('the handshake', () => {
  const ask = (url: string, query: Record<string, string>) =>
    fetch(`${url}?${new URLSearchParams(query).toString()}`);
  const right = {
    'hub.mode': 'subscribe',
    'hub.challenge': '1158201444',
    'hub.verify_token': verifyToken,
  };

  test('returns the challenge as text', async () => {
    await using receiver = await startReceiver();
    const answer = await ask(receiver.url, right);
    expect([answer.status, await answer.text()]).toEqual([200, '1158201444']);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(receiver.outcomes()).toEqual(['verified']);
  });

  test.each([
    ['another token', 'hub.verify_token', 'another text of mine'],
    ['a part of the token', 'hub.verify_token', verifyToken.slice(1)],
    ['another mode', 'hub.mode', 'unsubscribe'],
    ['a challenge that is no number', 'hub.challenge', '<script>'],
  ])('is refused with 403 for %s, and names the parameter', async (_case, name, value) => {
    await using receiver = await startReceiver();
    const answer = await ask(receiver.url, { ...right, [name]: value });
    expect(answer.status).toBe(403);
    const { error } = (await answer.json()) as { readonly error: string };
    expect(error).toMatch(new RegExp(`^${name.replace('.', '\\.')}: `));
    expect(error).not.toContain(verifyToken);
    expect(error).not.toContain(value);
    expect(receiver.outcomes()).toEqual(['not-verified']);
    expect(receiver.telemetry.ofType('webhook-request')).toMatchObject([{ reason: error }]);
  });
});
