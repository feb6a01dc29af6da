import { createHmac, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Account } from '../../engine/account.ts';
import { messageOf } from '../../engine/errors.ts';
import type { IgnoredChanges } from '../../engine/events.ts';
import type { Clock, Telemetry, TelemetryEvent } from '../../engine/ports.ts';
import type { WebhookChange, WebhookInbox } from '../../engine/webhooks.ts';
import { isSame } from './control-routes.ts';
import { listen } from './listen.ts';
import { harden, statusOf } from './server.ts';

/** The settings of the receiver of Instagram's webhooks. */
export interface WebhookReceiverSettings {
  readonly host: string;
  /** Port 0 selects a free port. */
  readonly port: number;
  readonly maxBodyBytes: number;
  /** Requests above it are answered with 429. */
  readonly maxRequestsPerSecond: number;
  /** The token of the handshake; read for each request, as its file may have changed. */
  readonly verifyToken: () => string;
  /** The secret of the app, which signs requests. */
  readonly appSecret: () => string;
  readonly limits?: WebhookLimits;
}

interface WebhookLimits {
  /** The time in which a request must arrive, its body included. */
  readonly requestMs: number;
  /** The time in which its changes must be committed. */
  readonly commitMs: number;
  /** The most open connections; further ones are closed. */
  readonly connections: number;
  /** The most requests at a time; they may hold a body each. */
  readonly requests: number;
}

/** The default limits of a receiver. */
export const defaultLimits: WebhookLimits = {
  requestMs: 10_000,
  commitMs: 10_000,
  connections: 256,
  requests: 32,
};

/** The parts with which the receiver answers. */
export interface WebhookReceiverParts {
  readonly inbox: WebhookInbox;
  /** All polled accounts by id; undefined before the first listing. */
  readonly accounts: () => ReadonlyMap<string, Account> | undefined;
  /** Reads a body whose signature is valid; undefined for one that is no webhook. */
  readonly read: (
    body: string,
    facts: { readonly accounts: ReadonlyMap<string, Account>; readonly receivedMs: number },
  ) => ReceivedChanges | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** A monotonic clock in milliseconds, for durations and the rate limit. */
  readonly monotonicMs: () => number;
  /** The time that the end may take: requests that are not answered by then are dropped. */
  readonly closeMs: () => number;
}

interface ReceivedChanges {
  readonly changes: readonly WebhookChange[];
  readonly ignored: readonly IgnoredChanges[];
}

/** A running server; disposing of it answers the requests in hand first. */
export interface WebhookReceiver extends AsyncDisposable {
  /**
   * Starts to listen, once.
   * @returns the URL of the callback
   * @throws StopProcessError `config.invalid` (exit code 2) when it cannot listen on the address
   */
  listen(): Promise<string>;
}

/** The path of the callback. */
const webhookPath = '/webhooks/instagram';

type Facts = Partial<Omit<Extract<TelemetryEvent, { type: 'webhook-request' }>, 'type'>>;

/**
 * Creates the HTTP server that receives Instagram's webhooks. A POST is answered 200 only when its
 * changes are committed or have no effect; otherwise Meta sends it again for 36 hours.
 * @see https://developers.facebook.com/docs/graph-api/webhooks/getting-started (read 2026-11)
 */
export function createWebhookReceiver(
  settings: WebhookReceiverSettings,
  parts: WebhookReceiverParts,
): WebhookReceiver {
  const limits = settings.limits ?? defaultLimits;
  const closing = new AbortController();
  const server = openServer(settings, limits, (outcome, reason) => {
    report(parts, { outcome, reason });
  });
  const facts = observe(server, parts);
  guard(server, { ...settings, limits }, { ...parts, facts });
  addHandshake(server, settings.verifyToken, facts);
  server.post(webhookPath, async (request, reply) => {
    const { status, ...found } = await receive(request, settings.appSecret(), {
      ...parts,
      commitMs: limits.commitMs,
      closing: closing.signal,
    });
    // Here, because there is no response for a sender that has gone.
    const outcome = outcomes[status] ?? 'accepted';
    report(parts, { outcome, durationMs: Math.round(reply.elapsedTime), ...found });
    facts.set(request, 'reported');
    const { reason = '' } = found;
    return reply.code(status).send(reason === '' ? '' : { error: reason });
  });
  server.get('/livez', () => ({ live: true }));
  return {
    async listen() {
      const address = { name: 'webhook receiver', prefix: 'WEBHOOK_RECEIVER' };
      const url = `${await listen(server, { ...settings, ...address })}${webhookPath}`;
      parts.telemetry.report({ type: 'webhook-listening', url });
      return url;
    },
    async [Symbol.asyncDispose]() {
      const overdue = setTimeout(() => {
        closing.abort();
        server.server.closeAllConnections();
      }, parts.closeMs());
      await server.close();
      clearTimeout(overdue);
    },
  };
}

