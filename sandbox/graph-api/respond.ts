import { answer, endpointOf, findNode, type ParsedRequest } from './answer.ts';
import { scopesOfRequest } from './call-scopes.ts';
import { type CallerIdentity, checkToken, identify } from './callers.ts';
import type { Context } from './context.ts';
import { GraphError, graphError, wordError } from './errors.ts';
import { type Faults, BATCH_ENDPOINT } from './faults.ts';
import { traceHeaders, traceId } from './headers.ts';
import type { Json } from './json.ts';
import type { Ledger } from './ledger.ts';
import type { CallScopes, CallCount, Meter } from './meter.ts';
import { proofOf } from './tokens/app.ts';
import { answerTokens } from './tokens/endpoints.ts';
import type { World } from './world/model.ts';
import { servedVersion } from './versions.ts';
import { answerSubscription, isSubscription } from './webhooks/subscriptions.ts';
import type { Webhooks } from './webhooks/webhooks.ts';

/** A received request of the Graph API. */
export interface GraphRequest {
  readonly method: string;
  /** Its query includes the parameters of a form. */
  readonly url: URL;
  readonly authorization: string;
  /** Unique among requests. */
  readonly number: number;
  /** True for an item of a batch. */
  readonly batched?: boolean;
  /** Result of counting before the answer, with the other items of its batch. */
  readonly counted?: CallCount;
}

/** A whole answer. */
export interface GraphResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Json;
}

/** The parts that answer and count requests. */
export interface Simulator {
  readonly world: World;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly meter: Meter;
  readonly webhooks: Webhooks;
}

/** A parsed request; its question contains no token. */
export interface IncomingRequest {
  readonly request: GraphRequest;
  readonly parsed: ParsedRequest;
  readonly version: string;
  readonly token: string;
  readonly proof: string | undefined;
  readonly identity: CallerIdentity | undefined;
  /** The ledger's endpoint name. */
  readonly endpoint: string;
  /** The path below an unknown version. */
  readonly unknownPath: string | undefined;
  readonly callScopes: CallScopes;
  readonly nowMs: number;
}

/** Parses a request. */
export function readRequest(request: GraphRequest, world: World): IncomingRequest {
  const { version, segments, unknownPath } = servedVersion(request.url.pathname);
  const parameters = new Map(request.url.searchParams);
  const token = request.authorization.replace(/^Bearer /, '') || parameters.get('access_token');
  const proof = parameters.get('appsecret_proof');
  parameters.delete('access_token');
  parameters.delete('appsecret_proof');
  const parsed: ParsedRequest = { segments, parameters };
  const identity = identify(token ?? '', world);
  return {
    request,
    parsed,
    version,
    token: token ?? '',
    proof,
    identity,
    endpoint: isBatch(request, parsed) ? BATCH_ENDPOINT : endpointOf(parsed, world),
    unknownPath,
    callScopes: scopesOfRequest(parsed, identity, world),
    nowMs: world.clock.now(),
  };
}

function isBatch({ method }: GraphRequest, { segments, parameters }: ParsedRequest): boolean {
  return method === 'POST' && segments.length === 0 && parameters.has('batch');
}

/** Answers one request and adds it to the ledger. */
export function respond(incoming: IncomingRequest, simulator: Simulator): GraphResponse {
  const { request, version } = incoming;
  const { status, code, body, headers, throttled } = tryAnswer(incoming, simulator);
  simulator.ledger.add({
    ...entryOf(incoming),
    status,
    ...(code === undefined ? {} : { code }),
    ...(throttled ? { throttled: true } : {}),
  });
  return {
    status,
    headers: { ...traceHeaders({ status, version, body }, request.number), ...headers },
    body,
  };
}

/** Creates the ledger's entry of a request, without its answer. */
export function entryOf({ request: { batched }, parsed, endpoint, nowMs }: IncomingRequest) {
  const parameters = [...parsed.parameters].filter(([name]) => !UNLISTED.has(name));
  return {
    at: new Date(nowMs).toISOString(),
    endpoint,
    requests: batched === true ? (0 as const) : (1 as const),
    calls: endpoint === BATCH_ENDPOINT ? (0 as const) : (1 as const),
    request: `/${parsed.segments.join('/')}?${new URLSearchParams(parameters).toString()}`,
    ...(batched === true ? { batched } : {}),
  };
}

