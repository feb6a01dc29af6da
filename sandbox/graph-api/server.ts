import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { answerAdmin } from './admin.ts';
import { respondBatch } from './batch.ts';
import { faultResponse, faultTarget } from './fault-response.ts';
import { type Faults, BATCH_ENDPOINT, createFaults } from './faults.ts';
import { readBody, send } from './http.ts';
import { encodeJson, isObject, parseJson } from './json.ts';
import { type Ledger, createLedger } from './ledger.ts';
import { createMeter } from './meter.ts';
import {
  type IncomingRequest,
  type GraphRequest,
  type GraphResponse,
  type Simulator,
  entryOf,
  readRequest,
  respond,
} from './respond.ts';
import { loginPage } from './tokens/login.ts';
import { Webhooks } from './webhooks/webhooks.ts';
import type { World } from './world/model.ts';

/** Options of the simulator. */
export interface GraphApiOptions {
  readonly world: World;
  /** Default: a free port. */
  readonly port?: number;
  /** Default: loopback. */
  readonly host?: string;
}

/** The interval at which a running clock's changes are sent. */
const LOOK_MS = 1000;

/** A running simulator; disposal closes its port and its connections. */
export interface GraphApi extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  readonly world: World;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly webhooks: Webhooks;
}

/**
 * Starts the simulator of the Instagram Graph API: one HTTP server for both hosts; the token
 * selects the host's dialect. Its own endpoints are below `/_sandbox/`.
 */
export async function startGraphApi({
  world,
  port = 0,
  host = '127.0.0.1',
}: GraphApiOptions): Promise<GraphApi> {
  const simulator: Simulator = {
    world,
    ledger: createLedger(),
    faults: createFaults(),
    meter: createMeter(),
    webhooks: new Webhooks(world),
  };
  const looking = setInterval(() => {
    simulator.webhooks.look();
  }, LOOK_MS).unref();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    serve({ request, response, number: requests }, simulator).catch((error: unknown) => {
      // A client that has gone, such as a killed program, gets no answer; all else is a fault here.
      if (request.complete) throw error;
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}`,
    world,
    ledger: simulator.ledger,
    faults: simulator.faults,
    webhooks: simulator.webhooks,
    [Symbol.asyncDispose]: async () => {
      clearInterval(looking);
      simulator.webhooks[Symbol.dispose]();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    },
  };
}

interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Number of the request, unique among requests. */
  readonly number: number;
}

async function serve(exchange: HttpExchange, simulator: Simulator): Promise<void> {
  const { request } = exchange;
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
  const body = await readBody(request);
  const admin = /^\/_sandbox\/?([\w-]*)$/.exec(url.pathname)?.[1];
  if (admin !== undefined) {
    const { method = '' } = request;
    const answer = answerAdmin({ method, name: admin, query: url.searchParams, body }, simulator);
    // A moved clock, for one, shows new comments.
    simulator.webhooks.look();
    const headers = { 'Content-Type': 'application/json' };
    send(exchange, { status: answer.status, headers, text: encodeJson(answer.body) });
    return;
  }
  const page = loginPage(url, request.headers.accept ?? '');
  if (page !== undefined) {
    send(exchange, { status: 200, headers: { 'Content-Type': 'text/html' }, text: page });
    return;
  }
  const received = graphRequest(exchange, url, body);
  await answerGraph(readRequest(received, simulator.world), exchange, simulator);
}

/**
 * The fields of a form and the members of a JSON object count as parameters, as they do for Meta.
 */
function graphRequest({ request, number }: HttpExchange, url: URL, body: string): GraphRequest {
  if (request.method === 'POST') {
    for (const [name, value] of bodyParameters(body, request.headers['content-type'])) {
      url.searchParams.set(name, value);
    }
  }
  return {
    method: request.method ?? 'GET',
    url,
    authorization: request.headers.authorization ?? '',
    number,
  };
}

function bodyParameters(body: string, contentType = ''): Iterable<[string, string]> {
  if (!contentType.includes('json')) return new URLSearchParams(body);
  const members = parseJson(body);
  return Object.entries(isObject(members) ? members : {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

async function answerGraph(
  incoming: IncomingRequest,
  exchange: HttpExchange,
  simulator: Simulator,
): Promise<void> {
  const { latencyMs, effect } = simulator.faults.meet(faultTarget(incoming));
  if (latencyMs > 0) await delay(latencyMs);
  const fault = effect && faultResponse(effect, incoming, simulator.world);
  if (fault !== undefined) {
    simulator.ledger.add({ ...entryOf(incoming), ...fault.entry, fault: true });
    if (fault.wire === undefined) exchange.response.destroy();
    else send(exchange, fault.wire);
    return;
  }
  const answer = await answerUnchanged(incoming, simulator);
  send(exchange, { ...answer, text: encodeJson(answer.body) }, cutOf(effect));
}

async function answerUnchanged(
  incoming: IncomingRequest,
  simulator: Simulator,
): Promise<GraphResponse> {
  if (incoming.endpoint !== BATCH_ENDPOINT) return respond(incoming, simulator);
  const { latencyMs, ...answer } = respondBatch(incoming, simulator);
  if (latencyMs > 0) await delay(latencyMs);
  return answer;
}

function cutOf(effect: { close?: string; truncate?: number } | undefined) {
  return {
    ...(effect?.close === 'middle' ? { close: 'middle' as const } : {}),
    ...(effect?.truncate === undefined ? {} : { truncate: effect.truncate }),
  };
}
