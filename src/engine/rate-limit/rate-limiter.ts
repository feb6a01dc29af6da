import type { Account } from '../account.ts';
import { type Scope, isConnectorError, WaitError } from '../errors.ts';
import type { Priority } from './quota.ts';
import {
  type RequestQueue,
  type QueuedRequest,
  type Ticket,
  createRequestQueue,
} from './request-queue.ts';
import { type Control, getEach } from './get-each.ts';
import type {
  BatchOutcome,
  Clock,
  Graph,
  GraphRequest,
  BatchTransport,
  OnUsage,
  Telemetry,
} from '../ports.ts';
import { type Dispatch, type Scopes, createScopes, scopesOf } from './scopes.ts';
import { createSteadyClock } from '../steady-clock.ts';
import { type Permit, type Semaphore, createSemaphore } from './semaphore.ts';

// States of a request:
// - queued: its scopes have no room; after `yieldAfterMs` its poll runs without a permit.
// - admitted: room is reserved; it waits for a request permit.
// - in flight: the quota was checked again, and it was sent.
// - answered: its result is returned. After a limit, or a failed second check, it is queued again.
// The states of a scope's quota are in quota.ts.

/** The poll of an account that makes requests. */
export interface Caller {
  readonly account: Account;
  /** The priority of requests that set none. */
  readonly priority: Priority;
  /** The poll's permit to run; other polls get it while a request of this one waits. */
  readonly permit: Permit;
}

/**
 * The rate limiter: decides by the quotas of the tokens which request is sent now, which waits, and
 * for how long. No request of a blocked scope is sent; after a block, one request alone probes the
 * API.
 */
export interface RateLimiter {
  /**
   * The API for a poll. Each request waits until its scopes have room for its calls; a batch has as
   * many items as there is room for. A request that the API rejects for a limit is sent again when
   * the limit ends. Aborting a request's signal ends its wait.
   *
   * @throws as `Graph`, except WaitError
   */
  limit(transport: BatchTransport, caller: Caller): Graph;
  /** A transport for callers that must not wait: throws WaitError when a scope is blocked. */
  guard(transport: Pick<Graph, 'get'>): Pick<Graph, 'get'>;
  /** Resolves when a request of the account may be sent; rejects with the signal's reason. */
  ready(account: Account, priority: Priority, signal: AbortSignal): Promise<void>;
  /** Blocks the scope: no request of it is sent for at least `ms` milliseconds. */
  block(scope: Scope, ms: number): void;
  /** Records the usage that an answer reports. */
  readonly onUsage: OnUsage;
}

/** A request that waits longer than this lets another poll run meanwhile. */
const yieldAfterMs = 1000;
/** After so many batches in a row without an answer to any item, a poll sends single requests. */
const mostUnansweredBatches = 3;

interface Context {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly scopes: Scopes;
  readonly queue: RequestQueue;
  /** The permits of requests: each request holds one while it is in flight. */
  readonly requestPermits: Semaphore;
  /** The accounts that have made requests, by id. */
  readonly known: Map<string, Account>;
}

/** The dependencies of a rate limiter. */
export interface RateLimiterTools extends Pick<Context, 'clock' | 'telemetry'> {
  /** The most requests in flight at once, at least 1. */
  readonly maxConcurrentRequests: number;
}

