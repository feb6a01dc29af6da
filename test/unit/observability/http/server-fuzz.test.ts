import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCaptured, type Captured } from '../captured-observability.ts';
import { account, failed } from '../telemetry-events.ts';

const token = 'hush-hush-operator';
const secret = 'hush-hush-graph';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Sends a request without normalization: `fetch` would normalize the path. */
function send(url: URL, { method, path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const framed = { ...headers, 'content-length': Buffer.byteLength(body) };
    const sent = request(
      { host: url.hostname, port: url.port, method, path, headers: framed },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const type = response.headers['content-type'] ?? '';
          resolve({ status: response.statusCode ?? 0, type, body: text });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const segment = fc.oneof(
  fc.constantFrom('streams', 'users', 'accounts', '1', 'poll', 'pause', 'log-level', 'status'),
  fc.constantFrom('..', '.', '', '%', '%2e', '%00', '__proto__', 'constructor', 'x'.repeat(300)),
  fc.webSegment(),
);
const path = fc.oneof(
  fc.constantFrom(
    '/',
    '/livez',
    '/readyz',
    '/metrics',
    '/status',
    '/log-level',
    '/streams/users/accounts/1/poll',
  ),
  fc.array(segment, { maxLength: 7 }).map((segments) => `/${segments.join('/')}`),
);
const query = fc.option(
  fc.oneof(
    fc.webQueryParameters(),
    fc
      .tuple(fc.constantFrom('limit', 'offset', 'search', 'trouble'), fc.webFragments())
      .map(([name, value]) => `${name}=${value}`),
  ),
  { nil: undefined },
);
const sent = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'),
  path: fc.tuple(path, query).map(([at, asked]) => (asked === undefined ? at : `${at}?${asked}`)),
  headers: fc.record(
    {
      authorization: fc.constantFrom(`Bearer ${token}`, 'Bearer', 'Basic x', 'Bearer x y'),
      'content-type': fc.constantFrom('application/json', 'text/plain', 'a/b; c', 'nonsense'),
      'x-any': fc.stringMatching(/^[\x21-\x7e]{0,20}$/),
    },
    { requiredKeys: [] },
  ),
  body: fc.oneof(fc.constant(''), fc.json(), fc.string(), fc.constant('x'.repeat(5000))),
});

const pageTypes = /^(?:text\/(?:html|css|javascript|plain)|image\/svg\+xml)\b/;

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

describe('any request to the HTTP server', () => {
  let open: Captured;
  let url: URL;
  beforeAll(async () => {
    open = openCaptured({ http: { token: () => token }, secrets: [secret], level: 'silent' });
    open.telemetry.report({ type: 'accounts', added: [account('1')], removed: [] });
    open.telemetry.report(failed({ message: `refused ${secret}` }));
    url = new URL((await open.listen())?.url ?? '');
  });
  afterAll(async () => {
    await open[Symbol.asyncDispose]();
  });

  test('is answered with a documented status, in JSON unless it is a page, and without a secret', async () => {
    await fc.assert(
      fc.asyncProperty(sent, async (given) => {
        const { status, type, body } = await send(url, given);

        expect([200, 202, 400, 401, 404, 405, 413, 415, 503]).toContain(status);
        expect(body).not.toContain('hush-hush');
        // A response to HEAD has no body.
        expect(body === '' || isJson(body) || (status === 200 && pageTypes.test(type))).toBe(true);
        expect(status < 400 || type.startsWith('application/json')).toBe(true);
      }),
      { numRuns: 1500 },
    );
    const alive = await send(url, { method: 'GET', path: '/livez', headers: {}, body: '' });
    expect(alive).toMatchObject({ status: 200, body: '{"live":true}' });
  });
});