/** Errors of a connection that broke; with a request, the request is counted. */
const brokenCodes = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);

function openServer(
  { maxBodyBytes }: WebhookReceiverSettings,
  { requestMs, connections }: WebhookLimits,
  onIncomplete: (outcome: 'incomplete' | 'malformed', reason: string) => void,
): FastifyInstance {
  const server = fastify({
    requestTimeout: requestMs,
    keepAliveTimeout: requestMs,
    // Node applies the longer of the two timeouts to the whole request, and checks every 30 s by
    // default.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs / 4 },
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    bodyLimit: maxBodyBytes,
    frameworkErrors: (_error, _request, reply) => {
      void harden(reply).code(400).send({ error: 'bad request' });
    },
    clientErrorHandler: ({ code }, socket) => {
      const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT';
      if (isLate) onIncomplete('incomplete', 'the request did not arrive in time');
      else if (!brokenCodes.has(code)) onIncomplete('malformed', 'no valid HTTP');
      const status = isLate ? '408 Request Timeout' : '400 Bad Request';
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      else socket.destroy();
    },
  });
  server.server.maxConnections = connections;
  // The signature is over the bytes, so nothing parses the body before it is verified.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  server.setErrorHandler(async (error, _request, reply) => {
    const status = statusOf(error);
    const known: Readonly<Record<number, string>> = {
      413: 'the body is too large',
      500: 'internal error',
    };
    await reply.code(status).send({ error: known[status] ?? 'bad request' });
  });
  return server;
}

/** The facts of each request that its handler knows, until it has reported them. */
type RequestFacts = WeakMap<FastifyRequest, Facts | 'reported'>;

const outcomes: Readonly<Record<number, Facts['outcome']>> = {
  400: 'malformed',
  401: 'bad-signature',
  403: 'not-verified',
  404: 'not-found',
  405: 'not-found',
  413: 'too-large',
  429: 'rate-limited',
  500: 'unavailable',
  503: 'unavailable',
};

/** Reports each answer, and each request whose connection broke before its end. */
function observe(server: FastifyInstance, parts: WebhookReceiverParts): RequestFacts {
  const facts: RequestFacts = new WeakMap();
  server.addHook('onRequestAbort', ({ raw }, done) => {
    // A whole request is answered, even if nobody waits for the answer.
    const reason = 'the connection broke';
    if (!raw.complete) report(parts, { outcome: 'incomplete', reason });
    done();
  });
  server.addHook('onResponse', (request, { statusCode, elapsedTime }, done) => {
    const known = facts.get(request);
    if (known !== 'reported' && !request.url.startsWith('/livez')) {
      const outcome = outcomes[statusCode] ?? (statusCode === 200 ? 'verified' : 'malformed');
      report(parts, { outcome, durationMs: Math.round(elapsedTime), ...known });
    }
    done();
  });
  return facts;
}

function report({ telemetry }: Pick<WebhookReceiverParts, 'telemetry'>, facts: Facts): void {
  const nothing = { reason: '', accepted: {}, ignored: [], durationMs: 0 };
  telemetry.report({ type: 'webhook-request', outcome: 'accepted', ...nothing, ...facts });
}

/** Answers what is refused without its body: other paths, a flood, a missing signature. */
function guard(
  server: FastifyInstance,
  { maxRequestsPerSecond, limits }: { maxRequestsPerSecond: number; limits: WebhookLimits },
  { monotonicMs, facts }: Pick<WebhookReceiverParts, 'monotonicMs'> & { facts: RequestFacts },
): void {
  const mayPass = createRateLimit(maxRequestsPerSecond, monotonicMs);
  let running = 0;
  server.addHook('onRequest', async (request, reply) => {
    harden(reply);
    const refuse = async (status: number, reason: string): Promise<void> => {
      facts.set(request, { reason });
      // A refused body is not read to its end.
      await reply.code(status).header('Connection', 'close').send({ error: reason });
    };
    const [path] = request.url.split('?', 1);
    if (path === '/livez' && request.method === 'GET') return;
    if (path !== webhookPath) return refuse(404, 'not found');
    if (request.method !== 'GET' && request.method !== 'POST') {
      reply.header('Allow', 'GET, POST');
      return refuse(405, 'method not allowed');
    }
    if (!mayPass()) {
      reply.header('Retry-After', '1');
      return refuse(429, 'more requests than WEBHOOK_RECEIVER_MAX_REQUESTS_PER_SECOND');
    }
    if (request.method === 'GET') return;
    if (signatureIn(request) === undefined) {
      return refuse(401, 'expected the header X-Hub-Signature-256: sha256=<hex>');
    }
    if (running >= limits.requests) return refuse(503, 'too many requests at a time');
    running += 1;
    reply.raw.once('close', () => {
      running -= 1;
    });
  });
}

