import { GraphError, graphError } from './errors.ts';
import { traceHeaders } from './headers.ts';
import type { Json } from './json.ts';
import { encodeJson, isObject } from './json.ts';
import type { Asking, GraphRequest, GraphResponse, Simulator } from './respond.ts';
import { checkCaller, readRequest, refusalOf, respond } from './respond.ts';

const MOST = 50;

/** Whether a request is a batch of requests. */
export function isBatch({ request, question }: Asking): boolean {
  return (
    request.method === 'POST' && question.segments.length === 0 && question.parameters.has('batch')
  );
}

/** Answers every request of a batch for itself; each is counted, the batch is not. */
export function respondBatch(asking: Asking, simulator: Simulator): GraphResponse {
  const { request, version } = asking;
  const reply = (status: number, body: Json): GraphResponse => ({
    status,
    headers: traceHeaders({ status, version, body }, request.number),
    body,
  });
  try {
    const items = readBatch(asking, simulator);
    const withHeaders = asking.question.parameters.get('include_headers') !== 'false';
    return reply(
      200,
      items.map((item) => {
        const answer = respond(readRequest(item, simulator.world), simulator);
        return itemOf(answer, withHeaders);
      }),
    );
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const { status, body } = refusalOf(error, asking, simulator.world);
    return reply(status, body);
  }
}

function readBatch(asking: Asking, { world }: Simulator): GraphRequest[] {
  const { request, question, token } = asking;
  checkCaller({ ...asking, request: { ...request, method: 'GET' } }, world);
  if (asking.identity?.dialect === 'instagram') {
    throw graphError('no-batch', world.app.clientId);
  }
  const items = parse(question.parameters.get('batch') ?? '');
  if (!Array.isArray(items)) throw graphError('bad-batch');
  if (items.length > MOST) throw graphError('batch-too-big');
  return items.map((item: unknown, index) =>
    readItem(item, { request, token, proof: asking.proof, index }),
  );
}

interface Within {
  readonly request: GraphRequest;
  readonly token: string;
  readonly proof: string | undefined;
  readonly index: number;
}

function readItem(item: unknown, { request, token, proof, index }: Within): GraphRequest {
  const path = isObject(item) ? item['relative_url'] : undefined;
  if (!isObject(item) || typeof path !== 'string') throw graphError('bad-batch');
  const url = new URL(`/${path.replace(/^\/+/, '')}`, request.url.origin);
  const ownToken = url.searchParams.get('access_token');
  if (ownToken === null && proof !== undefined) url.searchParams.set('appsecret_proof', proof);
  return {
    method: typeof item['method'] === 'string' ? item['method'].toUpperCase() : 'GET',
    url,
    authorization: ownToken ?? token,
    number: request.number + (index + 1) / 100,
    batched: true,
  };
}

function itemOf({ status, headers, body }: GraphResponse, withHeaders: boolean): Json {
  const listed = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return {
    code: status,
    ...(withHeaders ? { headers: listed } : {}),
    body: body === undefined ? '' : encodeJson(body),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
