import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { answerAdmin } from './admin.ts';
import { isBatch, respondBatch } from './batch.ts';
import { faultResponse } from './fault-response.ts';
import type { Faults } from './faults.ts';
import { createFaults } from './faults.ts';
import { readBody, send } from './http.ts';
import { encodeJson } from './json.ts';
import type { Ledger } from './ledger.ts';
import { createLedger } from './ledger.ts';
import type { Meter } from './meter.ts';
import { createMeter } from './meter.ts';
import type { Asking, GraphRequest } from './respond.ts';
import { entryOf, readRequest, respond } from './respond.ts';
import { loginPage } from './tokens/login.ts';
import type { World } from './world/model.ts';

/** What the simulator serves and where. */
export interface GraphApiOptions {
  readonly world: World;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: loopback. */
  readonly host?: string;
}

/** A running simulator; disposing it closes its port and its connections. */
export interface GraphApi extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly world: World;
  readonly ledger: Ledger;
  readonly faults: Faults;
}

/**
 * Starts the simulator of the Instagram Graph API: one HTTP server for both hosts; the token says
 * which dialect it answers in. Its own endpoints stand below `/_sandbox/`.
 */
export async function startGraphApi({
  world,
  port = 0,
  host = '127.0.0.1',
}: GraphApiOptions): Promise<GraphApi> {
  const serving: Serving = {
    world,
    ledger: createLedger(),
    faults: createFaults(),
    meter: createMeter(),
  };
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    void serve({ request, response, number: requests }, serving);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}`,
    world,
    ledger: serving.ledger,
    faults: serving.faults,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    },
  };
}

interface Serving {
  readonly world: World;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly meter: Meter;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Counts requests; no two have the same. */
  readonly number: number;
}

async function serve(exchange: Exchange, serving: Serving): Promise<void> {
  const { request } = exchange;
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
  const body = await readBody(request);
  const admin = /^\/_sandbox\/?([\w-]*)$/.exec(url.pathname)?.[1];
  if (admin !== undefined) {
    const { method = '' } = request;
    const answer = answerAdmin({ method, name: admin, query: url.searchParams, body }, serving);
    const headers = { 'Content-Type': 'application/json' };
    send(exchange, { status: answer.status, headers, text: encodeJson(answer.body) });
    return;
  }
  const page = loginPage(url, request.headers.accept ?? '');
  if (page !== undefined) {
    send(exchange, { status: 200, headers: { 'Content-Type': 'text/html' }, text: page });
    return;
  }
  const asked = graphRequest(exchange, url, body);
  await answerGraph(readRequest(asked, serving.world), exchange, serving);
}

/** A form's fields count as parameters, as they do for Meta. */
function graphRequest({ request, number }: Exchange, url: URL, body: string): GraphRequest {
  if (request.method === 'POST') {
    for (const [name, value] of new URLSearchParams(body)) url.searchParams.set(name, value);
  }
  const knownTag = request.headers['if-none-match'];
  return {
    method: request.method ?? 'GET',
    url,
    authorization: request.headers.authorization ?? '',
    ...(knownTag === undefined ? {} : { knownTag }),
    number,
  };
}

async function answerGraph(asking: Asking, exchange: Exchange, serving: Serving): Promise<void> {
  const { segments, parameters } = asking.question;
  const { latencyMs, effect } = serving.faults.meet({
    endpoint: asking.endpoint.endpoint,
    path: `/${segments.join('/')}`,
    query: [...parameters].map(([name, value]) => `${name}=${value}`).join('&'),
    accounts: asking.belonging.accounts,
  });
  if (latencyMs > 0) await delay(latencyMs);
  const fault = effect && faultResponse(effect, asking, serving.world);
  if (fault !== undefined) {
    serving.ledger.add({ ...entryOf(asking), ...fault.entry, fault: true });
    if (fault.wire === undefined) exchange.response.destroy();
    else send(exchange, fault.wire);
    return;
  }
  const { status, headers, body } = isBatch(asking)
    ? respondBatch(asking, serving)
    : respond(asking, serving);
  const text = body === undefined ? '' : encodeJson(body);
  send(exchange, { status, headers, text }, cutOf(effect));
}

function cutOf(effect: { close?: string; truncate?: number } | undefined) {
  return {
    ...(effect?.close === 'middle' ? { close: 'middle' as const } : {}),
    ...(effect?.truncate === undefined ? {} : { truncate: effect.truncate }),
  };
}
