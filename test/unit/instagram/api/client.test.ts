import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { StopProcessError } from '../../../../src/engine/errors.ts';
import { answering, startHttpServer } from '../../../support/http-server.ts';
import { calm, mediaRequest, open, rejection, token } from '../opened.ts';

describe('Graph API request', () => {
  test('carries version, path and query in the URL, and the token only in the header', async () => {
    await using server = await startHttpServer(answering(200, { data: [] }));
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).resolves.toEqual({ data: [] });

    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      path: '/v25.0/17841400000000001/media',
      query: { fields: 'id,caption', limit: '100' },
      headers: { authorization: `Bearer ${token}` },
    });
  });

  test('carries appsecret_proof when the app secret is known, and hides both in errors', async () => {
    const clientSecret = 'hush-app-secret';
    const proof = createHmac('sha256', clientSecret).update(token).digest('hex');
    const echoed = { error: { message: `no ${proof} ${clientSecret}`, code: 100 } };
    await using server = await startHttpServer(answering(400, echoed));
    await using adapter = open(server.url, { clientSecret });

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(server.requests[0]?.query).toEqual({ ...mediaRequest.query, appsecret_proof: proof });
    expect(inspect(error)).toContain('no [secret] [secret]');
  });

  test('measures how far the local clock is ahead of the last answer, errors included', async () => {
    const date = new Date(Date.UTC(2026, 9, 5, 10)).toUTCString();
    await using server = await startHttpServer(answering(400, {}, { date }));
    await using adapter = open(server.url);
    expect(adapter.graph.clockAheadMs).toBeNull();

    await rejection(adapter.graph.get(mediaRequest, calm));

    expect(adapter.graph.clockAheadMs).toBe(2 * 3_600_000);
  });

  test('is sent once when the server fails: the client itself never retries', async () => {
    await using server = await startHttpServer(answering(503, 'away', { 'retry-after': '7' }));
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.server',
      retryAfterMs: 7_000,
    });

    expect(server.requests).toHaveLength(1);
    expect(adapter.events).toMatchObject([{ type: 'request', calls: 1, outcome: 'graph.server' }]);
  });
});

