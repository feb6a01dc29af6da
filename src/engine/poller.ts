import { type Backoff, backoffMs } from './backoff.ts';
import { type RetryError, isConnectorError } from './errors.ts';
import type { Account } from './account.ts';
import type { StreamState } from './state.ts';
import type { Stream } from './stream.ts';
import type { RateLimiter } from './rate-limit/rate-limiter.ts';
import { runPoll } from './poll.ts';
import type { Poll, PollTools, Tally } from './poll-context.ts';
import type {
  BatchTransport,
  Graph,
  GraphTransport,
  Telemetry,
  TelemetryEvent,
  Tracer,
} from './ports.ts';
import { tracedTransport } from './tracing.ts';
import type { Permit, Semaphore } from './rate-limit/semaphore.ts';

// States of a due poll:
// - waiting for quota: the rate limiter allows no request yet; no permit is held.
// - waiting for a permit: other polls hold all of them.
// - running: `runPoll` fetches and publishes.
// - backing off: the try failed with `retry` or `wait`; the same poll runs again after a delay.
// - ended: with a `PollOutcome`, or by an error that stops the process.

/** The dependencies of a poller: those of a poll, and the limits and retries around it. */
export interface PollerTools extends Omit<PollTools, 'graph'> {
  readonly graph: GraphTransport;
  readonly rateLimiter: RateLimiter;
  readonly pollPermits: Semaphore;
  readonly tracer: Tracer;
  readonly random: () => number;
  readonly retry: Backoff & { readonly maxAttempts: number };
}

/** One (stream, account) to poll; `state` is the last one committed. */
export interface Job {
  readonly stream: Stream;
  readonly account: Account;
  state: StreamState;
  /**
   * The start of the cycle, whose list scan the job's polls share; absent: each poll scans anew.
   */
  cycleMs?: number;
}

/** The outcome of a due poll. */
export type PollOutcome =
  | { readonly kind: 'done' }
  /** The poll failed; the next interval polls again. */
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'stop-stream'; readonly error: Error }
  | { readonly kind: 'stop-account'; readonly error: Error };

/** The next action after an error: the same poll again, or an outcome. */
type NextAction = { readonly kind: 'again'; readonly afterMs: number } | PollOutcome;

/** The timing of a due poll. */
export interface PollTiming {
  /** The next poll's due time, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  readonly signal: AbortSignal;
  /** Called at the end of each try, successful or not. */
  readonly onTried?: (() => void) | undefined;
}

/**
 * Runs one due poll to its end: waits for quota and a permit, retries as the error's disposition
 * allows, and reports the result.
 *
 * @throws StopProcessError, and the signal's reason when aborted
 */
export async function pollWhenDue(
  job: Job,
  tools: PollerTools,
  timing: PollTiming,
): Promise<PollOutcome> {
  const poll = await beginPoll(job, tools, timing);
  try {
    const outcome = await pollToEnd(poll, job, tools, timing);
    poll.trace.end(outcome.kind === 'done' ? undefined : outcome.error);
    return outcome;
  } catch (error) {
    poll.trace.end(error);
    throw error;
  }
}

async function pollToEnd(
  poll: Poll,
  job: Job,
  tools: PollerTools,
  { nextPollMs, signal, onTried }: PollTiming,
): Promise<PollOutcome> {
  for (let attempt = 1; ;) {
    const error = await tryOnce(poll, job, tools, signal);
    onTried?.();
    if (error === undefined) {
      tools.telemetry.report(finished(poll, tools.clock.nowMs(), nextPollMs));
      return { kind: 'done' };
    }
    const action = decide(error, attempt, tools);
    tools.telemetry.report({
      ...failed(error, job, action.kind === 'again' ? action.afterMs : null),
      requests: poll.tally.requests,
      nextPollMs: action.kind.startsWith('stop-') ? null : nextPollMs,
    });
    if (action.kind !== 'again') return action;
    if (!isConnectorError(error) || error.disposition !== 'wait') attempt += 1;
    await tools.clock.sleep(action.afterMs, signal);
  }
}

async function beginPoll(
  job: Job,
  tools: PollerTools,
  { nextPollMs, signal }: PollTiming,
): Promise<Poll> {
  const { stream, account } = job;
  // Until the first request may be sent, a poll holds no permit.
  await tools.rateLimiter.ready(account, stream.priority, signal);
  const startedMs = tools.clock.nowMs();
  const id = `${stream.name}/${account.id}/${new Date(startedMs).toISOString()}`;
  return {
    stream,
    account,
    id,
    trace: tools.tracer.poll({ stream: stream.name, accountId: account.id, poll: id }),
    startedMs,
    state: job.state,
    published: new Set(),
    cycleMs: job.cycleMs ?? startedMs,
    nextPollMs,
    tally: {
      records: 0,
      deadLetters: 0,
      requests: 0,
      calls: 0,
      skipped: {},
      leftOut: [],
      unknownFields: new Set(),
    },
  };
}

