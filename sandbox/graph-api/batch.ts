import { GraphError, graphError } from './errors.ts';
import { faultResponse, faultTarget } from './fault-response.ts';
import { traceHeaders } from './headers.ts';
import type { WireAnswer } from './http.ts';
import { type Json, encodeJson, isObject, parseJson } from './json.ts';
import type { CallCount } from './meter.ts';
import {
  type IncomingRequest,
  type GraphRequest,
  type GraphResponse,
  type Simulator,
  checkAccess,
  checkPath,
  countCall,
  entryOf,
  readRequest,
  errorAnswer,
  respond,
} from './respond.ts';
import type { World } from './world/model.ts';

const MAX_ITEMS = 50;

/** The answer to a batch. */
export interface BatchResponse extends GraphResponse {
  /** The longest delay among its items' faults; the items run in parallel. */
  readonly latencyMs: number;
}

interface BatchAnswer {
  readonly status: number;
  readonly code?: number;
  readonly body: Json;
  /** The usage headers of the HTTP answer itself. */
  readonly usage: Readonly<Record<string, string>>;
  readonly latencyMs: number;
  readonly throttled?: boolean;
}

/**
 * Answers the items of a batch independently; the ledger gets an entry for each, then one for the
 * batch.
 */
export function respondBatch(incoming: IncomingRequest, simulator: Simulator): BatchResponse {
  const { request, version } = incoming;
  const { status, code, body, usage, latencyMs, throttled } = tryBatch(incoming, simulator);
  simulator.ledger.add({
    ...entryOf(incoming),
    status,
    ...(code === undefined ? {} : { code }),
    ...(throttled === undefined ? {} : { throttled }),
  });
  const headers = { ...traceHeaders({ status, version, body }, request.number), ...usage };
  return { status, headers, body, latencyMs };
}

function tryBatch(incoming: IncomingRequest, simulator: Simulator): BatchAnswer {
  try {
    const { items, counted } = countTogether(readBatch(incoming, simulator.world), simulator);
    if (counted?.rejection !== undefined) {
      const rejection = errorAnswer(counted.rejection, incoming, simulator.world);
      return { ...rejection, usage: counted.headers, latencyMs: 0, throttled: true };
    }
    return answerItems(items, incoming, simulator);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return { ...errorAnswer(error, incoming, simulator.world), usage: {}, latencyMs: 0 };
  }
}

/** Counts every item in advance under `batchThrottle: "envelope"`, until one exceeds a limit. */
function countTogether(
  items: readonly IncomingRequest[],
  simulator: Simulator,
): { items: readonly IncomingRequest[]; counted?: CallCount } {
  if (simulator.world.conditions.spec.batchThrottle !== 'envelope') return { items };
  const counting: IncomingRequest[] = [];
  for (const item of items) {
    const counted = countCall(item, simulator);
    if (counted.rejection !== undefined) return { items, counted };
    counting.push({ ...item, request: { ...item.request, counted } });
  }
  return { items: counting };
}

function answerItems(
  items: readonly IncomingRequest[],
  incoming: IncomingRequest,
  simulator: Simulator,
): BatchAnswer {
  const { batchUsageHeaders = 'items' } = simulator.world.conditions.spec;
  const answers = items.map((item) => answerItem(item, simulator));
  const withHeaders = incoming.parsed.parameters.get('include_headers') !== 'false';
  const usage = answers.flatMap(({ wire }) => Object.entries(wire?.headers ?? {}).filter(isUsage));
  const isListed = (header: [string, string]) => batchUsageHeaders === 'items' || !isUsage(header);
  const body = answers.map(({ wire }) => {
    if (wire === undefined) return null;
    const headers = Object.entries(wire.headers)
      .filter(isListed)
      .map(([name, value]) => ({ name, value }));
    return { code: wire.status, ...(withHeaders ? { headers } : {}), body: wire.text };
  });
  return {
    status: 200,
    body,
    usage: batchUsageHeaders === 'outer' ? mergeUsage(usage) : {},
    latencyMs: Math.max(0, ...answers.map(({ latencyMs }) => latencyMs)),
  };
}