/** Creates a rate limiter that has received no usage yet. */
export function createRateLimiter(tools: RateLimiterTools): RateLimiter {
  // A host's clock that is set back must not extend a limit.
  const clock = createSteadyClock(tools.clock);
  const scopes = createScopes({ ...tools, clock });
  const known = new Map<string, Account>();
  const queue = createRequestQueue(scopes, clock);
  const requestPermits = createSemaphore(tools.maxConcurrentRequests);
  const context: Context = { ...tools, clock, scopes, known, queue, requestPermits };
  return {
    limit(transport, caller) {
      known.set(caller.account.id, caller.account);
      const limited = limitedTransport(transport, { context, caller });
      const control: Control = {};
      return {
        async get(request, signal) {
          const node = await limited.get(request, signal);
          control.request = request;
          return node;
        },
        getEach: (requests, signal) => getEach(limited, requests, signal, control),
      };
    },
    guard: (transport) => ({
      get: (request, signal) => requestUnlessBlocked(transport, request, { context, signal }),
    }),
    ready(account, priority, signal) {
      known.set(account.id, account);
      const request = { accountId: account.id };
      const queued = {
        scopes: scopesOf(request, known),
        priority,
        calls: 1,
        flow: account.id,
        mode: 'look',
      } as const;
      return context.queue.enter(queued, signal).admitted;
    },
    block(scope, ms) {
      scopes.block(scope, ms);
      context.queue.review();
    },
    onUsage(report) {
      scopes.recordUsage(report);
      context.queue.review();
    },
  };
}

interface LimitedPoll {
  readonly context: Context;
  readonly caller: Caller;
  /** Scopes whose limits the poll's requests reached, also those that `scopesOf` does not list. */
  limitedBy: readonly Scope[];
}

function limitedTransport(
  transport: BatchTransport,
  { context, caller }: { context: Context; caller: Caller },
): BatchTransport {
  const limited: LimitedPoll = { context, caller, limitedBy: [] };
  let unansweredBatches = 0;
  return {
    get batchSize() {
      return unansweredBatches < mostUnansweredBatches ? transport.batchSize : 1;
    },
    get: (request, signal) =>
      sendWithinQuota(request, 1, () => transport.get(request, signal), { limited, signal }),
    async getBatch(requests, signal) {
      const [first] = requests;
      if (first === undefined) return [];
      const send = async (calls: number) => {
        const outcomes = await transport.getBatch(requests.slice(0, calls), signal);
        for (const limit of outcomes.flatMap((one) => limitOf(one) ?? [])) {
          context.scopes.block(limit.scope, limit.retryAfterMs);
          limited.limitedBy = withScope(limited.limitedBy, limit.scope);
        }
        return outcomes;
      };
      const outcomes = await sendWithinQuota(first, requests.length, send, { limited, signal });
      const isUnanswered = outcomes.every((one) => 'isUnanswered' in one);
      unansweredBatches = isUnanswered ? unansweredBatches + 1 : 0;
      // Items that reached a limit or were not sent have no outcome: the caller requests them
      // again.
      return outcomes.filter((one) => limitOf(one) === undefined);
    },
  };
}

/** Sends a request, or as many items of a batch as the quota has room for; after a limit, again. */
async function sendWithinQuota<T>(
  request: GraphRequest,
  maxCalls: number,
  send: (calls: number) => Promise<T>,
  { limited, signal }: { readonly limited: LimitedPoll; readonly signal: AbortSignal },
): Promise<T> {
  const { context, caller } = limited;
  for (;;) {
    const scopes = limited.limitedBy.reduce(withScope, scopesOf(request, context.known));
    const queued: QueuedRequest = {
      scopes,
      priority: request.priority ?? caller.priority,
      calls: Math.min(maxCalls, context.scopes.room(scopes)),
      flow: request.accountId ?? '',
      mode: 'paced',
    };
    await admit(queued, { context, permit: caller.permit, signal });
    try {
      const sendAdmitted = () => send(queued.calls);
      const sent = await whenFree(sendAdmitted, { context, queued, signal });
      if (sent !== undefined) return sent.answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof WaitError)) throw error;
      limited.limitedBy = withScope(limited.limitedBy, error.scope);
    }
  }
}

function limitOf(outcome: BatchOutcome): WaitError | undefined {
  return 'error' in outcome && outcome.error instanceof WaitError ? outcome.error : undefined;
}

/** Adds a scope whose limit was reached, unless it is listed. */
function withScope(scopes: readonly Scope[], scope: Scope): readonly Scope[] {
  const isListed = scopes.some(({ kind, id }) => kind === scope.kind && id === scope.id);
  return isListed ? scopes : [...scopes, scope];
}

