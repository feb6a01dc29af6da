import type { BatchTransport, PollTrace, StepFacts, StepKind, Tracer } from './ports.ts';

const nothing = (): void => undefined;

/** A trace that records nothing. */
export const noTrace: PollTrace = { headers: {}, begin: () => nothing, end: nothing };

/** A tracer that records nothing. */
export const noTracer: Tracer = { poll: () => noTrace };

/** Runs a step of a poll as part of its trace. */
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

/** Wraps a transport so that its requests are steps of a poll's trace. */
export function tracedTransport(transport: BatchTransport, trace: PollTrace): BatchTransport {
  if (trace === noTrace) return transport;
  const step = (endpoint: string, calls: number) =>
    ({ kind: 'request', facts: { endpoint, calls } }) as const;
  return {
    get batchSize() {
      return transport.batchSize;
    },
    get: (request, signal) =>
      traced(trace, step(request.endpoint, 1), () => transport.get(request, signal)),
    getBatch: (requests, signal) =>
      traced(trace, step(requests[0]?.endpoint ?? '', requests.length), () =>
        transport.getBatch(requests, signal),
      ),
  };
}
