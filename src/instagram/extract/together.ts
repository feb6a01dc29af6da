import type { Node } from '../../engine/json.ts';
import type { ExtractContext } from './extraction.ts';
import type { Graph, GraphRequest } from '../../engine/ports.ts';

interface Waiting {
  readonly request: GraphRequest;
  readonly resolve: (node: Node) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A `get` that collects the requests made until a queued microtask runs, and sends them together by
 * `getEach`: one HTTP request where the host has batches.
 */
export function getTogether({
  graph,
  signal,
}: ExtractContext): (request: GraphRequest) => Promise<Node> {
  let waiting: Waiting[] = [];
  const flush = (): void => {
    const together = waiting;
    waiting = [];
    void send(graph, together, signal);
  };
  return (request) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) queueMicrotask(flush);
      waiting.push({ request, resolve, reject });
    });
}

async function send(
  graph: Graph,
  together: readonly Waiting[],
  signal: AbortSignal,
): Promise<void> {
  const byRequest = new Map(together.map((one) => [one.request, one]));
  try {
    for await (const outcome of graph.getEach([...byRequest.keys()], signal)) {
      const one = byRequest.get(outcome.request);
      byRequest.delete(outcome.request);
      if ('node' in outcome) one?.resolve(outcome.node);
      else one?.reject(outcome.error);
    }
  } catch (error) {
    for (const { reject } of byRequest.values()) reject(error);
  }
}

/** All results, in order. @throws the first error by position, after all have ended */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
