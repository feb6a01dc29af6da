import type { ConnectorError } from '../errors.ts';
import { isConnectorError, isTooMuchData } from '../errors.ts';
import type { BatchTransport, GraphRequest, Outcome } from '../ports.ts';

/** Single requests in flight at once: of a host without batches, and of items that need one. */
const concurrency = 8;

/**
 * Requests many objects: in batches where the host has them, else by concurrent single requests. An
 * item without a usable answer is requested again by itself. A request that fails with a transient
 * error is sent once more, after all others. A batch that times out, or that the API rejects as too
 * much data, is sent again in halves; the batches after it are no larger.
 *
 * @throws as `Graph.getEach`
 */
export async function* getEach(
  transport: BatchTransport,
  requests: readonly GraphRequest[],
  signal: AbortSignal,
): AsyncGenerator<Outcome, void, undefined> {
  const again: GraphRequest[] = [];
  yield* once(transport, { requests, signal }, (outcome) => {
    const isPassing = 'error' in outcome && outcome.error.disposition === 'retry';
    if (isPassing) again.push(outcome.request);
    return !isPassing;
  });
  yield* once(transport, { requests: again, signal }, () => true);
}

interface Asked {
  readonly requests: readonly GraphRequest[];
  readonly signal: AbortSignal;
}

/** @param isFinal - true to yield an outcome; the caller requests the others again later */
async function* once(
  transport: BatchTransport,
  { requests, signal }: Asked,
  isFinal: (outcome: Outcome) => boolean,
): AsyncGenerator<Outcome, void, undefined> {
  let size = Infinity;
  let failing: ConnectorError | undefined;
  for (let queue = requests; queue.length > 0;) {
    const batch = queue.slice(0, Math.min(size, transport.batchSize));
    let outcomes: readonly Outcome[];
    if (batch.length > 1) {
      const answered = await inBatch(transport, batch, signal);
      if (answered === 'halve') {
        size = Math.ceil(batch.length / 2);
        continue;
      }
      outcomes = answered;
    } else {
      outcomes = await singly(transport, queue.slice(0, concurrency), signal);
    }
    outcomes.forEach(throwShared);
    const done = new Set(outcomes.map(({ request }) => request));
    queue = queue.filter((request) => !done.has(request));
    for (const outcome of outcomes) if (isFinal(outcome)) yield outcome;
    // Twice in a row, every request sent together had a transient error: the server is down.
    const passing = outcomes.length > 1 ? allPassing(outcomes) : undefined;
    if (passing !== undefined && failing !== undefined) throw passing;
    failing = passing;
  }
}

/**
 * Sends a batch, then each item without a usable answer by itself. Items that a limit held back have
 * no outcome.
 */
async function inBatch(
  transport: BatchTransport,
  batch: readonly GraphRequest[],
  signal: AbortSignal,
): Promise<readonly Outcome[] | 'halve'> {
  try {
    const outcomes = await transport.getBatch(batch, signal);
    const answered = outcomes.flatMap((one) => ('isUnanswered' in one ? [] : [one]));
    const unanswered = outcomes.flatMap((one) => ('isUnanswered' in one ? [one.request] : []));
    return [...answered, ...(await singly(transport, unanswered, signal))];
  } catch (error) {
    const isLess = isTooMuchData(error) || isTimeout(error);
    if (!isLess) throw error;
    return 'halve';
  }
}

async function singly(
  transport: BatchTransport,
  requests: readonly GraphRequest[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let start = 0; start < requests.length; start += concurrency) {
    const part = requests.slice(start, start + concurrency);
    const alone = part.map((request) => getAlone(transport, request, signal));
    for (const outcome of await Promise.all(alone)) outcomes.push(outcome);
  }
  return outcomes;
}

async function getAlone(
  transport: BatchTransport,
  request: GraphRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return { request, node: await transport.get(request, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isConnectorError(error)) throw error;
    return { request, error };
  }
}

/** Throws an error that concerns every request: of a limit, the token, the network or the process. */
function throwShared(outcome: Outcome): void {
  if (!('error' in outcome)) return;
  const { error } = outcome;
  const isShared =
    error.disposition === 'wait' ||
    error.disposition === 'stop-account' ||
    error.disposition === 'stop-process' ||
    error.code === 'graph.network';
  if (isShared) throw error;
}

function isTimeout(error: unknown): boolean {
  return isConnectorError(error) && error.code === 'graph.timeout';
}

function allPassing(outcomes: readonly Outcome[]): ConnectorError | undefined {
  const errors = outcomes.flatMap((outcome) =>
    'error' in outcome && outcome.error.disposition === 'retry' ? [outcome.error] : [],
  );
  return errors.length === outcomes.length ? errors[0] : undefined;
}
