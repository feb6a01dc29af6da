import type { Node } from '../../engine/json.ts';
import type { ExtractContext } from './extraction.ts';
import type { Graph, GraphRequest } from '../../engine/ports.ts';

interface PendingRequest {
  readonly request: GraphRequest;
  readonly resolve: (node: Node) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Returns a `get` that collects the requests made until a queued microtask runs, and sends them
 * together by `getEach`: one HTTP request where the host supports batches.
 */
export function getTogether({
  graph,
  signal,
}: ExtractContext): (request: GraphRequest) => Promise<Node> {
  let pending: PendingRequest[] = [];
  const flush = (): void => {
    const batch = pending;
    pending = [];
    void send(graph, batch, signal);
  };
  return (request) =>
    new Promise((resolve, reject) => {
      if (pending.length === 0) queueMicrotask(flush);
      pending.push({ request, resolve, reject });
    });
}

async function send(
  graph: Graph,
  batch: readonly PendingRequest[],
  signal: AbortSignal,
): Promise<void> {
  const byRequest = new Map(batch.map((one) => [one.request, one]));
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

/** Awaits all results, in order. @throws the first error by position, after all have ended */
export async function allEnded<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
