import { type Backoff, backoffMs } from './backoff.ts';
import { type RetryError, isClassifiedError } from './errors.ts';
import type { Account } from './account.ts';
import {
  type Pause,
  type Published,
  type StreamState,
  firstState,
  pauseAt,
  stateKey,
} from './state.ts';
import { suppressionName } from './suppression.ts';
import type { Stream } from './stream.ts';
import type { Caller, OnWait, RateLimiter } from './rate-limit/rate-limiter.ts';
import { linkSignals } from './linked-signal.ts';
import { runPoll } from './poll.ts';
import type { Poll, PollTools } from './poll-context.ts';
import type { PollTrigger } from './events.ts';
import type {
  AccountPreparation,
  BatchTransport,
  Graph,
  GraphTransport,
  Restored,
  StateSize,
  Telemetry,
  TelemetryEvent,
  Tracer,
} from './ports.ts';
import { type WaitingJob, bothWaits, endedByPause, reportedWaits } from './quota-waits.ts';
import { traced } from './tracing.ts';
import { Semaphore } from './rate-limit/semaphore.ts';
import type { PendingChanges, WebhookChange } from './webhooks.ts';

// States of a due poll:
// - waiting for quota: the rate limiter allows no request yet; no permit is held.
// - waiting for a permit: other polls hold all of them.
// - running: `runPoll` fetches and publishes.
// - backing off: the try failed with `retry` or `wait`; the same poll runs again after a delay.
// - paused: a person has paused the stream before a try, or while a request of the try waited for
//   quota; the poll ends, and is due again.
// - ended: with a `PollOutcome`, or by an error that stops the process.

/** The dependencies of a poller: those of a poll, and the limits and retries around it. */
export interface PollerTools extends Omit<PollTools, 'graph'>, AccountPreparation {
  readonly graph: GraphTransport;
  readonly rateLimiter: RateLimiter;
  readonly pollPermits: Semaphore;
  readonly tracer: Tracer;
  readonly random: () => number;
  readonly pending: PendingChanges;
  readonly retry: Backoff & { readonly maxAttempts: number };
}

/** One (stream, account) to poll; `state` is the last one committed. */
export interface Job extends WaitingJob {
  readonly stream: Stream;
  readonly account: Account;
  state: StreamState;
  /** The pause of the stream; it differs from the state's until a commit saves it. */
  pause: Pause | null;
  /** Held by the one writer of the state: a try of a poll, or the saving of a pause. */
  readonly writer: Semaphore;
  /** The suppression list of the account; absent: an empty one. */
  readonly suppressed?: Published | undefined;
  /** The start of the cycle, whose list scan its polls share; absent: each poll scans anew. */
  cycleMs?: number;
}

export type PollOutcome =
  | { readonly kind: 'done' }
  /** The stream was paused before a try, or while a request of it waited for quota. */
  | { readonly kind: 'paused' }
  /** `failed`: the next interval polls again. */
  | { readonly kind: 'failed' | 'stop-stream' | 'stop-account'; readonly error: Error };

/** The next action after an error: the same poll again, or an outcome. */
type NextAction = { readonly kind: 'again'; readonly afterMs: number } | PollOutcome;

export interface PollTiming {
  /** The next poll's due time, epoch milliseconds; null when there is none. */
  readonly nextPollMs: number | null;
  /** The changes of webhooks to publish; absent for a poll of the schedule. */
  readonly changes?: readonly WebhookChange[];
  readonly signal: AbortSignal;
  /** Called at the end of each try, successful or not. */
  readonly onTried?: (() => void) | undefined;
  /** Returns the jobs whose polls begin after a try of this one: they wait for quota as it does. */
  readonly behind?: (() => readonly Job[]) | undefined;
}

/**
 * Runs one due poll to its end: waits for quota and a permit, retries, and reports the result.
 * Throws StopProcessError, and the signal's reason when aborted.
 */
