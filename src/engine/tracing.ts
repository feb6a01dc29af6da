import type { PollTrace, StepFacts, StepKind, Tracer } from './ports.ts';

const nothing = (): void => undefined;

export const noTrace: PollTrace = { headers: {}, begin: () => nothing, end: nothing };

/** A tracer that records nothing. */
export const noTracer: Tracer = { poll: () => noTrace };

/** Runs a step of a poll as part of its trace. */
export async function traced<T>(
  trace: PollTrace,
  kind: StepKind,
  facts: StepFacts,
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
