import { answer, endpointOf, findNode } from './answer.ts';
import type { Question } from './answer.ts';
import { identify } from './callers.ts';
import type { Identity } from './callers.ts';
import type { Context } from './context.ts';
import { GraphError, graphError, wordError } from './errors.ts';
import { traceId, traceHeaders } from './headers.ts';
import type { Json } from './json.ts';
import type { Ledger } from './ledger.ts';
import type { World } from './world/model.ts';
import { checkVersion, servedVersion } from './versions.ts';

/** A request of the Graph API as it came in. */
export interface GraphRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string;
  /** No two requests have the same. */
  readonly number: number;
}

/** A whole answer. */
export interface GraphResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Json;
}

/** Answers one request and enters it in the ledger. */
export function respond(
  request: GraphRequest,
  { world, ledger }: { world: World; ledger: Ledger },
): GraphResponse {
  const nowMs = world.clock.now();
  const { version, segments } = servedVersion(request.url.pathname);
  const parameters = new Map(request.url.searchParams);
  const token = request.authorization.replace(/^Bearer /, '') || parameters.get('access_token');
  parameters.delete('access_token');
  const question: Question = { segments, parameters };
  const identity = identify(token ?? '', world);
  const answered = tryAnswer(question, { request, world, nowMs, version, token, identity });
  ledger.add({
    at: new Date(nowMs).toISOString(),
    ...endpointOf(question, world),
    request: `/${segments.join('/')}?${new URLSearchParams([...parameters]).toString()}`,
    status: answered.status,
    ...(answered.code === undefined ? {} : { code: answered.code }),
  });
  return {
    status: answered.status,
    headers: traceHeaders(
      { status: answered.status, version, body: answered.body },
      request.number,
    ),
    body: answered.body,
  };
}

interface Asking {
  readonly request: GraphRequest;
  readonly world: World;
  readonly nowMs: number;
  readonly version: string;
  readonly token: string | undefined;
  readonly identity: Identity | undefined;
}

interface Answered {
  readonly status: number;
  readonly code?: number;
  readonly body: Json;
}

function tryAnswer(question: Question, asking: Asking): Answered {
  const dialect = asking.identity?.dialect ?? 'facebook';
  try {
    return { status: 200, body: answer(question, contextOf(question, asking)) };
  } catch (error) {
    if (!(error instanceof GraphError)) {
      throw error;
    }
    const words = wordError(error, dialect);
    return {
      status: error.status,
      code: error.code,
      body: { error: { ...words, fbtrace_id: traceId(asking.request.number) } },
    };
  }
}

/** Checks what comes before the question itself: the version, the method, the token. */
function contextOf(question: Question, asking: Asking): Context {
  const { request, world, nowMs, version, token, identity } = asking;
  checkVersion(version);
  if (request.method !== 'GET') {
    throw graphError('unsupported-method', request.method.toLowerCase());
  }
  if (token === undefined || token === '') {
    throw graphError(question.segments[0] === 'me' ? 'no-token-for-me' : 'no-token');
  }
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
