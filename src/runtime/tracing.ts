import type { Graph, PollTrace, StepFacts, StepKind, Tracer } from './ports.ts';

const nothing = (): void => undefined;

/** Nothing is followed. */
export const noTrace: PollTrace = { headers: {}, begin: () => nothing, end: nothing };

/** Follows nothing, at no cost. */
export const noTracer: Tracer = { poll: () => noTrace };

/** Does a step of a poll as part of its trace. */
export async function traced<T>(
  trace: PollTrace,
  { kind, facts }: { readonly kind: StepKind; readonly facts: StepFacts },
  work: () => Promise<T>,
): Promise<T> {
  const end = trace.begin(kind, facts);
  try {
    const result = await work();
    end();
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}

/** A graph whose requests are steps of a poll. */
export function tracedGraph(graph: Graph, trace: PollTrace): Graph {
  if (trace === noTrace) return graph;
  return {
    get(request, signal) {
      const ids = request.query['ids']?.split(',').length ?? 1;
      const step = { kind: 'request', facts: { endpoint: request.endpoint, ids } } as const;
      return traced(trace, step, () => graph.get(request, signal));
    },
  };
}