/** Waits until a request is admitted; after `yieldAfterMs`, without the poll's permit. */
async function admit(
  queued: QueuedRequest,
  { context, permit, signal }: { context: Context; permit: Permit; signal: AbortSignal },
): Promise<void> {
  const { queue, clock, telemetry } = context;
  const startedMs = clock.nowMs();
  const ticket = queue.enter(queued, signal);
  if (ticket.immediate) return;
  if (await isSlow(ticket.admitted, clock))
    await yieldPermit(ticket, queued, { context, permit, signal });
  const durationMs = clock.nowMs() - startedMs;
  if (durationMs > 0) {
    telemetry.report({ type: 'quota-wait', priority: queued.priority, durationMs });
  }
}

async function yieldPermit(
  { admitted }: Ticket,
  queued: QueuedRequest,
  { context, permit, signal }: { context: Context; permit: Permit; signal: AbortSignal },
): Promise<void> {
  try {
    await permit.yieldWhile(admitted, signal);
  } catch (error) {
    // Admitted, but aborted before the poll had its permit again: release the reserved room.
    admitted.then(
      () => {
        context.queue.leave(queued);
      },
      () => undefined,
    );
    throw error;
  }
}

async function isSlow(entering: Promise<void>, clock: Clock): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      entering.then(() => false),
      clock.sleep(yieldAfterMs, timer.signal).then(() => true),
    ]);
  } finally {
    timer.abort();
  }
}

/**
 * Sends an admitted request as soon as a request permit is free; a limit that it meets blocks its
 * scope. Undefined when the quota no longer allows the request by then: nothing was sent.
 */
async function whenFree<T>(
  send: () => Promise<T>,
  { context, queued, signal }: { context: Context; queued: QueuedRequest; signal: AbortSignal },
): Promise<{ readonly answer: T } | undefined> {
  const { scopes, queue, requestPermits } = context;
  let dispatch: Dispatch | undefined;
  try {
    return await requestPermits.take(async () => {
      dispatch = scopes.dispatched(queued);
      return dispatch && { answer: await exchange(send, { scopes, dispatch }) };
    }, signal);
  } finally {
    if (dispatch === undefined) queue.leave(queued);
    else queue.review();
  }
}

/** Sends a request that is counted as in flight, and records how it ended. */
async function exchange<T>(
  send: () => Promise<T>,
  { scopes, dispatch }: { scopes: Scopes; dispatch: Dispatch },
): Promise<T> {
  let answered = false;
  try {
    const answer = await send();
    answered = true;
    return answer;
  } catch (error) {
    if (error instanceof WaitError) scopes.block(error.scope, error.retryAfterMs);
    answered = isAnswer(error);
    throw error;
  } finally {
    scopes.finished(dispatch, answered);
  }
}

/**
 * True for an error that proves that the API processed the call: no limit, no transient failure.
 */
function isAnswer(error: unknown): boolean {
  if (!isConnectorError(error)) return false;
  return error.disposition !== 'wait' && error.disposition !== 'retry';
}

async function requestUnlessBlocked(
  transport: Pick<Graph, 'get'>,
  request: GraphRequest,
  { context, signal }: { context: Context; signal: AbortSignal },
) {
  const queued: QueuedRequest = {
    scopes: scopesOf(request, context.known),
    priority: 'normal',
    calls: 1,
    flow: '',
    mode: 'unpaced',
  };
  for (;;) {
    const blocked = context.scopes.blocked(queued.scopes);
    if (blocked !== undefined) throw stillBlocked(request, blocked);
    await context.queue.enter(queued, signal).admitted;
    const send = () => transport.get(request, signal);
    const sent = await whenFree(send, { context, queued, signal });
    if (sent !== undefined) return sent.answer;
  }
}

function stillBlocked(request: GraphRequest, { scope, ms }: { scope: Scope; ms: number }) {
  const minutes = Math.ceil(ms / 60_000);
  return new WaitError(
    'graph.rate-limited',
    `${request.endpoint}: the ${scope.kind}'s request limit is reached; nothing in it is asked for ${minutes} min`,
    { scope, retryAfterMs: ms },
  );
}