describe('response body', () => {
  test('loses only the token that Meta repeats in its paging links', async () => {
    const next = `https://graph.facebook.com/v25.0/1/media?access_token=${token}&after=x`;
    await using server = await startHttpServer(
      answering(200, { data: [{ caption: 'access_token=mine' }], paging: { next } }),
    );
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).resolves.toEqual({
      data: [{ caption: 'access_token=mine' }],
      paging: { next: 'https://graph.facebook.com/v25.0/1/media?access_token=[secret]&after=x' },
    });
  });

  test.each([
    ['words', 'Sorry', 'that are not JSON'],
    ['half of a JSON text', '{"data":[{"id":"1"', 'that are not JSON'],
    ['a list', '[1]', 'that are JSON, but list'],
    ['a number', '17', 'that are JSON, but number'],
    ['null', 'null', 'that are JSON, but null'],
    [
      'lists nested beyond the stack',
      `{"n":12345678901234567,"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      'that are not JSON',
    ],
  ])('of %s becomes a dead letter', async (_name, body, words) => {
    await using server = await startHttpServer(answering(200, body));
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(error).toMatchObject({
      disposition: 'dead-letter',
      code: 'graph.bad-body',
      path: '',
      raw: body.slice(0, 2_000),
    });
    expect(error).toHaveProperty('message', expect.stringContaining(words));
  });

  test.each([
    ['HTML', '<html>login</html>', 'got HTML'],
    ['HTML after a byte order mark and blank lines', '\ufeff\r\n <!DOCTYPE html>', 'got HTML'],
    ['HTML that is not UTF-8', Buffer.from('<p>\xe9</p>', 'latin1'), 'got HTML'],
    ['nothing at all', '', 'got an empty body'],
    ['blank lines', '\r\n', 'got an empty body'],
    ['gzip that is not announced', gzipSync('{"data":[]}'), 'got bare gzip'],
  ])('of %s is retried', async (_name, body, words) => {
    await using server = await startHttpServer((_request, response) => void response.end(body));
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(error).toMatchObject({ disposition: 'retry', code: 'graph.server' });
    expect(error).toHaveProperty('message', expect.stringContaining(words));
  });

  test('of HTML becomes a dead letter when the status is 404', async () => {
    await using server = await startHttpServer(answering(404, '<html>login</html>'));
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(error).toMatchObject({ disposition: 'dead-letter', code: 'graph.bad-body' });
  });

  test('is redacted and then cut to 2,000 characters in its dead letter', async () => {
    const body = `${'x'.repeat(1_992)} ${token}${token}`;
    await using server = await startHttpServer(answering(200, body));
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      raw: `${'x'.repeat(1_992)} [secret`,
    });
  });

  test('is rejected as too much data when it exceeds 32 MB', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    await using server = await startHttpServer((_request, response) => {
      for (let sent = 0; sent < 33; sent += 1) response.write(chunk);
      response.end();
    });
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.too-much-data',
    });
  });

  test('of HTML is handled as a rate limit when the status is 429', async () => {
    await using server = await startHttpServer(answering(429, '<html>slow down</html>'));
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      disposition: 'wait',
      code: 'graph.rate-limited',
      scope: { kind: 'app', id: '' },
      retryAfterMs: 300_000,
    });
  });
});

describe('network error', () => {
  test('is retried when the connection is refused', async () => {
    const server = await startHttpServer(answering(200, {}));
    await server[Symbol.asyncDispose]();
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(error).toMatchObject({ disposition: 'retry', code: 'graph.network' });
    expect(error).toHaveProperty('message', expect.stringContaining('ECONNREFUSED'));
  });

  test('is retried when the connection closes before the answer', async () => {
    await using server = await startHttpServer((_request, response) => {
      response.destroy();
    });
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.network',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('is retried when the connection closes within the body', async () => {
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"data":', () => response.destroy());
    });
    await using adapter = open(server.url);

    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      disposition: 'retry',
      code: 'graph.network',
    });
  });

  test.each([
    ['before the answer', false],
    ['within the body', true],
  ])('is a timeout when the server hangs %s', async (_name, half) => {
    const arrived = Promise.withResolvers<undefined>();
    await using server = await startHttpServer((_request, response) => {
      if (half) response.write('{"data":');
      arrived.resolve(undefined);
    });
    await using adapter = open(server.url, { requestTimeoutMs: 1_500 });

    const failing = rejection(adapter.graph.get(mediaRequest, calm));
    await arrived.promise;
    expect([...adapter.clock.sleeping]).toEqual([1_500]);
    adapter.clock.wakeAll();

    const error = await failing;
    expect(error).toMatchObject({ disposition: 'retry', code: 'graph.timeout' });
    expect(error).toHaveProperty('message', expect.stringContaining('within 1500 ms'));
    expect(adapter.events).toMatchObject([{ outcome: 'graph.timeout' }]);
  });
});

describe('redirect', () => {
  test('is not followed to another host', async () => {
    await using thief = await startHttpServer(answering(200, { data: [] }));
    await using server = await startHttpServer(
      answering(302, '', { location: `${thief.url}/?access_token=${token}` }),
    );
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(thief.requests).toHaveLength(0);
    expect(error).toMatchObject({ disposition: 'fail', code: 'graph.refused' });
    expect(error).toHaveProperty('message', expect.stringContaining(new URL(thief.url).host));
    expect(inspect(error, { depth: null })).not.toContain(token);
  });
});

describe('access token', () => {
  const leaky = {
    error: {
      message: `Bad token ${token} in https://x/?access_token=${token}`,
      type: 'OAuthException',
      code: 190,
      fbtrace_id: `A${token}`,
    },
  };

  test.each([
    ['an error of Meta', answering(400, leaky)],
    ['an unknown error', answering(400, { error: { message: `no ${token}`, code: 77 } })],
    ['a body that is not JSON', answering(200, `<a href="?access_token=${token}">`)],
    ['a server error', answering(500, `oops Bearer ${token}`)],
  ])('is redacted in %s', async (_name, handler) => {
    await using server = await startHttpServer(handler);
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token);
    expect(JSON.stringify(adapter.events)).not.toContain(token);
  });

  test('is redacted in a network error and its cause', async () => {
    await using server = await startHttpServer((_request, response) => response.destroy());
    await using adapter = open(server.url);

    const error = await rejection(adapter.graph.get(mediaRequest, calm));

    expect(error).toHaveProperty('cause', expect.any(Error));
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token);
  });

  test('is rejected without being printed when no HTTP header can hold it', async () => {
    const error = await rejection(
      new Promise((resolve) => {
        resolve(open('http://127.0.0.1:1', { accessTokens: [`${token}\nx`] }));
      }),
    );

    expect(error).toBeInstanceOf(StopProcessError);
    expect(error).toMatchObject({ code: 'config.invalid', exitCode: 2 });
    expect(inspect(error, { depth: null })).not.toContain(token);
  });
});

describe('aborted Graph API request', () => {
  test('rejects with the reason of the abort while it is under way, and emits no event', async () => {
    const arrived = Promise.withResolvers<undefined>();
    await using server = await startHttpServer(() => {
      arrived.resolve(undefined);
    });
    await using adapter = open(server.url);
    const stop = new AbortController();
    const reason = new Error('SIGTERM');

    const failing = rejection(adapter.graph.get(mediaRequest, stop.signal));
    await arrived.promise;
    stop.abort(reason);

    await expect(failing).resolves.toBe(reason);
    expect(adapter.events).toEqual([]);
  });

  test('is not sent when the signal was aborted before', async () => {
    await using server = await startHttpServer(answering(200, {}));
    await using adapter = open(server.url);

    const reason = new Error('SIGTERM');
    await expect(
      rejection(adapter.graph.get(mediaRequest, AbortSignal.abort(reason))),
    ).resolves.toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  test('is aborted when the adapter closes, and the adapter rejects new requests', async () => {
    const arrived = Promise.withResolvers<undefined>();
    await using server = await startHttpServer(() => {
      arrived.resolve(undefined);
    });
    const adapter = open(server.url);

    const failing = rejection(adapter.graph.get(mediaRequest, calm));
    await arrived.promise;
    await adapter[Symbol.asyncDispose]();

    await expect(failing).resolves.toMatchObject({ name: 'AbortError' });
    await expect(adapter.graph.get(mediaRequest, calm)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(server.requests).toHaveLength(1);
  });
});
