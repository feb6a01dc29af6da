import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { StopProcessError } from '../../engine/errors.ts';
import type { Readiness } from '../../engine/readiness.ts';
import {
  type ControlSources,
  addControlRoutes,
  controlMethods,
  refusalOf,
} from './control-routes.ts';
import { isOwnHost } from './own-hosts.ts';
import { pageHeaders, readStatusPage } from '../status-page.ts';
import { parseStatusQuery } from '../status-query.ts';
import type { Status, StatusQuery } from '../status.ts';

/** Where the server listens; port 0 takes any that is free. */
export interface StatusAddress {
  readonly host: string;
  readonly port: number;
  /** Names that requests may have as their Host; see {@link isOwnHost}. */
  readonly allowedHosts: readonly string[];
  readonly limits?: ServerLimits;
}

/** Bounds on what clients may use of the server. */
export interface ServerLimits {
  /** The time in which a request, its body included, must arrive. */
  readonly requestMs: number;
  /** Open connections; further ones are dropped. */
  readonly connections: number;
}

const defaultLimits: ServerLimits = { requestMs: 10_000, connections: 256 };

/** What the server shows, and where its own trouble goes. */
export interface StatusSources {
  readonly readiness: () => Readiness;
  readonly status: (query: StatusQuery) => Status;
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
  readonly orders: ControlSources;
  readonly onError: (error: unknown) => void;
}

/** The HTTP server of `/livez`, `/readyz`, `/metrics`, `/status`, the status page and orders. */
export interface StatusServer extends AsyncDisposable {
  /**
   * Listens; call it once.
   *
   * @returns the URL without a slash at its end, with the real port
   * @throws StopProcessError `config.invalid` (exit code 2) when the address cannot be had
   */
  listen(): Promise<string>;
}

/** Creates the server, not listening yet. Disposing of it cuts open connections. */
export function createStatusServer(address: StatusAddress, sources: StatusSources): StatusServer {
  const { requestMs, connections } = address.limits ?? defaultLimits;
  const server = fastify({
    requestTimeout: requestMs,
    // Node takes the longer of the two for the whole request, and looks every 30 s unless told otherwise.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs / 4 },
    // A scraper's kept-alive connection must not hold up the end of the process.
    forceCloseConnections: true,
    // An order is a line.
    bodyLimit: 4096,
    frameworkErrors: (_error, _request, reply) => {
      void harden(reply).code(400).send({ error: 'bad request' });
    },
  });
  server.server.maxConnections = connections;
  const page = readStatusPage();
  guardHost(server, address);
  guard(server, new Set(['/livez', '/readyz', '/metrics', '/status', ...page.keys()]), sources);
  addControlRoutes(server, sources.orders);
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
    const parsed = parseStatusQuery(new URL(request.url, 'http://here').searchParams);
    if (!parsed.ok) return reply.code(400).send({ error: parsed.error });
    return reply.send(sources.status(parsed.query));
  });
  for (const [path, { contentType, body }] of page) {
    server.get(path, (_request, reply) =>
      reply.headers(pageHeaders).header('Content-Type', contentType).send(body),
    );
  }
  return {
    listen: () => listen(server, address),
    async [Symbol.asyncDispose]() {
      await server.close();
    },
  };
}

/** Refuses requests for other hosts, before anything else is looked at. */
function guardHost(
  server: FastifyInstance,
  { host: name, allowedHosts: allowed }: StatusAddress,
): void {
  let address = name;
  server.addHook('onListen', (done) => {
    ({ address } = server.server.address() as AddressInfo);
    done();
  });
  server.addHook('onRequest', async ({ headers }, reply) => {
    if (isOwnHost(headers.host, { name, address, allowed })) return;
    await harden(reply)
      .code(421)
      .send({ error: 'the Host header names another server; HTTP_ALLOWED_HOSTS adds names' });
  });
}

/** Answers what no route may: before a body is read, and without a word about the inside. */
function guard(
  server: FastifyInstance,
  paths: ReadonlySet<string>,
  { onError, orders }: StatusSources,
): void {
  server.addHook('onRequest', async (request, reply) => {
    harden(reply);
    const path = request.url.split('?', 1)[0] ?? '';
    const control = controlMethods(path);
    const methods = paths.has(path) ? ['GET', 'HEAD'] : control;
    if (methods === undefined) {
      await reply.code(404).send({ error: 'not found' });
    } else if (!methods.includes(request.method)) {
      const allow = methods.join(', ');
      await reply.code(405).header('Allow', allow).send({ error: 'method not allowed' });
    } else if (control !== undefined) {
      await refuseUnlessAllowed(request, reply, orders);
    }
  });
  server.setNotFoundHandler(async (_request, reply) => {
    await reply.code(404).send({ error: 'not found' });
  });
  server.setErrorHandler(async (error, _request, reply) => {
    const status = statusOf(error);
    if (status < 500) {
      await reply
        .code(status)
        .type('application/json')
        .send({ error: refusals[status] ?? refused });
      return;
    }
    onError(error);
    await reply.code(500).type('application/json').send({ error: 'internal error' });
  });
}

async function refuseUnlessAllowed(
  request: FastifyRequest,
  reply: FastifyReply,
  orders: ControlSources,
): Promise<void> {
  const refusal = refusalOf(request, orders);
  if (refusal === null) return;
  if (refusal.status === 401) reply.header('WWW-Authenticate', 'Bearer');
  await reply.code(refusal.status).send({ error: refusal.error });
}

/** What a client did wrong, by fastify's own word for it; everything else is ours. */
function statusOf(error: unknown): number {
  const isCoded = typeof error === 'object' && error !== null && 'statusCode' in error;
  const status = isCoded ? Number(error.statusCode) : 500;
  return status >= 400 && status < 500 ? status : 500;
}

const refused = 'bad request';
const refusals: Readonly<Record<number, string>> = {
  413: 'the body is too large',
  415: 'expected the header Content-Type: application/json',
};

function harden(reply: FastifyReply): FastifyReply {
  return reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
}

async function listen(server: FastifyInstance, address: StatusAddress): Promise<string> {
  try {
    const { host, port } = address;
    await server.listen({ host, port });
  } catch (cause) {
    throw translateListenError(cause, address);
  }
  // A server that listens on a host and port has an AddressInfo; a string is a pipe's.
  const { port } = server.server.address() as AddressInfo;
  return `http://${reachableHost(address.host)}:${port}`;
}

/** Every interface cannot be called; the loopback can. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function translateListenError(cause: unknown, { host, port }: StatusAddress): unknown {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  const advice = typeof code === 'string' ? listenAdvice[code] : undefined;
  if (advice === undefined) return cause;
  const message = `the HTTP server cannot listen on ${host}:${port}: ${advice}`;
  return new StopProcessError('config.invalid', message, { exitCode: 2, cause });
}

const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'the port is taken; set HTTP_PORT to a free one (0 takes any), or stop what listens there',
  EACCES: 'not allowed; set HTTP_PORT to a port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; correct HTTP_HOST',
  ENOTFOUND: 'the host is not known; correct HTTP_HOST',
  EAI_AGAIN: 'the host cannot be resolved; correct HTTP_HOST',
};
