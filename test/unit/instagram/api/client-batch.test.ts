import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { type Handler, answering, startHttpServer } from '../../../support/http-server.ts';
import { calm, open, rejection, token } from '../opened.ts';

const requestsOf = (count: number): readonly GraphRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    endpoint: '/{media}/insights',
    path: `/1800000000000000${index}/insights`,
    query: { metric: 'reach' },
    accountId: '17841400000000001',
  }));
const item = (body: unknown, code = 200) => ({ code, headers: [], body: JSON.stringify(body) });
const reach = { data: [{ name: 'reach', values: [{ value: 5 }] }] };

/** A handler that records the posted forms and answers them. */
function posted(answer: Handler) {
  const forms: URLSearchParams[] = [];
  const methods: (string | undefined)[] = [];
  const handler: Handler = (request, response, raw) => {
    methods.push(raw.method);
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    raw.on('end', () => {
      forms.push(new URLSearchParams(Buffer.concat(chunks).toString()));
      answer(request, response, raw);
    });
  };
  return { handler, forms, methods };
}

describe('batch request', () => {
  test('is one POST of a form to the version, with the token only in the header', async () => {
    const { handler, forms, methods } = posted(answering(200, [item(reach), item(reach)]));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);
    const requests = requestsOf(2);

    const outcomes = await adapter.graph.getBatch(requests, calm);

    expect(outcomes).toEqual(requests.map((request) => ({ request, node: reach })));
    expect(methods).toEqual(['POST']);
    expect(server.requests[0]).toMatchObject({
      path: '/v25.0/',
      query: {},
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      },
    });
    expect(forms[0]?.toString()).not.toContain(token);
    expect(adapter.events).toEqual([
      { type: 'request', endpoint: '/{media}/insights', calls: 2, outcome: 'ok', durationMs: 0 },
    ]);
  });

  test('carries one appsecret_proof for all its items', async () => {
    const clientSecret = 'hush-app-secret';
    const proof = createHmac('sha256', clientSecret).update(token).digest('hex');
    const { handler, forms } = posted(answering(200, [item(reach), item(reach)]));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url, { clientSecret });

    await adapter.graph.getBatch(requestsOf(2), calm);

    expect(server.requests[0]?.query).toEqual({ appsecret_proof: proof });
    expect(forms[0]?.get('batch')).not.toContain(proof);
  });

  test('returns an outcome for each of its requests', async () => {
    const gone = { error: { message: 'The requested resource does not exist', code: 24 } };
    const { handler } = posted(answering(200, [item(gone, 400), null, item(reach)]));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);
    const requests = requestsOf(3);

    expect(await adapter.graph.getBatch(requests, calm)).toMatchObject([
      { request: requests[0], error: { code: 'graph.gone' } },
      { request: requests[1], isUnanswered: true },
      { request: requests[2], node: reach },
    ]);
  });

  test('reports the highest usage of its items, and the number of calls', async () => {
    const usage = (percent: number) => [
      {
        name: 'X-Business-Use-Case-Usage',
        value: `{"17841400000000001":[{"type":"instagram","call_count":${percent}}]}`,
      },
    ];
    const items = [3, 5, 4].map((percent) => ({ ...item(reach), headers: usage(percent) }));
    const { handler } = posted(answering(200, items));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);

    await adapter.graph.getBatch(requestsOf(3), calm);

    expect(adapter.usage).toEqual([
      {
        scope: { kind: 'account', id: '17841400000000001' },
        percent: 5,
        regainMs: 0,
        calls: 3,
      },
    ]);
  });

  test.each<[string, number, unknown]>([
    [
      'a refusal of POST',
      400,
      { error: { message: '(#100) Unsupported post request', code: 100 } },
    ],
    ['an unknown path', 404, { error: { message: 'Unknown path components: /', code: 2500 } }],
    ['a method that is not allowed', 405, ''],
    [
      'a form that is retired',
      500,
      { error: { message: 'batch is deprecated in v28', code: 100 } },
    ],
    [
      'a host without batches',
      400,
      { error: { message: 'Cannot call API for app 1 on behalf of user 0', code: 200 } },
    ],
  ])(
    'is turned off for a day when the API answers that batch requests are unavailable: %s',
    async (_what, status, body) => {
      const { handler } = posted(answering(status, body));
      await using server = await startHttpServer(handler);
      await using adapter = open(server.url);
      const requests = requestsOf(2);
      expect(adapter.graph.batchSize).toBe(50);

      expect(await adapter.graph.getBatch(requests, calm)).toEqual(
        requests.map((request) => ({ request, isUnanswered: true })),
      );

      expect(adapter.graph.batchSize).toBe(1);
      expect(adapter.events.filter(({ type }) => type === 'batch-rejected')).toHaveLength(1);
    },
  );

  test.each<[string, number, unknown]>([
    ['an unknown code', 400, { error: { message: 'Something odd', code: 4711 } }],
    ['a permission', 403, { error: { message: '(#200) Missing permissions', code: 200 } }],
    ['a body of another shape', 400, 'no'],
    ['a page that is not found', 404, '<html>'],
  ])('stays on when the API rejects it for another reason: %s', async (_what, status, body) => {
    const { handler } = posted(answering(status, body));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);
    const requests = requestsOf(2);

    expect(await adapter.graph.getBatch(requests, calm)).toEqual(
      requests.map((request) => ({ request, isUnanswered: true })),
    );
    expect(adapter.graph.batchSize).toBe(50);
    expect(adapter.events).toMatchObject([
      { type: 'request', endpoint: '/batch', calls: 1 },
      { type: 'batch-rejected', isAbsent: false },
    ]);
  });

  test('is reported once, in plain words, when concurrent polls find it rejected', async () => {
    const message = '(#100) Unsupported post request';
    const { handler } = posted(answering(400, { error: { message, code: 100 } }));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);
    const sent = [1, 2, 3].map(() => adapter.graph.getBatch(requestsOf(2), calm));
    await Promise.all(sent);

    expect(adapter.events.filter(({ type }) => type === 'batch-rejected')).toEqual([
      {
        type: 'batch-rejected',
        isAbsent: true,
        message:
          '/batch: the API takes no batches, so each object is requested by itself: more HTTP requests, the same calls and the same data. Batches are tried again in a day. Meta says "(#100) Unsupported post request" (HTTP 400, code 100)',
      },
    ]);
    expect(adapter.events.filter(({ type }) => type === 'request')).toMatchObject(
      sent.map(() => ({ endpoint: '/batch', calls: 1, outcome: 'graph.refused' })),
    );
  });

  test('is sent again a day after the API answered that it is unavailable, without a second report', async () => {
    let nowMs = Date.UTC(2026, 9, 5, 12);
    const clock = { nowMs: () => nowMs, sleep: () => new Promise<void>(() => undefined) };
    const { handler } = posted(answering(405, ''));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url, {}, { clock });
    await adapter.graph.getBatch(requestsOf(2), calm);
    const sizes = [0, 24 * 3_600_000 - 1, 1].map((ms) => {
      nowMs += ms;
      return adapter.graph.batchSize;
    });
    await adapter.graph.getBatch(requestsOf(2), calm);

    expect([sizes, adapter.graph.batchSize]).toEqual([[1, 1, 50], 1]);
    expect(adapter.events.filter(({ type }) => type === 'batch-rejected')).toHaveLength(1);
  });

  test('is reported again for an unknown rejection only after an accepted batch request', async () => {
    const odd = { error: { message: 'Something odd', code: 4711 } };
    const answers = [odd, odd, [item(reach)], odd];
    const { handler } = posted((request, response, raw) => {
      const body = answers.shift();
      answering(Array.isArray(body) ? 200 : 400, body)(request, response, raw);
    });
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);
    const reported: number[] = [];
    for (let sent = 0; sent < 4; sent += 1) {
      await adapter.graph.getBatch(requestsOf(1), calm);
      reported.push(adapter.events.filter(({ type }) => type === 'batch-rejected').length);
    }

    expect(reported).toEqual([1, 1, 1, 2]);
  });

  test('fails as too much data when it has more items than the API accepts', async () => {
    const message = 'Too many requests in batch message. Maximum batch size is 20';
    const { handler } = posted(answering(400, { error: { message, type: 'GraphBatchException' } }));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);

    expect(await rejection(adapter.graph.getBatch(requestsOf(2), calm))).toMatchObject({
      code: 'graph.too-much-data',
    });
    expect(adapter.graph.batchSize).toBe(50);
  });

  test.each<[string, number, unknown, string]>([
    ['an expired token', 400, { error: { message: 'x', code: 190 } }, 'graph.token'],
    ['a limit', 400, { error: { message: 'x', code: 4 } }, 'graph.rate-limited'],
    ['a failing server', 503, '', 'graph.server'],
  ])('stays on when it fails with %s', async (_what, status, body, code) => {
    const { handler } = posted(answering(status, body));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.getBatch(requestsOf(2), calm));

    expect(error).toMatchObject({ code });
    expect(adapter.graph.batchSize).toBe(50);
  });

  test('is off for graph.instagram.com', async () => {
    await using adapter = open('http://127.0.0.1:9', { login: 'instagram' });

    expect(adapter.graph.batchSize).toBe(1);
  });
});
