import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { StopStreamError } from '../../src/engine/errors.ts';
import { createControlHandler } from '../../src/engine/control-handler.ts';
import { createOverrides } from '../../src/engine/overrides.ts';
import { supervise } from '../../src/engine/supervisor.ts';
import { account, otherAccount } from '../support/accounts.ts';
import { createFakeGroup } from '../support/fake-group.ts';
import { openCaptured, type Captured } from '../unit/observability/captured-observability.ts';
import { directoryOf, graphWith, supervisionOf } from '../unit/engine/supervision.ts';
import { createWorld, minuteMs } from '../unit/engine/world.ts';
import { everyEvent } from './every-event.ts';
import { expectGolden, sorted } from './golden.ts';

type Headers = Readonly<Record<string, string>>;

/** A request: the start of its line in the golden file (`GET /livez`), its headers and its body. */
interface Asked {
  readonly line: string;
  readonly headers?: Headers;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function send(open: Captured, { line, headers = {}, body = '' }: Asked): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ');
  const url = `${(await open.listen())?.url ?? ''}${path}`;
  const sent = request(url, { method, headers, agent: false }).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const { statusCode = 0 } = response;
  return { status: statusCode, headers: response.headers, body: await text(response) };
}

/** The headers that a client may rely on, without the usual ones. */
const usual: Headers = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  allow: '',
  'www-authenticate': '',
};

/** The answer as one line: its status, the headers that are not the usual ones, and its body if it is JSON. */
async function lineOf(open: Captured, asked: Asked): Promise<string> {
  const { status, headers, body } = await send(open, asked);
  const unusual = Object.entries(usual).flatMap(([name, value]) => {
    const received = String(headers[name] ?? '');
    return received === value ? [] : [`[${name}: ${received}]`];
  });
  const json = headers['content-type'] === usual['content-type'] ? [body] : [];
  return [asked.line.replaceAll(/x{9,}/g, 'xxx…'), '→', status, ...unusual, ...json].join(' ');
}

/** The paths of a JSON value with their types: `accounts.items[].id string`. */
function shapeOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value) && value.length === 0) return [`${path}[]`];
  if (Array.isArray(value)) return value.flatMap((item) => shapeOf(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) {
    return [`${path} ${value === null ? 'null' : typeof value}`];
  }
  const prefix = path === '' ? '' : `${path}.`;
  return Object.entries(value).flatMap(([name, inner]) => shapeOf(inner, `${prefix}${name}`));
}

const authorization = 'Bearer a-token-of-the-operator';
const operator = { headers: { authorization } };
const control = (kind: string, stream = 'media', id = account.id): Asked => ({
  line: `POST /streams/${stream}/accounts/${id}/${kind}`,
  ...operator,
});
const until = (time: unknown): Asked => ({
  ...control('pause'),
  body: JSON.stringify({ until: time }),
});
const openWith = (...[controls]: [Parameters<typeof openCaptured>[1]?]) =>
  openCaptured({ http: { token: () => 'a-token-of-the-operator' } }, controls);

/** The control API of a program with one account here, stopped by an error, and one on another instance. */
async function controlLines(): Promise<readonly string[]> {
  const controlHandler = createControlHandler();
  await using open = openWith(controlHandler);
  const before = await lineOf(open, control('poll'));
  const graph = graphWith({
    [`/${account.id}`]: () => new StopStreamError('graph.permission', 'no'),
  });
  const world = createWorld({ graph });
  const group = Object.assign(createFakeGroup(12, { first: [11] }), { owner: 'other-host' });
  const directory = directoryOf([account, otherAccount]);
  const overrides = createOverrides(world.telemetry);
  const stop = new AbortController();
  const ended = supervise(
    supervisionOf({ controlHandler, overrides, directory, group }),
    world,
    stop.signal,
  );
  await world.clock.advance(minuteMs);
  const lines: string[] = [];
  for (const asked of [
    control('poll'),
    control('pause'),
    control('poll'),
    until('1970-01-02T08:00:00+02:00'),
    until('tomorrow'),
    until('1969-11-29T08:00:00Z'),
    control('resume'),
    { line: `POST /accounts/${account.id}/pause`, ...operator },
    { line: `POST /accounts/${account.id}/poll`, ...operator },
    { line: 'POST /streams/media/resume', ...operator },
    { line: 'POST /streams/media/poll', ...operator },
    { line: `POST /accounts/${otherAccount.id}/pause`, ...operator },
    { line: 'POST /streams/media/stop', ...operator },
    control('poll', 'users'),
    control('poll', 'reels'),
    control('poll', 'media', '1'),
    control('poll', 'media', otherAccount.id),
    control('stop'),
  ]) {
    lines.push(await lineOf(open, asked));
  }
  stop.abort(new Error('stopping'));
  await ended;
  return ['# control API, while starting', before, '# control API, in this order', ...lines];
}

const level = (method: string, body: string, headers: Headers = { authorization }): Asked => ({
  line: `${method} /log-level`,
  headers,
  body,
});

describe('HTTP server', () => {
  let open: Captured;
  beforeAll(() => {
    open = openWith();
  });
  afterAll(async () => {
    await open[Symbol.asyncDispose]();
  });
  const linesOf = async (asked: readonly Asked[]) =>
    await Promise.all(asked.map((one) => lineOf(open, one)));
  const shapeAt = async (path: string) =>
    sorted(shapeOf(JSON.parse((await send(open, { line: `GET ${path}` })).body)));

  test('answers as in the golden file', async () => {
    const beforeEvents = await shapeAt('/status');
    const unready = await linesOf([{ line: 'GET /readyz' }]);
    for (const event of everyEvent) open.telemetry.report(event);
    const lines = [
      '# reading',
      ...unready,
      ...(await linesOf([
        { line: 'GET /readyz' },
        { line: 'GET /livez' },
        { line: 'HEAD /livez' },
        { line: 'GET /metrics' },
        { line: 'GET /' },
        { line: 'GET /status?nonsense=1' },
        { line: 'GET /status?offset=x' },
        { line: 'GET /status?limit=x' },
        { line: 'GET /status?trouble=x' },
        { line: `GET /status?search=${'x'.repeat(101)}` },
        { line: 'GET /healthz' },
        { line: 'POST /status' },
        { line: 'GET /livez%zz' },
        { line: 'GET /livez', headers: { host: 'elsewhere.example' } },
      ])),
      '# log level',
      ...(await linesOf([
        level('GET', ''),
        level('PUT', '{"level":"debug"}'),
        level('POST', '{"level":"debug"}'),
        level('PUT', '{"level":"loud"}'),
        level('PUT', 'x'.repeat(5000)),
        level('PUT', '{"level":"debug"}', {}),
        { line: 'DELETE /log-level', headers: { authorization } },
      ])),
      ...(await controlLines()),
      '# control API without a token',
      ...(await withoutToken()),
      '# GET /status before any event',
      ...beforeEvents,
      '# GET /status after every event',
      ...(await shapeAt('/status')),
      '# GET /status/history after every event',
      ...(await shapeAt('/status/history')),
    ];

    expectGolden('http', lines);
  });
});

async function withoutToken(): Promise<readonly string[]> {
  await using open = openCaptured();
  return [await lineOf(open, control('poll')), await lineOf(open, level('GET', ''))];
}
