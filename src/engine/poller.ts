import { type Backoff, backoffMs } from './backoff.ts';
import {
  type ConnectorError,
  type ErrorCode,
  type RetryError,
  isConnectorError,
} from './errors.ts';
import type { Account } from './account.ts';
import type { StreamState } from './state.ts';
import type { Stream } from './stream.ts';
import type { RateLimiter } from './rate-limit/rate-limiter.ts';
import { type Poll, type PollTools, type Tally, runPoll } from './poll.ts';
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

/** What a poller works with besides a poll's tools. */
export interface PollerTools extends Omit<PollTools, 'graph'> {
  readonly graph: GraphTransport;
  readonly rateLimiter: RateLimiter;
  readonly pollPermits: Semaphore;
  readonly tracer: Tracer;
  readonly random: () => number;
  readonly retry: Backoff & { readonly maxAttempts: number };
}

/** One (stream, account); `state` is the last one committed. */
export interface Job {
  readonly stream: Stream;
  readonly account: Account;
  state: StreamState;
  /** A list that was scanned since then serves the job's polls too; null: each scans its own. */
  cycleMs?: number;
}

/** What is left to do after a due poll. */
export type PollOutcome =
  | { readonly kind: 'done' }
  /** This time it failed; the next interval tries again. */
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'stop-stream'; readonly error: Error }
  | { readonly kind: 'stop-account'; readonly error: Error };

/** What an error makes of the poll in hand. */
type Step = { readonly kind: 'again'; readonly afterMs: number } | PollOutcome;

/**
 * Does one due poll to its end: waits for quota and its turn, tries again while that is worth
 * it, and reports what happened.
 *
 * @param nextPollMs - when the next one is due, for those who watch; null when there is none
 * @throws StopProcessError, and the signal's reason when aborted
 */
export async function pollWhenDue(
  job: Job,
  tools: PollerTools,
  at: { readonly nextPollMs: number | null; readonly signal: AbortSignal },
): Promise<PollOutcome> {
  const poll = await begin(job, tools, at);
  try {
    const outcome = await pollToEnd(poll, job, { tools, ...at });
    poll.trace.end(outcome.kind === 'done' ? undefined : outcome.error);
    return outcome;
  } catch (error) {
    poll.trace.end(error);
    throw error;
  }
}

interface PolledJob {
  readonly tools: PollerTools;
  readonly nextPollMs: number | null;
  readonly signal: AbortSignal;
}

async function pollToEnd(
  poll: Poll,
  job: Job,
  { tools, nextPollMs, signal }: PolledJob,
): Promise<PollOutcome> {
  for (let attempt = 1; ;) {
    const error = await tryOnce(poll, job, { tools, signal });
    if (error === undefined) {
      tools.telemetry.report(finished(poll, tools.clock.nowMs(), nextPollMs));
      return { kind: 'done' };
    }
    const step = decide(error, attempt, tools);
    tools.telemetry.report({
      ...failed(error, job, step.kind === 'again' ? step.afterMs : null),
      requests: poll.tally.requests,
      nextPollMs: step.kind.startsWith('stop-') ? null : nextPollMs,
    });
    if (step.kind !== 'again') return step;
    if (!isConnectorError(error) || error.disposition !== 'wait') attempt += 1;
    await tools.clock.sleep(step.afterMs, signal);
  }
}

async function begin(
  job: Job,
  tools: PollerTools,
  { nextPollMs, signal }: { readonly nextPollMs: number | null; readonly signal: AbortSignal },
): Promise<Poll> {
  await untilAllowed(job, tools, signal);
  const startedMs = tools.clock.nowMs();
  const { stream, account } = job;
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

/** A poll begins when its first request may go, and does not hold a turn before. */
function untilAllowed({ account, stream }: Job, { rateLimiter }: PollerTools, signal: AbortSignal) {
  return rateLimiter.ready(account, stream.priority, signal);
}

function limited(poll: Poll, { rateLimiter, graph }: PollerTools, permit: Permit): Graph {
  const { account, stream, trace, tally } = poll;
  return rateLimiter.limit(counted(tracedTransport(graph, trace), tally), {
    account,
    priority: stream.priority,
    permit,
  });
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
  { tools, signal }: { tools: PollerTools; signal: AbortSignal },
): Promise<Error | undefined> {
  const { records, deadLetters } = poll.tally;
  try {
    await untilAllowed(job, tools, signal);
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

/** Counted as it is committed: a try that fails has published what came before. */
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

/** A poll that finds nothing new writes no state. */
function reportState(before: StreamState, after: StreamState, telemetry: Telemetry): void {
  if (after.sequence === before.sequence) return;
  const { stream, accountId, writtenAtMs, refusals } = after;
  telemetry.report({ type: 'state', stream, accountId, writtenAtMs, refusals });
}

/** The only place that knows what a disposition makes the program do. */
function decide(error: Error, attempt: number, tools: PollerTools): Step {
  if (!isConnectorError(error)) return { kind: 'failed', error };
  switch (error.disposition) {
    case 'retry':
      return tryAgain(error, attempt, tools);
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

function tryAgain(error: RetryError, attempt: number, { retry, random }: PollerTools): Step {
  if (attempt >= retry.maxAttempts) return { kind: 'failed', error };
  return { kind: 'again', afterMs: error.retryAfterMs ?? backoffMs(retry, attempt, random()) };
}

function finished(poll: Poll, nowMs: number, nextPollMs: number | null): TelemetryEvent {
  return {
    type: 'poll-finished',
    stream: poll.stream.name,
    accountId: poll.account.id,
    records: poll.tally.records,
    deadLetters: poll.tally.deadLetters,
    requests: poll.tally.requests,
    calls: poll.tally.calls,
    skipped: poll.tally.skipped,
    leftOut: poll.tally.leftOut,
    unknownFields: [...poll.tally.unknownFields],
    durationMs: Math.max(0, nowMs - poll.startedMs),
    nextPollMs,
  };
}

type PollFailed = Extract<TelemetryEvent, { type: 'poll-failed' }>;

/** An error of an object that no extractor isolated fails the poll. */
function dispositionOf(known: ConnectorError | undefined): PollFailed['disposition'] {
  if (known === undefined) return 'unexpected';
  return known.disposition === 'skip' ? 'fail' : known.disposition;
}

/**
 * The event of a poll that failed and has no next turn; `retryInMs` null when it is not tried again
 * before its time.
 */
export function failed(error: Error, job: Job, retryInMs: number | null): PollFailed {
  const known: ConnectorError | undefined = isConnectorError(error) ? error : undefined;
  const code: ErrorCode = known?.code ?? 'internal.unexpected';
  return {
    type: 'poll-failed',
    stream: job.stream.name,
    accountId: job.account.id,
    code,
    disposition: dispositionOf(known),
    message: error.message,
    retryInMs,
    nextPollMs: null,
  };
}
