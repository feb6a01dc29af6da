import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Readiness } from '../../engine/readiness.ts';
import {
  type ControlSources,
  addControlRoutes,
  authorize,
  controlMethods,
} from './control-routes.ts';
import { listen } from './listen.ts';
import { isOwnHost } from './own-hosts.ts';
import type { HistoryAnswer } from '../history.ts';
import { pageHeaders, readStatusPage } from '../status-page.ts';
import { parseStatusQuery, type StatusQuery } from '../status-query.ts';
import type { Status } from '../status.ts';

export interface HttpOptions {
  readonly host: string;
  /** Port 0 selects a free port. */
  readonly port: number;
  /** Names that the Host header may contain besides those of loopback; see {@link isOwnHost}. */
  readonly allowedHosts: readonly string[];
  /** Called for each control request; null disables the control API. */
  readonly token: (() => string) | null;
  /**
   * The time in which a request must arrive, its body included, and the most open connections;
   * further ones are closed.
   */
  readonly limits?: { readonly requestMs: number; readonly connections: number };
}

const defaultLimits = { requestMs: 10_000, connections: 256 };

/** The content of the server's answers, and the control API. */
export interface StatusSources extends ControlSources {
  readonly readiness: () => Readiness;
  readonly status: (query: StatusQuery) => Status;
  readonly history: () => HistoryAnswer;
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
}

/**
 * Creates the HTTP server of `/livez`, `/readyz`, `/metrics`, `/status`, the status page and the
 * control API; `listen` starts it. Disposing closes open connections.
 */
export function createStatusServer(options: HttpOptions, sources: StatusSources) {
  const { requestMs, connections } = options.limits ?? defaultLimits;
  const server = fastify({
    requestTimeout: requestMs,
    // Node applies the longer of the two timeouts to the whole request, and checks every 30 s by
    // default.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs / 4 },
    // A scraper's keep-alive connection must not delay the end of the process.
    forceCloseConnections: true,
    // A control request is a line of JSON.
    bodyLimit: 4096,
    frameworkErrors: (_error, _request, reply) => {
      void harden(reply).code(400).send({ error: 'bad request' });
    },
  });
  server.server.maxConnections = connections;
  const page = readStatusPage();
  const read = ['/livez', '/readyz', '/metrics', '/status', '/status/history'];
  guard(server, new Set([...read, ...page.map(({ path }) => path)]), options);
  answerErrors(server, sources.log);
  addControlRoutes(server, sources);
  server.get('/livez', () => ({ live: true }));
  server.get('/readyz', (_request, reply) => {
    const { ready, reasons, partitions } = sources.readiness();
    const body = ready ? { ready, partitions } : { ready, reasons, partitions };
    return reply.code(ready ? 200 : 503).send(body);
  });
  server.get('/metrics', async (_request, reply) => {
    const text = await sources.metrics.render();
    return reply.header('Content-Type', sources.metrics.contentType).send(text);
  });
  server.get('/status', (request, reply) => {
    const query = parseStatusQuery(new URL(request.url, 'http://here').searchParams);
    if (typeof query === 'string') return reply.code(400).send({ error: query });
    return reply.send(sources.status(query));
  });
  server.get('/status/history', () => sources.history());
  for (const { path, contentType, body } of page) {
    server.get(path, (_request, reply) =>
      reply.headers(pageHeaders).header('Content-Type', contentType).send(body),
    );
  }
  return {
    listen: () => listen(server, { ...options, name: 'HTTP server', prefix: 'HTTP' }),
    async [Symbol.asyncDispose]() {
      await server.close();
    },
  };
}

/**
 * Rejects requests for other hosts, without a route or without the control token before reading
 * their body.
 */
function guard(
  server: FastifyInstance,
  paths: ReadonlySet<string>,
  { host: name, allowedHosts: allowed, token }: HttpOptions,
): void {
  let address = name;
  server.addHook('onListen', (done) => {
    ({ address } = server.server.address() as AddressInfo);
    done();
  });
  server.addHook('onRequest', async (request, reply) => {
    harden(reply);
    const path = request.url.split('?', 1)[0] ?? '';
    const controls = controlMethods(path);
    const methods = paths.has(path) ? ['GET', 'HEAD'] : controls;
    if (!isOwnHost(request.headers.host, { name, address, allowed })) {
      const error = 'the Host header names another server; HTTP_ALLOWED_HOSTS adds names';
      await reply.code(421).send({ error });
    } else if (methods === undefined) {
      await reply.code(404).send({ error: 'not found' });
    } else if (!methods.includes(request.method)) {
      const allow = methods.join(', ');
      await reply.code(405).header('Allow', allow).send({ error: 'method not allowed' });
    } else if (controls !== undefined) {
      await authorize(request, reply, token);
    }
  });
}

/** Answers errors in JSON; the answers reveal no internals. */
function answerErrors(server: FastifyInstance, log: StatusSources['log']): void {
  server.setNotFoundHandler(async (_request, reply) => {
    await reply.code(404).send({ error: 'not found' });
  });
  server.setErrorHandler(async (error, _request, reply) => {
    const status = statusOf(error);
    if (status === 500) log.error({ error }, 'http request failed');
    await reply
      .code(status)
      .type('application/json')
      .send({ error: errorTexts[status] ?? 'bad request' });
  });
}

/** The status of a client error, from fastify's error; 500 for all other errors. */
export function statusOf(error: unknown): number {
  const isCoded = typeof error === 'object' && error !== null && 'statusCode' in error;
  const status = isCoded ? Number(error.statusCode) : 500;
  return status >= 400 && status < 500 ? status : 500;
}

const errorTexts: Readonly<Record<number, string>> = {
  413: 'the body is too large',
  415: 'expected the header Content-Type: application/json',
  500: 'internal error',
};

export function harden(reply: FastifyReply): FastifyReply {
  return reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
}