/**
 * Parameters that the ledger omits: secrets, and a batch, whose items may have tokens and have
 * entries of their own.
 */
const UNLISTED = new Set([
  'batch',
  'input_token',
  'client_secret',
  'fb_exchange_token',
  'code',
  'code_verifier',
]);

interface TriedAnswer {
  readonly status: number;
  readonly code?: number;
  readonly body: Json;
  readonly headers: Readonly<Record<string, string>>;
  readonly throttled: boolean;
}

function tryAnswer(incoming: IncomingRequest, simulator: Simulator): TriedAnswer {
  let headers: Readonly<Record<string, string>> = {};
  let throttled = false;
  try {
    checkPath(incoming);
    const ofTokens = answerTokens(incoming, simulator.world);
    if (ofTokens !== undefined) {
      return { headers, throttled, ...ofTokens };
    }
    checkCaller(incoming, simulator.world);
    const counted = incoming.request.counted ?? countCall(incoming, simulator);
    headers = counted.headers;
    throttled = counted.rejection !== undefined;
    if (counted.rejection !== undefined) throw counted.rejection;
    const body = isSubscription(incoming)
      ? answerSubscription(incoming, simulator)
      : answer(incoming.parsed, contextOf(incoming, simulator.world));
    return { status: 200, body, headers, throttled };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return { ...errorAnswer(error, incoming, simulator.world), headers, throttled };
  }
}

/** Counts a call against the limits of the world. */
export function countCall(
  { callScopes, nowMs }: IncomingRequest,
  { meter, world }: Simulator,
): CallCount {
  return meter.count(callScopes, world.limits, nowMs);
}

/** Throws for a version that does not exist yet. */
export function checkPath({ unknownPath }: IncomingRequest): void {
  if (unknownPath !== undefined) throw graphError('unknown-path', unknownPath);
}

/** Formats an error for the caller. */
export function errorAnswer(
  error: GraphError,
  { request, identity }: Pick<IncomingRequest, 'request' | 'identity'>,
  world: World,
) {
  const words = wordError(error, {
    dialect: identity?.dialect ?? 'facebook',
    locale: world.conditions.spec.locale,
  });
  return {
    status: error.status,
    code: error.code,
    body: { error: { ...words, fbtrace_id: traceId(request.number) } },
  };
}

/** Checks the method and the caller. */
function checkCaller(incoming: IncomingRequest, world: World): void {
  const { request, identity } = incoming;
  if (request.method !== 'GET' && !isSubscription(incoming)) {
    throw graphError('unsupported-method', request.method.toLowerCase());
  }
  checkAccess(incoming, world);
  if (request.batched === true && identity?.dialect === 'instagram') {
    // Batches exist on graph.facebook.com alone, which does not know the other host's tokens.
    throw graphError('bad-token');
  }
}

/** Checks the token and the app's proof. */
export function checkAccess({ parsed, token, proof, nowMs }: IncomingRequest, world: World): void {
  if (token === '') {
    throw graphError(parsed.segments[0] === 'me' ? 'no-token-for-me' : 'no-token');
  }
  checkToken(token, world, nowMs);
  if (world.app.requireProof && proof === undefined) {
    throw graphError('proof-required');
  }
  if (world.app.requireProof && proof !== proofOf(token, world.app)) {
    throw graphError('proof-invalid');
  }
}

function contextOf(
  { request, identity, nowMs, version, token }: IncomingRequest,
  world: World,
): Context {
  if (identity === undefined) {
    throw graphError('bad-token');
  }
  let drawn = 0;
  return {
    world,
    nowMs,
    ...identity,
    version,
    origin: request.url.origin,
    token,
    nonce: () => {
      drawn += 1;
      return `${request.number}/${drawn}`;
    },
    lookup: (id) => {
      const node = findNode(id, { world, nowMs, token, ...identity });
      if (node === undefined) {
        throw graphError('no-object', id);
      }
      return node;
    },
  };
}