function isUsage([name]: [string, string]): boolean {
  return name === 'X-App-Usage' || name === 'X-Business-Use-Case-Usage';
}

/** Merges headers of one name; the latest value of each account wins. */
function mergeUsage(headers: readonly [string, string][]): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [name, value] of headers) {
    const before = JSON.parse(merged[name] ?? '{}') as object;
    merged[name] = JSON.stringify({ ...before, ...(JSON.parse(value) as object) });
  }
  return merged;
}

interface AnsweredItem {
  /** Undefined: the item is null. */
  readonly wire: WireAnswer | undefined;
  readonly latencyMs: number;
}

function answerItem(item: IncomingRequest, simulator: Simulator): AnsweredItem {
  const { latencyMs, effect: faultEffect } = simulator.faults.meet(faultTarget(item));
  // An item has no connection of its own to close.
  const effect = faultEffect?.close === undefined ? faultEffect : { null: true };
  const fault = effect && faultResponse(effect, item, simulator.world);
  if (fault !== undefined) {
    simulator.ledger.add({ ...entryOf(item), ...fault.entry, fault: true });
    return { wire: fault.wire, latencyMs };
  }
  const { status, headers, body } = respond(item, simulator);
  const text = encodeJson(body).slice(0, effect?.truncate);
  return { wire: { status, headers, text }, latencyMs };
}

/** Reads the items; throws the error that rejects the whole batch. */
function readBatch(incoming: IncomingRequest, world: World): IncomingRequest[] {
  const { batchRefused, batchShort } = world.conditions.spec;
  checkPath(incoming);
  if (batchRefused === true) throw graphError('batch-refused');
  const items = parseJson(incoming.parsed.parameters.get('batch') ?? '');
  checkBatchAccess(incoming, items, world);
  if (!Array.isArray(items)) throw graphError('bad-batch');
  if (items.length > MAX_ITEMS) throw graphError('batch-too-big');
  return items
    .slice(0, batchShort)
    .map((item: unknown, index) => readRequest(readItem(item, incoming, index), world));
}

/** Checks the batch's token, which is optional when each item has one. */
function checkBatchAccess(incoming: IncomingRequest, items: unknown, world: World): void {
  const isOwned = Array.isArray(items) && items.length > 0 && items.every(hasToken);
  if (incoming.token !== '' || !isOwned) checkAccess(incoming, world);
  if (incoming.identity?.dialect === 'instagram') {
    throw graphError('no-batch', world.app.clientId);
  }
}

function hasToken(item: unknown): boolean {
  const path = isObject(item) ? item['relative_url'] : undefined;
  return typeof path === 'string' && /[?&]access_token=/.test(path);
}

/** Reads an item; the batch's version and token are its defaults. */
function readItem(
  item: unknown,
  { request, version, ...incoming }: IncomingRequest,
  index: number,
) {
  const path = isObject(item) ? item['relative_url'] : undefined;
  if (!isObject(item) || typeof path !== 'string') throw graphError('bad-batch');
  const bare = path.replace(/^\/+/, '');
  const versioned = /^v\d+\.\d+(\/|\?|$)/.test(bare) ? bare : `${version}/${bare}`;
  const url = new URL(`/${versioned}`, request.url.origin);
  const ownToken = url.searchParams.get('access_token');
  if (ownToken === null && incoming.proof !== undefined) {
    url.searchParams.set('appsecret_proof', incoming.proof);
  }
  return {
    method: typeof item['method'] === 'string' ? item['method'].toUpperCase() : 'GET',
    url,
    authorization: ownToken ?? incoming.token,
    number: request.number + (index + 1) / 100,
    batched: true,
  } satisfies GraphRequest;
}