/** Creates a test that is true at most so many times in a second. */
function createRateLimit(perSecond: number, nowMs: () => number): () => boolean {
  let left = perSecond;
  let lastMs = nowMs();
  return () => {
    const atMs = nowMs();
    left = Math.min(perSecond, left + ((atMs - lastMs) / 1000) * perSecond);
    lastMs = atMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

/** Meta's challenge is a number; a text without special characters is safe to return. */
const challengePattern = /^[\w-]{1,200}$/;

/** Answers the request with which Meta verifies a new callback URL. */
function addHandshake(
  server: FastifyInstance,
  verifyToken: () => string,
  facts: RequestFacts,
): void {
  server.get(webhookPath, (request: FastifyRequest, reply: FastifyReply) => {
    const query = new URL(request.url, 'http://here').searchParams;
    const reason = handshakeError(query, verifyToken);
    if (reason === null) return reply.type('text/plain').send(query.get('hub.challenge'));
    facts.set(request, { reason });
    return reply.code(403).send({ error: reason });
  });
}

/** Returns the reason to reject a handshake, without its values; null for a valid one. */
function handshakeError(query: URLSearchParams, verifyToken: () => string): string | null {
  const valueOf = (name: string): string => query.get(name) ?? '';
  if (valueOf('hub.mode') !== 'subscribe') return 'hub.mode: expected subscribe';
  if (!challengePattern.test(valueOf('hub.challenge'))) {
    return 'hub.challenge: expected 1 to 200 letters, digits, "_" or "-"';
  }
  return isSame(valueOf('hub.verify_token'), verifyToken())
    ? null
    : 'hub.verify_token: expected the value of WEBHOOK_RECEIVER_VERIFY_TOKEN';
}

/** The HMAC in the header of a request; undefined without a valid header. */
function signatureIn({ headers }: FastifyRequest): Buffer | undefined {
  const header = headers['x-hub-signature-256'];
  const hex = /^sha256=([\da-f]{64})$/i.exec(typeof header === 'string' ? header : '')?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

interface Received extends Facts {
  readonly status: number;
}

/** Verifies a request, reads its changes and commits them. */
async function receive(
  request: FastifyRequest,
  secret: string,
  parts: WebhookReceiverParts & { readonly commitMs: number; readonly closing: AbortSignal },
): Promise<Received> {
  const { inbox, accounts, clock } = parts;
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = signatureIn(request);
  if (given === undefined || !timingSafeEqual(given, expected)) {
    return { status: 401, reason: "the signature is not that of the app's secret" };
  }
  const known = accounts();
  if (known === undefined) return { status: 503, reason: 'the accounts are not listed yet' };
  const found = parts.read(body.toString('utf8'), { accounts: known, receivedMs: clock.nowMs() });
  if (found === undefined) {
    return { status: 400, reason: 'expected a JSON object with a list entry' };
  }
  const { changes, ignored } = found;
  if (changes.length === 0) return { status: 200, ignored };
  if (inbox.isFull) return { status: 503, reason: 'too many changes wait' };
  const failure = await commit(changes, parts);
  if (failure !== null) return { status: 503, reason: failure };
  return { status: 200, ignored, accepted: countByField(changes) };
}

/** Commits changes; returns the reason why they may not be committed, or null. */
async function commit(
  changes: readonly WebhookChange[],
  { inbox, commitMs, closing }: Parameters<typeof receive>[2],
): Promise<string | null> {
  const signal = AbortSignal.any([closing, AbortSignal.timeout(commitMs)]);
  const late = Promise.withResolvers<string>();
  signal.addEventListener('abort', () => {
    late.resolve('the changes were not committed in time');
  });
  const committed = inbox.accept(changes, signal).then(() => null, messageOf);
  return Promise.race([committed, late.promise]);
}

function countByField(changes: readonly WebhookChange[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { field } of changes) counts[field] = (counts[field] ?? 0) + 1;
  return counts;
}
