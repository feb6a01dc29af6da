import { GraphError, graphError } from './errors.ts';
import { faultResponse, faultTarget } from './fault-response.ts';
import { traceHeaders } from './headers.ts';
import type { Wire } from './http.ts';
import { type Json, encodeJson, isObject, parseJson } from './json.ts';
import type { Counted } from './meter.ts';
import {
  type Asking,
  type GraphRequest,
  type GraphResponse,
  type Simulator,
  checkAccess,
  checkPath,
  countCall,
  entryOf,
  readRequest,
  refusalOf,
  respond,
} from './respond.ts';
import type { World } from './world/model.ts';

const MAX_ITEMS = 50;

/** The answer to a batch. */
export interface BatchResponse extends GraphResponse {
  /** The longest delay that a fault gives one of its items; they run in parallel. */
  readonly latencyMs: number;
}

interface Answered {
  readonly status: number;
  readonly code?: number;
  readonly body: Json;
  /** The usage headers of the HTTP answer itself. */
  readonly usage: Readonly<Record<string, string>>;
  readonly latencyMs: number;
  readonly throttled?: boolean;
}

/** Answers the items of a batch independently; the ledger has an entry of each, then the batch's. */
export function respondBatch(asking: Asking, simulator: Simulator): BatchResponse {
  const { request, version } = asking;
  const { status, code, body, usage, latencyMs, throttled } = tryBatch(asking, simulator);
  simulator.ledger.add({
    ...entryOf(asking),
    status,
    ...(code === undefined ? {} : { code }),
    ...(throttled === undefined ? {} : { throttled }),
  });
  const headers = { ...traceHeaders({ status, version, body }, request.number), ...usage };
  return { status, headers, body, latencyMs };
}

function tryBatch(asking: Asking, simulator: Simulator): Answered {
  try {
    const { items, counted } = countTogether(readBatch(asking, simulator.world), simulator);
    if (counted?.refusal !== undefined) {
      const refusal = refusalOf(counted.refusal, asking, simulator.world);
      return { ...refusal, usage: counted.headers, latencyMs: 0, throttled: true };
    }
    return answerItems(items, asking, simulator);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return { ...refusalOf(error, asking, simulator.world), usage: {}, latencyMs: 0 };
  }
}

/** With `batchThrottle: "envelope"` counts every item beforehand, until one exceeds a limit. */
function countTogether(
  items: readonly Asking[],
  simulator: Simulator,
): { items: readonly Asking[]; counted?: Counted } {
  if (simulator.world.conditions.spec.batchThrottle !== 'envelope') return { items };
  const counting: Asking[] = [];
  for (const item of items) {
    const counted = countCall(item, simulator);
    if (counted.refusal !== undefined) return { items, counted };
    counting.push({ ...item, request: { ...item.request, counted } });
  }
  return { items: counting };
}

function answerItems(items: readonly Asking[], asking: Asking, simulator: Simulator): Answered {
  const { batchUsageHeaders = 'items' } = simulator.world.conditions.spec;
  const answers = items.map((item) => answerItem(item, simulator));
  const withHeaders = asking.question.parameters.get('include_headers') !== 'false';
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

/** One header of each name, with the last word on each account. */
function mergeUsage(headers: readonly [string, string][]): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [name, value] of headers) {
    const before = JSON.parse(merged[name] ?? '{}') as object;
    merged[name] = JSON.stringify({ ...before, ...(JSON.parse(value) as object) });
  }
  return merged;
}

interface AnsweredItem {
  /** Undefined: the item comes back as null. */
  readonly wire: Wire | undefined;
  readonly latencyMs: number;
}

function answerItem(item: Asking, simulator: Simulator): AnsweredItem {
  const { latencyMs, effect: met } = simulator.faults.meet(faultTarget(item));
  // An item has no connection of its own that could be closed.
  const effect = met?.close === undefined ? met : { null: true };
  const fault = effect && faultResponse(effect, item, simulator.world);
  if (fault !== undefined) {
    simulator.ledger.add({ ...entryOf(item), ...fault.entry, fault: true });
    return { wire: fault.wire, latencyMs };
  }
  const { status, headers, body } = respond(item, simulator);
  const text = encodeJson(body).slice(0, effect?.truncate);
  return { wire: { status, headers, text }, latencyMs };
}

/** Reads the items; throws the error that refuses the batch as a whole. */
function readBatch(asking: Asking, world: World): Asking[] {
  const { batchRefused, batchShort } = world.conditions.spec;
  checkPath(asking);
  if (batchRefused === true) throw graphError('batch-refused');
  const items = parseJson(asking.question.parameters.get('batch') ?? '');
  checkBatchAccess(asking, items, world);
  if (!Array.isArray(items)) throw graphError('bad-batch');
  if (items.length > MAX_ITEMS) throw graphError('batch-too-big');
  return items
    .slice(0, batchShort)
    .map((item: unknown, index) => readRequest(readItem(item, asking, index), world));
}

/** A batch needs no token of its own where each item has one. */
function checkBatchAccess(asking: Asking, items: unknown, world: World): void {
  const isOwned = Array.isArray(items) && items.length > 0 && items.every(hasToken);
  if (asking.token !== '' || !isOwned) checkAccess(asking, world);
  if (asking.identity?.dialect === 'instagram') {
    throw graphError('no-batch', world.app.clientId);
  }
}

function hasToken(item: unknown): boolean {
  const path = isObject(item) ? item['relative_url'] : undefined;
  return typeof path === 'string' && /[?&]access_token=/.test(path);
}

/** An item without a version is answered by the batch's, one without a token by the batch's token. */
function readItem(item: unknown, { request, version, ...asking }: Asking, index: number) {
  const path = isObject(item) ? item['relative_url'] : undefined;
  if (!isObject(item) || typeof path !== 'string') throw graphError('bad-batch');
  const bare = path.replace(/^\/+/, '');
  const versioned = /^v\d+\.\d+(\/|\?|$)/.test(bare) ? bare : `${version}/${bare}`;
  const url = new URL(`/${versioned}`, request.url.origin);
  const ownToken = url.searchParams.get('access_token');
  if (ownToken === null && asking.proof !== undefined) {
    url.searchParams.set('appsecret_proof', asking.proof);
  }
  return {
    method: typeof item['method'] === 'string' ? item['method'].toUpperCase() : 'GET',
    url,
    authorization: ownToken ?? asking.token,
    number: request.number + (index + 1) / 100,
    batched: true,
  } satisfies GraphRequest;
}