function limited(poll: Poll, { rateLimiter, graph }: PollerTools, permit: Permit): Graph {
  const { account, stream, trace, tally } = poll;
  const transport = counted(tracedTransport(graph, trace), tally);
  return rateLimiter.limit(transport, { account, priority: stream.priority, permit });
}

function counted(transport: BatchTransport, tally: Tally): BatchTransport {
  const count = (calls: number): void => {
    tally.requests += 1;
    tally.calls += calls;
  };
  return {
    get batchSize() {
      return transport.batchSize;
    },
    get(request, signal) {
      count(1);
      return transport.get(request, signal);
    },
    getBatch(requests, signal) {
      count(requests.length);
      return transport.getBatch(requests, signal);
    },
  };
}

async function tryOnce(
  poll: Poll,
  job: Job,
  tools: PollerTools,
  signal: AbortSignal,
): Promise<Error | undefined> {
  const { records, deadLetters } = poll.tally;
  try {
    await tools.rateLimiter.ready(job.account, job.stream.priority, signal);
    await tools.pollPermits.take(
      (permit) => runPoll(poll, { ...tools, graph: limited(poll, tools, permit) }, signal),
      signal,
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    reportState(job.state, poll.state, tools.telemetry);
    job.state = poll.state;
    reportCommitted(poll, { records, deadLetters }, tools.telemetry);
  }
}

/** Reports the records that a try committed; a failed try may have committed earlier batches. */
function reportCommitted(
  { stream, tally }: Poll,
  before: Pick<Poll['tally'], 'records' | 'deadLetters'>,
  telemetry: Telemetry,
): void {
  const records = tally.records - before.records;
  const deadLetters = tally.deadLetters - before.deadLetters;
  if (records + deadLetters === 0) return;
  telemetry.report({ type: 'committed', stream: stream.name, records, deadLetters });
}

/** Reports a state that was written; a poll without changes writes none. */
function reportState(before: StreamState, after: StreamState, telemetry: Telemetry): void {
  if (after.sequence === before.sequence) return;
  const { stream, accountId, writtenAtMs, refusals } = after;
  telemetry.report({ type: 'state', stream, accountId, writtenAtMs, refusals });
}

/** Decides by the error's disposition; the only place that does. */
function decide(error: Error, attempt: number, tools: PollerTools): NextAction {
  if (!isConnectorError(error)) return { kind: 'failed', error };
  switch (error.disposition) {
    case 'retry':
      return retry(error, attempt, tools);
    case 'wait':
      tools.rateLimiter.block(error.scope, error.retryAfterMs);
      return { kind: 'again', afterMs: error.retryAfterMs };
    case 'skip':
    case 'dead-letter':
    case 'fail':
      return { kind: 'failed', error };
    case 'stop-stream':
      return { kind: 'stop-stream', error };
    case 'stop-account':
      return { kind: 'stop-account', error };
    case 'stop-process':
      throw error;
  }
}

function retry(error: RetryError, attempt: number, tools: PollerTools): NextAction {
  if (attempt >= tools.retry.maxAttempts) return { kind: 'failed', error };
  const afterMs = error.retryAfterMs ?? backoffMs(tools.retry, attempt, tools.random());
  return { kind: 'again', afterMs };
}

function finished(poll: Poll, nowMs: number, nextPollMs: number | null): TelemetryEvent {
  return {
    type: 'poll-finished',
    stream: poll.stream.name,
    accountId: poll.account.id,
    ...poll.tally,
    unknownFields: [...poll.tally.unknownFields],
    durationMs: Math.max(0, nowMs - poll.startedMs),
    nextPollMs,
  };
}

type PollFailed = Extract<TelemetryEvent, { type: 'poll-failed' }>;

/**
 * Creates the event of a failed poll without a next one. `retryInMs` is null when the poll is not
 * retried before its next interval.
 */
export function failed(error: Error, job: Job, retryInMs: number | null): PollFailed {
  const known = isConnectorError(error) ? error : undefined;
  const disposition = known?.disposition ?? 'unexpected';
  return {
    type: 'poll-failed',
    stream: job.stream.name,
    accountId: job.account.id,
    code: known?.code ?? 'internal.unexpected',
    // An object's error that no extractor handled fails the poll.
    disposition: disposition === 'skip' ? 'fail' : disposition,
    message: error.message,
    retryInMs,
    nextPollMs: null,
  };
}
