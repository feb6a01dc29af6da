import { type GraphError, graphError } from './errors.ts';
import type { FaultEffect, FaultTarget } from './faults.ts';
import { traceHeaders } from './headers.ts';
import type { Wire } from './http.ts';
import { encodeJson } from './json.ts';
import { type Asking, refusalOf } from './respond.ts';
import type { World } from './world/model.ts';

const PAGE =
  '<!DOCTYPE html><html lang="en"><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>';

/** A request as fault rules see it. */
export function faultTarget({ endpoint, question, belonging }: Asking): FaultTarget {
  const { segments, parameters } = question;
  return {
    endpoint,
    path: `/${segments.join('/')}`,
    query: [...parameters].map(([name, value]) => `${name}=${value}`).join('&'),
    account: belonging.account,
  };
}

/** The answer of a fault, and its part of the ledger's entry. */
export interface FaultResponse {
  readonly entry: { readonly status: number; readonly code?: number };
  /** Undefined: no answer. */
  readonly wire: Wire | undefined;
}

/** The answer that an effect puts in the place of the true one; undefined where it leaves or cuts that. */
export function faultResponse(
  effect: FaultEffect,
  asking: Asking,
  world: World,
): FaultResponse | undefined {
  if (effect.close === 'before' || effect.null === true) {
    return { entry: { status: 0 }, wire: undefined };
  }
  const response =
    effect.error === undefined
      ? textResponse(effect, asking)
      : errorResponse(graphError(effect.error, ...(effect.values ?? [])), asking, world);
  return response && withHeaders(response, effect.headers ?? {});
}

function withHeaders(
  { entry, wire }: FaultResponse,
  headers: Readonly<Record<string, string>>,
): FaultResponse {
  return { entry, wire: wire && { ...wire, headers: { ...wire.headers, ...headers } } };
}

function errorResponse(error: GraphError, asking: Asking, world: World): FaultResponse {
  const { status, code, body } = refusalOf(error, asking, world);
  return { entry: { status, code }, wire: wireOf(asking, { status, text: encodeJson(body) }) };
}

function textResponse(effect: FaultEffect, asking: Asking): FaultResponse | undefined {
  return effect.html === true ? pageResponse(effect, asking) : bodyResponse(effect, asking);
}

function pageResponse({ status = 500 }: FaultEffect, asking: Asking): FaultResponse {
  const wire = wireOf(asking, { status, text: PAGE });
  const headers = { ...wire.headers, 'Content-Type': 'text/html; charset=utf-8' };
  return { entry: { status }, wire: { ...wire, headers } };
}

function bodyResponse(
  { status = 200, body, empty }: FaultEffect,
  asking: Asking,
): FaultResponse | undefined {
  if (body === undefined && empty !== true) {
    return undefined;
  }
  const text = typeof body === 'string' ? body : encodeJson(body ?? '');
  const wire = wireOf(asking, { status, text: body === undefined ? '' : text });
  return { entry: { status }, wire };
}

function wireOf({ request, version }: Asking, { status, text }: { status: number; text: string }) {
  return { status, headers: traceHeaders({ status, version, body: {} }, request.number), text };
}
