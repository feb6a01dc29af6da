import type { Node } from '../../engine/json.ts';
import type { GraphRequest, Outcome } from '../../engine/ports.ts';
import type { ExtractContext } from './extraction.ts';

type Sender = Pick<ExtractContext, 'graph' | 'signal'>;

/** Sends the requests of several subjects by `getEach`; yields each subject with its outcome. */
export async function* outcomesOf<T>(
  requests: ReadonlyMap<GraphRequest, T>,
  { graph, signal }: Sender,
): AsyncGenerator<readonly [subject: T, outcome: Outcome], void, undefined> {
  for await (const outcome of graph.getEach([...requests.keys()], signal)) {
    const subject = requests.get(outcome.request);
    if (subject !== undefined) yield [subject, outcome];
  }
}

/** Returns a `get` that sends the requests made until the next microtask together, by `getEach`. */
export function getTogether(sender: Sender): (request: GraphRequest) => Promise<Node> {
  let pending = new Map<GraphRequest, PromiseWithResolvers<Node>>();
  const flush = async (): Promise<void> => {
    const batch = pending;
    pending = new Map();
    try {
      for await (const [result, outcome] of outcomesOf(batch, sender)) {
        if ('node' in outcome) result.resolve(outcome.node);
        else result.reject(outcome.error);
      }
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  };
  return (request) => {
    const result = Promise.withResolvers<Node>();
    if (pending.size === 0) queueMicrotask(() => void flush());
    pending.set(request, result);
    return result.promise;
  };
}

/** Awaits all results, in order. @throws the first error by position, after all have ended */
export async function allEnded<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
