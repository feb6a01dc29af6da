import { answer, endpointOf, findNode, type Question } from './answer.ts';
import { belongingOf } from './belonging.ts';
import { type Identity, checkToken, identify } from './callers.ts';
import type { Context } from './context.ts';
import { GraphError, graphError, wordError } from './errors.ts';
import { type Faults, BATCH_ENDPOINT } from './faults.ts';
import { traceHeaders, traceId } from './headers.ts';
import type { Json } from './json.ts';
import type { Ledger } from './ledger.ts';
import type { Belonging, Counted, Meter } from './meter.ts';
import { proofOf } from './tokens/app.ts';
import { answerTokens } from './tokens/endpoints.ts';
import type { World } from './world/model.ts';
import { servedVersion } from './versions.ts';

/** A request of the Graph API as it came in. */
export interface GraphRequest {
  readonly method: string;
  /** Its query holds the parameters of a form, too. */
  readonly url: URL;
  readonly authorization: string;
  /** No two requests have the same. */
  readonly number: number;
  /** An item of a batch. */
  readonly batched?: boolean;
  /** Counted before the answer, with the other items of its batch. */
  readonly counted?: Counted;
}

/** A whole answer. */
export interface GraphResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Json;
}

/** What requests are answered from and counted in. */
export interface Simulator {
  readonly world: World;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly meter: Meter;
}

/** A request taken apart; no token is left in the question. */
export interface Asking {
  readonly request: GraphRequest;
  readonly question: Question;
  readonly version: string;
  readonly token: string;
  readonly proof: string | undefined;
  readonly identity: Identity | undefined;
  /** As the ledger names it. */
  readonly endpoint: string;
  /** Below a version that does not exist. */
  readonly unknownPath: string | undefined;
  readonly belonging: Belonging;
  readonly nowMs: number;
}

/** Takes a request apart. */
export function readRequest(request: GraphRequest, world: World): Asking {
  const { version, segments, unknownPath } = servedVersion(request.url.pathname);
  const parameters = new Map(request.url.searchParams);
  const token = request.authorization.replace(/^Bearer /, '') || parameters.get('access_token');
  const proof = parameters.get('appsecret_proof');
  parameters.delete('access_token');
  parameters.delete('appsecret_proof');
  const question: Question = { segments, parameters };
  const identity = identify(token ?? '', world);
  return {
    request,
    question,
    version,
    token: token ?? '',
    proof,
    identity,
    endpoint: isBatch(request, question) ? BATCH_ENDPOINT : endpointOf(question, world),
    unknownPath,
    belonging: belongingOf(question, identity, world),
    nowMs: world.clock.now(),
  };
}

function isBatch({ method }: GraphRequest, { segments, parameters }: Question): boolean {
  return method === 'POST' && segments.length === 0 && parameters.has('batch');
}

/** Answers one request and enters it in the ledger. */
export function respond(asking: Asking, simulator: Simulator): GraphResponse {
  const { request, version } = asking;
  const { status, code, body, headers, throttled } = tryAnswer(asking, simulator);
  simulator.ledger.add({
    ...entryOf(asking),
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

/** The ledger's entry of a request, without its answer. */
export function entryOf({ request: { batched }, question, endpoint, nowMs }: Asking) {
  const parameters = [...question.parameters].filter(([name]) => !UNLISTED.has(name));
  return {
    at: new Date(nowMs).toISOString(),
    endpoint,
    requests: batched === true ? (0 as const) : (1 as const),
    calls: endpoint === BATCH_ENDPOINT ? (0 as const) : (1 as const),
    request: `/${question.segments.join('/')}?${new URLSearchParams(parameters).toString()}`,
    ...(batched === true ? { batched } : {}),
  };
}

/** Secrets, and a batch, whose items may have tokens and have entries of their own. */
const UNLISTED = new Set([
  'batch',
  'input_token',
  'client_secret',
  'fb_exchange_token',
  'code',
  'code_verifier',
]);

interface Answered {
  readonly status: number;
  readonly code?: number;
  readonly body: Json;
  readonly headers: Readonly<Record<string, string>>;
  readonly throttled: boolean;
}

function tryAnswer(asking: Asking, simulator: Simulator): Answered {
  let headers: Readonly<Record<string, string>> = {};
  let throttled = false;
  try {
    checkPath(asking);
    const ofTokens = answerTokens(asking, simulator.world);
    if (ofTokens !== undefined) {
      return { headers, throttled, ...ofTokens };
    }
    checkCaller(asking, simulator.world);
    const counted = asking.request.counted ?? countCall(asking, simulator);
    headers = counted.headers;
    throttled = counted.refusal !== undefined;
    if (counted.refusal !== undefined) throw counted.refusal;
    const body = answer(asking.question, contextOf(asking, simulator.world));
    return { status: 200, body, headers, throttled };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return { ...refusalOf(error, asking, simulator.world), headers, throttled };
  }
}

/** Counts a call against the limits of the world. */
export function countCall({ belonging, nowMs }: Asking, { meter, world }: Simulator): Counted {
  return meter.count(belonging, world.limits, nowMs);
}

/** Throws for a version that is not out yet. */
export function checkPath({ unknownPath }: Asking): void {
  if (unknownPath !== undefined) throw graphError('unknown-path', unknownPath);
}

/** An error as the caller gets it. */
export function refusalOf(
  error: GraphError,
  { request, identity }: Pick<Asking, 'request' | 'identity'>,
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
function checkCaller(asking: Asking, world: World): void {
  const { request, identity } = asking;
  if (request.method !== 'GET') {
    throw graphError('unsupported-method', request.method.toLowerCase());
  }
  checkAccess(asking, world);
  if (request.batched === true && identity?.dialect === 'instagram') {
    // Batches exist on graph.facebook.com alone, which knows no token of the other host.
    throw graphError('bad-token');
  }
}

/** Checks the token and the app's proof. */
export function checkAccess({ question, token, proof, nowMs }: Asking, world: World): void {
  if (token === '') {
    throw graphError(question.segments[0] === 'me' ? 'no-token-for-me' : 'no-token');
  }
  checkToken(token, world, nowMs);
  if (world.app.requireProof && proof === undefined) {
    throw graphError('proof-required');
  }
  if (world.app.requireProof && proof !== proofOf(token, world.app)) {
    throw graphError('proof-invalid');
  }
}

function contextOf({ request, identity, nowMs, version, token }: Asking, world: World): Context {
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
