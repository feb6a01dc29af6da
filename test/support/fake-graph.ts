import type { Node } from '../../src/engine/json.ts';
import { isClassifiedError } from '../../src/engine/errors.ts';
import { getEach } from '../../src/engine/rate-limit/get-each.ts';
import type { Graph, GraphRequest, GraphTransport } from '../../src/engine/ports.ts';

/** What a request is answered with; an error is thrown. */
export type Answer = Node | Error;

/** A Graph API that keeps what it was asked. */
export interface FakeGraph extends Graph, GraphTransport {
  /** Items of batches included. */
  readonly requests: readonly GraphRequest[];
  /** Only the queries, which is what most tests look at. */
  readonly queries: readonly GraphRequest['query'][];
  /** How many requests each batch held. */
  readonly batches: readonly number[];
}

/** Answers each request by a rule; `index` counts the requests from 0. */
export function createFakeGraph(
  answer: (request: GraphRequest, index: number) => Answer | Promise<Answer>,
  { batchSize = 50 } = {},
): FakeGraph {
  const requests: GraphRequest[] = [];
  const batches: number[] = [];
  const get = async (request: GraphRequest, signal: AbortSignal): Promise<Node> => {
    signal.throwIfAborted();
    requests.push(request);
    const given = await answer(request, requests.length - 1);
    signal.throwIfAborted();
    if (given instanceof Error) throw given;
    return given;
  };
  const transport: GraphTransport = {
    batchSize,
    answeredBy: 'v26.0',
    clockAheadMs: null,
    get,
    async getBatch(batch, signal) {
      batches.push(batch.length);
      const outcomes = [];
      for (const request of batch) {
        try {
          outcomes.push({ request, node: await get(request, signal) });
        } catch (error) {
          if (!isClassifiedError(error)) throw error;
          outcomes.push({ request, error });
        }
      }
      return outcomes;
    },
  };
  return {
    ...transport,
    requests,
    batches,
    get queries() {
      return requests.map(({ query }) => query);
    },
    getEach: (each, signal) => getEach(transport, each, signal),
  };
}

/** Answers the requests one after another by a list. */
export function answersInTurn(...answers: readonly Answer[]): (request: GraphRequest) => Answer {
  const left = [...answers];
  return ({ path }) => left.shift() ?? new Error(`one request too many: ${path}`);
}

/** A page of an edge; with a cursor when there is a next one. */
export function pageOf(data: readonly Node[], after?: string): Node {
  if (after === undefined) return { data };
  const next = `https://graph.facebook.com/v25.0/1/media?access_token=[secret]&after=${after}`;
  return { data, paging: { cursors: { before: 'b', after }, next } };
}