export async function pollWhenDue(
  job: Job,
  tools: PollerTools,
  timing: PollTiming,
): Promise<PollOutcome> {
  const poll = await beginPoll(job, tools, timing);
  try {
    const outcome = await pollToEnd(poll, job, tools, timing);
    poll.trace.end('error' in outcome ? outcome.error : undefined);
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
  timing: PollTiming,
): Promise<PollOutcome> {
  const { nextPollMs, signal, onTried } = timing;
  for (let attempt = 1; ;) {
    const error = await tryOnce(poll, job, tools, timing);
    onTried?.();
    if (error === 'paused') return { kind: 'paused' };
    if (error === undefined) {
      tools.telemetry.report({
        type: 'poll-finished',
        stream: job.stream.name,
        accountId: job.account.id,
        ...poll.tally,
        unknownFields: [...poll.tally.unknownFields],
        durationMs: Math.max(0, tools.clock.nowMs() - poll.startedMs),
        nextPollMs,
        trigger: triggerOf(poll),
      });
      return { kind: 'done' };
    }
    const action = decide(error, attempt, tools);
    tools.telemetry.report({
      ...failed(error, job, action.kind === 'again' ? action.afterMs : null),
      trigger: triggerOf(poll),
      requests: poll.tally.requests,
      nextPollMs: action.kind.startsWith('stop-') ? null : nextPollMs,
    });
    if (action.kind !== 'again') return action;
    if (!isClassifiedError(error) || error.disposition !== 'wait') attempt += 1;
    await tools.clock.sleep(action.afterMs, signal);
  }
}

function triggerOf({ changes }: Poll): PollTrigger {
  return changes === undefined ? 'schedule' : 'webhook';
}

async function beginPoll(job: Job, tools: PollerTools, timing: PollTiming): Promise<Poll> {
  const { stream, account } = job;
  const { nextPollMs, changes } = timing;
  // Until the first request may be sent, a poll holds no permit.
  await untilReady(job, tools, timing);
  const startedMs = tools.clock.nowMs();
  const id = `${stream.name}/${account.id}/${new Date(startedMs).toISOString()}`;
  return {
    stream,
    account,
    id,
    trace: tools.tracer.poll({ stream: stream.name, accountId: account.id, poll: id }),
    startedMs,
    suppressed: job.suppressed ?? new Map(),
    state: job.state,
    get pause() {
      return pauseAt(job.pause, tools.clock.nowMs());
    },
    published: new Set(),
    cycleMs: job.cycleMs ?? startedMs,
    nextPollMs,
    changes,
    tally: { ...noCounts, skipped: {}, leftOut: [], unknownFields: new Set() },
  };
}

/** Waits until the quota allows a request of the job. */
async function untilReady(job: Job, tools: PollerTools, timing: PollTiming): Promise<void> {
  const { account, stream } = job;
  const { priority, limit } = stream;
  const onWait = waitsOf(job, tools, timing);
  await tools.rateLimiter.ready({ account, priority, limit, onWait }, timing.signal);
}

function waitsOf(job: Job, { telemetry }: PollerTools, { behind }: PollTiming): OnWait {
  return reportedWaits(() => [job, ...(behind?.() ?? [])], telemetry);
}

const noCounts = {
  records: 0,
  deadLetters: 0,
  requests: 0,
  calls: 0,
  requestedMedia: 0,
  answeredNodes: 0,
};

/** The API for a poll: limited, counted, and each request a step of the poll's trace. */
function graphOf(
  { account, stream, trace, tally }: Poll,
  { rateLimiter, graph }: PollerTools,
  waiting: Pick<Caller, 'permit' | 'onWait'>,
): Graph {
  const observe = <T>(endpoint: string, calls: number, send: () => Promise<T>): Promise<T> => {
    tally.requests += 1;
    tally.calls += calls;
    return traced(trace, 'request', { endpoint, calls }, send);
  };
  const transport: BatchTransport = {
    get batchSize() {
      return graph.batchSize;
    },
    get: (request, signal) => observe(request.endpoint, 1, () => graph.get(request, signal)),
    getBatch: (requests, signal) =>
      observe(requests[0]?.endpoint ?? '', requests.length, () => graph.getBatch(requests, signal)),
  };
  return rateLimiter.limit(transport, { account, priority: stream.priority, ...waiting });
}

async function tryOnce(
  poll: Poll,
  job: Job,
  tools: PollerTools,
  timing: PollTiming,
): Promise<Error | 'paused' | undefined> {
  const { account } = job;
  const { signal } = timing;
  const paused = new AbortController();
  const either = linkSignals([signal, paused.signal]);
  try {
    await untilReady(job, tools, timing);
    return await tools.pollPermits.take(async (permit) => {
      await tools.prepareAccount(account.id, signal);
      return await job.writer.take(async () => {
        if (poll.pause !== null) return 'paused';
        const isPaused = () => poll.pause !== null;
        const ending = endedByPause(job, isPaused, () => {
          paused.abort();
        });
        const onWait = bothWaits(waitsOf(job, tools, timing), ending);
        const graph = graphOf(poll, tools, { permit, onWait });
        await runAsWriter(poll, job, { ...tools, graph }, either.signal);
        return undefined;
      }, signal);
    }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (paused.signal.aborted) return 'paused';
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    either.unlink();
  }
}

/** Runs a try from the job's state, which the saving of a pause may have changed before it. */
async function runAsWriter(
  poll: Poll,
  job: Job,
  tools: PollTools,
  signal: AbortSignal,
): Promise<void> {
  const { state, stream } = job;
  const { tally } = poll;
  const before = { ...tally };
  poll.state = state;
  try {
    await runPoll(poll, tools, signal);
  } finally {
    job.onPause = undefined;
    job.state = poll.state;
    // A poll without changes writes no state; a failed try may have committed earlier batches.
    if (job.state.sequence !== state.sequence) reportState(job.state, tools.telemetry);
    const records = tally.records - before.records;
    const deadLetters = tally.deadLetters - before.deadLetters;
    if (records + deadLetters > 0) {
      tools.telemetry.report({ type: 'committed', stream: stream.name, records, deadLetters });
    }
  }
}

export function reportState(state: StreamState, telemetry: Telemetry): void {
  const { stream, accountId, writtenAtMs, rejections } = state;
  telemetry.report({ type: 'state', stream, accountId, writtenAtMs, rejections });
}

function decide(error: Error, attempt: number, tools: PollerTools): NextAction {
  if (!isClassifiedError(error)) return { kind: 'failed', error };
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
    case 'stop-account':
      return { kind: error.disposition, error };
    case 'stop-process':
      throw error;
  }
}

function retry(error: RetryError, attempt: number, tools: PollerTools): NextAction {
  if (attempt >= tools.retry.maxAttempts) return { kind: 'failed', error };
  const afterMs = error.retryAfterMs ?? backoffMs(tools.retry, attempt, tools.random());
  return { kind: 'again', afterMs };
}

/** The event of a failed poll without a next one; `retryInMs` is null when it is not retried. */
function failed(error: Error, { stream, account }: Job, retryInMs: number | null) {
  const known = isClassifiedError(error) ? error : undefined;
  const disposition = known?.disposition ?? 'unexpected';
  return {
    type: 'poll-failed',
    stream: stream.name,
    accountId: account.id,
    code: known?.code ?? 'internal.unexpected',
    // An object's error that no extractor handled fails the poll.
    disposition: disposition === 'skip' ? 'fail' : disposition,
    message: error.message,
    retryInMs,
    nextPollMs: null,
    trigger: 'schedule',
  } as const satisfies TelemetryEvent;
}

/** A job with its restored state, or the error that prevents it from starting. */
export interface StartedJob {
  readonly job: Job;
  /** The size of its state; absent for a job without state. */
  readonly size?: StateSize | undefined;
  /** The error that stops the stream from starting: its state or suppressions cannot be read. */
  readonly error?: Error;
}

/** Creates a job from its state in the topic; without one it is a first run. */
export function startJob(
  stream: Stream,
  account: Account,
  restored: ReadonlyMap<string, Restored>,
): StartedJob {
  const found = restored.get(stateKey(stream.name, account.id));
  const list = restored.get(stateKey(suppressionName, account.id));
  const unreadable = [found, stream.author === null ? undefined : list].find(isUnreadable);
  const state = found?.kind === 'state' ? found.state : firstState(stream.name, account.id);
  const suppressed = list?.kind === 'state' ? list.state.published : undefined;
  const job = { ...newJob(stream, account, state), suppressed };
  // An unreadable state or list is not an empty one.
  if (unreadable !== undefined) return { job, error: unreadable.error };
  return found?.kind === 'state' ? { job, size: found.size } : { job };
}

function isUnreadable(one?: Restored): one is Extract<Restored, { kind: 'unreadable' }> {
  return one?.kind === 'unreadable';
}

/** Returns the job that continues from a state. */
export function newJob(stream: Stream, account: Account, state: StreamState): Job {
  return { stream, account, state, pause: state.pause, writer: new Semaphore(1), waits: 0 };
}

/** Returns the jobs that may start; reports their states, and the errors of the others. */
export function runnable(group: readonly StartedJob[], telemetry: Telemetry): readonly Job[] {
  return group.flatMap(({ job, error, size }) => {
    if (error !== undefined) {
      telemetry.report(failed(error, job, null));
      return [];
    }
    const { sequence, stream, accountId } = job.state;
    // A stream that was never polled has no state.
    if (sequence > 0) reportState(job.state, telemetry);
    if (size !== undefined) telemetry.report({ type: 'state-size', stream, accountId, ...size });
    return [job];
  });
}
