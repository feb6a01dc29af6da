import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import type { Handler } from '../../../support/http-server.ts';
import { answering, startHttpServer } from '../../../support/http-server.ts';
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

/** Keeps the forms that were posted, and answers them. */
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

describe('a batch', () => {
  test('is one POST of a form to the version, with the token in the header only', async () => {
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

  test('proves the secret of the app once, for all its items', async () => {
    const clientSecret = 'hush-app-secret';
    const proof = createHmac('sha256', clientSecret).update(token).digest('hex');
    const { handler, forms } = posted(answering(200, [item(reach), item(reach)]));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url, { clientSecret });

    await adapter.graph.getBatch(requestsOf(2), calm);

    expect(server.requests[0]?.query).toEqual({ appsecret_proof: proof });
    expect(forms[0]?.get('batch')).not.toContain(proof);
  });

  test('says of each request what became of it', async () => {
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

  test('reports the worst usage of its items, for so many calls', async () => {
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
    ['a body of another shape', 400, 'no'],
  ])('that the host refuses is none, once and for all: %s', async (_what, status, body) => {
    const { handler } = posted(answering(status, body));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);
    expect(adapter.graph.batchSize).toBe(50);

    expect(await adapter.graph.getBatch(requestsOf(2), calm)).toEqual([]);

    expect(adapter.graph.batchSize).toBe(1);
    expect(adapter.events.filter(({ type }) => type === 'batch-refused')).toHaveLength(1);
  });

  test.each<[string, number, unknown, string]>([
    ['an expired token', 400, { error: { message: 'x', code: 190 } }, 'graph.token'],
    ['a limit', 400, { error: { message: 'x', code: 4 } }, 'graph.rate-limited'],
    ['a failing server', 503, '', 'graph.server'],
  ])('fails with %s, and batches go on', async (_what, status, body, code) => {
    const { handler } = posted(answering(status, body));
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.getBatch(requestsOf(2), calm));

    expect(error).toMatchObject({ code });
    expect(adapter.graph.batchSize).toBe(50);
  });

  test('is not known to graph.instagram.com', async () => {
    await using adapter = open('http://127.0.0.1:9', { login: 'instagram' });

    expect(adapter.graph.batchSize).toBe(1);
  });
});
