import { type GraphError, graphError } from './errors.ts';
import type { FaultEffect, FaultTarget } from './faults.ts';
import { traceHeaders } from './headers.ts';
import type { WireAnswer } from './http.ts';
import { encodeJson } from './json.ts';
import { type IncomingRequest, errorAnswer } from './respond.ts';
import type { World } from './world/model.ts';

const PAGE =
  '<!DOCTYPE html><html lang="en"><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>';

/** Returns the properties of a request that fault rules match. */
export function faultTarget({ endpoint, parsed, callScopes }: IncomingRequest): FaultTarget {
  const { segments, parameters } = parsed;
  return {
    endpoint,
    path: `/${segments.join('/')}`,
    query: [...parameters].map(([name, value]) => `${name}=${value}`).join('&'),
    account: callScopes.account,
  };
}

/** The answer of a fault, and its part of the ledger's entry. */
export interface FaultResponse {
  readonly entry: { readonly status: number; readonly code?: number };
  /** Undefined: no answer. */
  readonly wire: WireAnswer | undefined;
}

/**
 * Returns the answer that replaces the real one; undefined where the effect leaves or cuts that.
 */
export function faultResponse(
  effect: FaultEffect,
  incoming: IncomingRequest,
  world: World,
): FaultResponse | undefined {
  if (effect.close === 'before' || effect.null === true) {
    return { entry: { status: 0 }, wire: undefined };
  }
  const response =
    effect.error === undefined
      ? textResponse(effect, incoming)
      : errorResponse(graphError(effect.error, ...(effect.values ?? [])), incoming, world);
  return response && withHeaders(response, effect.headers ?? {});
}

function withHeaders(
  { entry, wire }: FaultResponse,
  headers: Readonly<Record<string, string>>,
): FaultResponse {
  return { entry, wire: wire && { ...wire, headers: { ...wire.headers, ...headers } } };
}

function errorResponse(error: GraphError, incoming: IncomingRequest, world: World): FaultResponse {
  const { status, code, body } = errorAnswer(error, incoming, world);
  return { entry: { status, code }, wire: wireOf(incoming, { status, text: encodeJson(body) }) };
}

function textResponse(effect: FaultEffect, incoming: IncomingRequest): FaultResponse | undefined {
  return effect.html === true ? pageResponse(effect, incoming) : bodyResponse(effect, incoming);
}

function pageResponse({ status = 500 }: FaultEffect, incoming: IncomingRequest): FaultResponse {
  const wire = wireOf(incoming, { status, text: PAGE });
  const headers = { ...wire.headers, 'Content-Type': 'text/html; charset=utf-8' };
  return { entry: { status }, wire: { ...wire, headers } };
}

function bodyResponse(
  { status = 200, body, empty }: FaultEffect,
  incoming: IncomingRequest,
): FaultResponse | undefined {
  if (body === undefined && empty !== true) {
    return undefined;
  }
  const text = typeof body === 'string' ? body : encodeJson(body ?? '');
  const wire = wireOf(incoming, { status, text: body === undefined ? '' : text });
  return { entry: { status }, wire };
}

function wireOf(
  { request, version }: IncomingRequest,
  { status, text }: { status: number; text: string },
) {
  return { status, headers: traceHeaders({ status, version, body: {} }, request.number), text };
}
