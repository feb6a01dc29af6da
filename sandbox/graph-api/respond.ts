import { answer, endpointOf, findNode } from './answer.ts';
import type { Endpoint, Question } from './answer.ts';
import { belongingOf } from './belonging.ts';
import type { Identity } from './callers.ts';
import { checkToken, identify } from './callers.ts';
import type { Context } from './context.ts';
import { GraphError, graphError, wordError } from './errors.ts';
import { entityTag, traceHeaders, traceId } from './headers.ts';
import type { Json } from './json.ts';
import { encodeJson } from './json.ts';
import type { Ledger } from './ledger.ts';
import type { Belonging, Meter } from './meter.ts';
import { proofOf } from './tokens/app.ts';
import { answerTokens } from './tokens/endpoints.ts';
import type { World } from './world/model.ts';
import { checkVersion, servedVersion } from './versions.ts';

/** A request of the Graph API as it came in. */
export interface GraphRequest {
  readonly method: string;
  /** Its query holds the parameters of a form, too. */
  readonly url: URL;
  readonly authorization: string;
  /** Of the `If-None-Match` header. */
  readonly knownTag?: string;
  /** No two requests have the same. */
  readonly number: number;
  /** Came within a batch. */
  readonly batched?: boolean;
}

/** A whole answer. */
export interface GraphResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Undefined: none at all. */
  readonly body: Json | undefined;
}

/** What requests are answered from and counted in. */
export interface Simulator {
  readonly world: World;
  readonly ledger: Ledger;
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
  readonly endpoint: Endpoint;
  readonly belonging: Belonging;
  readonly nowMs: number;
}

/** Takes a request apart. */
export function readRequest(request: GraphRequest, world: World): Asking {
  const { version, segments } = servedVersion(request.url.pathname);
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
    endpoint: endpointOf(question, world),
    belonging: belongingOf(question, identity, world),
    nowMs: world.clock.now(),
  };
}

/** Answers one request and enters it in the ledger. */
export function respond(asking: Asking, simulator: Simulator): GraphResponse {
  const { request, version } = asking;
  const answered = tryAnswer(asking, simulator);
  const tag = answered.status === 200 ? entityTag(encodeJson(answered.body)) : undefined;
  const known = tag !== undefined && request.knownTag === tag;
  const status = known ? 304 : answered.status;
  simulator.ledger.add({
    ...entryOf(asking),
    status,
    ...(answered.code === undefined ? {} : { code: answered.code }),
    ...(answered.throttled ? { throttled: true } : {}),
  });
  return {
    status,
    headers: {
      ...traceHeaders({ status, version, body: answered.body }, request.number),
      ...(tag === undefined ? {} : { ETag: tag }),
      ...answered.headers,
    },
    body: known ? undefined : answered.body,
  };
}

/** What the ledger says of a request but for its answer. */
export function entryOf({ request, question, endpoint, nowMs }: Asking) {
  const parameters = [...question.parameters].filter(([name]) => !SECRET.has(name));
  return {
    at: new Date(nowMs).toISOString(),
    ...endpoint,
    request: `/${question.segments.join('/')}?${new URLSearchParams(parameters).toString()}`,
    ...(request.batched === true ? { batched: true } : {}),
  };
}

const SECRET = new Set([
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
    checkVersion(asking.version);
    const ofTokens = answerTokens(asking, simulator.world);
    if (ofTokens !== undefined) {
      return { headers, throttled, ...ofTokens };
    }
    checkCaller(asking, simulator.world);
    const counted = simulator.meter.count(asking.belonging, simulator.world.limits, asking.nowMs);
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

/** Checks what comes before the question itself: the method, the token, the app's proof. */
export function checkCaller(
  { request, question, token, proof, nowMs }: Asking,
  world: World,
): void {
  if (request.method !== 'GET') {
    throw graphError('unsupported-method', request.method.toLowerCase());
  }
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
      const node = findNode(id, { world, nowMs, caller: identity.caller });
      if (node === undefined) {
        throw graphError('no-object', id);
      }
      return node;
    },
  };
}
