import {
  type ClassifiedError,
  isClassifiedError,
  isTooMuchData,
  isUnanswered,
  messageOf,
  RetryError,
} from '../errors.ts';
import type { BatchTransport, GraphRequest, Outcome } from '../ports.ts';

// States of a request in `getEach`:
// - queued: not sent yet, held back by a limit, or part of a batch that is sent again in halves.
// - sent: in a batch, or as a single request.
// - unanswered: the batch had no usable answer to it; it is sent as a single request at once.
// - again: a transient error; sent once more after all others.
// - done: its outcome is yielded.

/** Single requests in flight at once, without batches and for unanswered items of a batch. */
const concurrency = 8;

/**
 * Requests many objects: in batches where the host has them, else by concurrent single requests. An
 * item without a usable answer is requested again by itself; one with a transient error once more,
 * after all others. A batch that times out, or has too much data, is sent again in halves; the
 * batches after it are no larger. A broken connection or a timeout is a request's own error where
 * another request, sent at the same time, is answered. Where none is, one that was answered before
 * is repeated as a control sample. The error of a request sent alone, with none answered before, is
 * left to the caller to attribute.
 * @param control - the poll's control sample; this call replaces its request by later ones
 * @throws as `Graph.getEach`
 */
export async function* getEach(
  transport: BatchTransport,
  requests: readonly GraphRequest[],
  signal: AbortSignal,
  control: Control = {},
): AsyncGenerator<Outcome, void, undefined> {
  const again: GraphRequest[] = [];
  for await (const outcome of once(transport, requests, signal, control)) {
    if (isTransient(outcome)) again.push(outcome.request);
    else yield outcome;
  }
  yield* once(transport, again, signal, control);
}

/** The control sample of a poll: its last answered request, if any. */
export interface Control {
  request?: GraphRequest;
}

async function* once(
  transport: BatchTransport,
  requests: readonly GraphRequest[],
  signal: AbortSignal,
  control: Control,
): AsyncGenerator<Outcome, void, undefined> {
  let size = Infinity;
  let failing: ClassifiedError | undefined;
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
    outcomes = await attributed(transport, outcomes, signal, control);
    const done = new Set(outcomes.map(({ request }) => request));
    queue = queue.filter((request) => !done.has(request));
    yield* outcomes;
    // Every request sent together had a transient error, twice in a row: the server is down.
    // Requests without an answer are excepted, because `attributed` has handled them.
    const errors = outcomes.filter(isTransient).map(({ error }) => error);
    const isDown = errors.length === outcomes.length && !errors.every(isUnanswered);
    const transient = isDown && outcomes.length > 1 ? errors[0] : undefined;
    if (transient !== undefined && failing !== undefined) throw transient;
    failing = transient;
  }
}

/** Sends a batch, then each unanswered item by itself; held-back items have no outcome. */
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
    const isTimeout = isClassifiedError(error) && error.code === 'graph.timeout';
    if (isTooMuchData(error) || isTimeout) return 'halve';
    throw error;
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
    if (!isClassifiedError(error)) throw error;
    return { request, error };
  }
}

/**
 * Returns the outcomes of requests sent together. Where others are answered, the error of an
 * unanswered one names its object.
 * @throws an error that concerns every request: of a limit, the token, the process or the network
 */
async function attributed(
  transport: BatchTransport,
  outcomes: readonly Outcome[],
  signal: AbortSignal,
  control: Control,
): Promise<readonly Outcome[]> {
  outcomes.forEach(throwShared);
  const [lost] = outcomes.filter(isLost);
  const areAllLost = outcomes.every(isLost);
  const before = control.request;
  const answered = outcomes.findLast((one) => 'node' in one);
  if (answered !== undefined) control.request = answered.request;
  if (lost === undefined) return outcomes;
  if (areAllLost) {
    if (before === undefined && outcomes.length === 1) return outcomes;
    if (before === undefined) throw lost.error;
    const sample = await getAlone(transport, before, signal);
    throwShared(sample);
    if (isLost(sample)) throw lost.error;
  }
  return outcomes.map((one) => (isLost(one) ? { ...one, error: ownError(one) } : one));
}

type FailedOutcome = Extract<Outcome, { readonly error: ClassifiedError }>;

function isTransient(outcome: Outcome): outcome is FailedOutcome {
  return 'error' in outcome && outcome.error.disposition === 'retry';
}

function isLost(outcome: Outcome): outcome is FailedOutcome {
  return 'error' in outcome && isUnanswered(outcome.error);
}

function ownError({ request: { endpoint, path }, error }: FailedOutcome): RetryError {
  const reason = messageOf(error.cause ?? error);
  return new RetryError(
    error.code,
    `${endpoint}: ${path} has no answer, though other requests sent at about the same time have; it is requested again later (${reason})`,
    { cause: error.cause },
  );
}

/** Throws an error that concerns every request: of a limit, the token or the process. */
function throwShared(outcome: Outcome): void {
  if (!('error' in outcome)) return;
  const { error } = outcome;
  if (['wait', 'stop-account', 'stop-process'].includes(error.disposition)) throw error;
}
