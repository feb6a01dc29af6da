import type { Account } from '../account.ts';
import { createSteadyClock, endsWithin } from '../clock.ts';
import { type Scope, WaitError } from '../errors.ts';
import type { Node } from '../json.ts';
import type { BatchOutcome, BatchTransport, Graph, GraphRequest, UsageReport } from '../ports.ts';
import { type Control, getEach } from './get-each.ts';
import type { Priority, SeparateLimit } from './quota.ts';
import { type Call, RequestScheduler, type SchedulerTools } from './request-scheduler.ts';
import type { Permit } from './semaphore.ts';

// States of a request:
// - queued, admitted, in flight: as a call of the scheduler; while it is queued for longer than
//   `yieldAfterMs`, other polls have its poll's permit.
// - answered: its result is returned. After a limit, or a failed second check, it is queued again.

/** The poll of an account that makes requests. */
export interface Caller {
  readonly account: Account;
  /** The priority of requests that set none. */
  readonly priority: Priority;
  /** The poll's permit to run; other polls get it while a request of this one waits. */
  readonly permit: Permit;
  readonly onWait?: OnWait | undefined;
}

/** The caller of a poll's first request; `limit` is the stream's own limit, if it has one. */
type QueuedCaller = Pick<Caller, 'account' | 'priority' | 'onWait'> & {
  readonly limit?: SeparateLimit | undefined;
};

/**
 * Called when a request waits for the quota of its scopes: at once before a poll, after
 * `yieldAfterMs` within one; returns the function to call at the end of the wait.
 */
export type OnWait = (scopes: readonly Scope[]) => () => void;

/** A request that waits longer than this lets another poll run meanwhile. */
const yieldAfterMs = 1000;
/** After so many batches in a row without an answer to any item, a poll sends single requests. */
const mostUnansweredBatches = 3;

interface Context extends Omit<SchedulerTools, 'maxConcurrentRequests'> {
  readonly scheduler: RequestScheduler;
  /** The accounts that have made requests, by id. */
  readonly known: Map<string, Account>;
}

/**
 * The rate limiter: decides by the quotas of the tokens which request is sent now, which waits, and
 * for how long. No request of a blocked scope is sent; after a block, one request alone probes the
 * API.
 */
export class RateLimiter {
  readonly #context: Context;

  constructor(tools: SchedulerTools) {
    // A host's clock that is set back must not extend a limit.
    const clock = createSteadyClock(tools.clock);
    const scheduler = new RequestScheduler({ ...tools, clock });
    this.#context = { clock, telemetry: tools.telemetry, scheduler, known: new Map() };
  }

  /**
   * The API for a poll. Each request waits until its scopes have room for its calls; a batch has as
   * many items as there is room for. After a limit, a request is sent again when the limit ends.
   * @throws as `Graph`, except WaitError
   */
  limit(transport: BatchTransport, caller: Caller): Graph {
    this.#context.known.set(caller.account.id, caller.account);
    const limited = new LimitedTransport(transport, caller, this.#context);
    const control: Control = {};
    return {
      async get(request, signal) {
        const node = await limited.get(request, signal);
        control.request = request;
        return node;
      },
      getEach: (requests, signal) => getEach(limited, requests, signal, control),
    };
  }

  /** A transport for callers that must not wait: throws WaitError when a scope is blocked. */
  guard(transport: Pick<Graph, 'get'>): Pick<Graph, 'get'> {
    const { scheduler, known } = this.#context;
    return {
      async get(request, signal) {
        const scopes = scopesOf(request, known);
        const call: Call = { scopes, priority: 'normal', calls: 1, flow: '', mode: 'unpaced' };
        for (;;) {
          const blocked = scheduler.blocked(scopes);
          if (blocked !== undefined) {
            const { scope, ms: retryAfterMs } = blocked;
            const limit = `the ${scope.kind}'s request limit is reached`;
            const rest = `nothing in it is asked for ${Math.ceil(retryAfterMs / 60_000)} min`;
            const message = `${request.endpoint}: ${limit}; ${rest}`;
            throw new WaitError('graph.rate-limited', message, { scope, retryAfterMs });
          }
          await scheduler.enter(call, signal);
          const sent = await scheduler.send(call, () => transport.get(request, signal), signal);
          if (sent !== undefined) return sent.answer;
        }
      },
    };
  }

  /**
   * Resolves when a request of the account, by its own limits or by another, may be sent; rejects
   * with the signal's reason.
   */
  async ready(caller: QueuedCaller, signal: AbortSignal): Promise<void> {
    const { scheduler, known } = this.#context;
    const { account, priority, limit, onWait } = caller;
    known.set(account.id, account);
    const scopes = scopesOf({ accountId: account.id, limit }, known);
    const call: Call = { scopes, priority, calls: 1, flow: account.id, mode: 'look' };
    const admitted = scheduler.enter(call, signal);
    if (admitted === undefined) return;
    const endWait = onWait?.(scopes);
    try {
      await admitted;
    } finally {
      endWait?.();
    }
  }

  /** Blocks the scope: no request of it is sent for at least `ms` milliseconds. */
  block(scope: Scope, ms: number): void {
    this.#context.scheduler.block(scope, ms);
    this.#context.scheduler.review();
  }

  onUsage(report: UsageReport): void {
    this.#context.scheduler.recordUsage(report);
  }
}

/**
 * The scopes that apply to a request: the app, the user, its account and that account's page. The
 * platform limit stands alone, so that neither its requests nor the account's own delay the others.
 */
function scopesOf(
  { accountId, token, limit }: Pick<GraphRequest, 'accountId' | 'token' | 'limit'>,
  known: Context['known'],
): readonly Scope[] {
  const account = known.get(accountId ?? '');
  const id = token ?? account?.token ?? '';
  if (limit !== undefined) return [{ kind: limit, id }];
  const pageId = account?.pageId ?? null;
  return [
    { kind: 'app', id },
    { kind: 'user', id },
    ...(accountId === null ? [] : [{ kind: 'account', id: accountId } as const]),
    ...(pageId === null ? [] : [{ kind: 'page', id: pageId } as const]),
  ];
}

/** The transport of one poll, whose requests wait for their quotas. */
class LimitedTransport implements BatchTransport {
  readonly #transport: BatchTransport;
  readonly #caller: Caller;
  readonly #context: Context;
  /** Scopes whose limits the poll's requests reached, also those that `scopesOf` does not list. */
  #limitedBy: readonly Scope[] = [];
  #unansweredBatches = 0;

  constructor(transport: BatchTransport, caller: Caller, context: Context) {
    this.#transport = transport;
    this.#caller = caller;
    this.#context = context;
  }

  get batchSize(): number {
    return this.#unansweredBatches < mostUnansweredBatches ? this.#transport.batchSize : 1;
  }

  get(request: GraphRequest, signal: AbortSignal): Promise<Node> {
    return this.#send(request, 1, () => this.#transport.get(request, signal), signal);
  }

  async getBatch(
    requests: readonly GraphRequest[],
    signal: AbortSignal,
  ): Promise<readonly BatchOutcome[]> {
    const [first] = requests;
    if (first === undefined) return [];
    const send = async (calls: number) => {
      const outcomes = await this.#transport.getBatch(requests.slice(0, calls), signal);
      for (const limit of outcomes.flatMap((one) => limitOf(one) ?? [])) {
        this.#context.scheduler.block(limit.scope, limit.retryAfterMs);
        this.#limitedBy = withScope(this.#limitedBy, limit.scope);
      }
      return outcomes;
    };
    const outcomes = await this.#send(first, requests.length, send, signal);
    const isUnanswered = outcomes.every((one) => 'isUnanswered' in one);
    this.#unansweredBatches = isUnanswered ? this.#unansweredBatches + 1 : 0;
    // Items that reached a limit or were not sent have no outcome: the caller requests them again.
    return outcomes.filter((one) => limitOf(one) === undefined);
  }

  /** Sends a request, or as many items of a batch as there is room for; after a limit, again. */
  async #send<T>(
    request: GraphRequest,
    maxCalls: number,
    send: (calls: number) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { scheduler, known } = this.#context;
    for (;;) {
      const scopes = this.#limitedBy.reduce(withScope, scopesOf(request, known));
      const call: Call = {
        scopes,
        priority: request.priority ?? this.#caller.priority,
        calls: Math.min(maxCalls, scheduler.room(scopes)),
        flow: request.accountId ?? '',
        mode: 'paced',
      };
      await admit(call, this.#caller, this.#context, signal);
      try {
        const sent = await scheduler.send(call, () => send(call.calls), signal);
        if (sent !== undefined) return sent.answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof WaitError)) throw error;
        this.#limitedBy = withScope(this.#limitedBy, error.scope);
      }
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

/** Waits until a call is admitted; after `yieldAfterMs`, without the poll's permit. */
async function admit(
  call: Call,
  { permit, onWait }: Caller,
  { scheduler, clock, telemetry }: Context,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = clock.nowMs();
  const admitted = scheduler.enter(call, signal);
  if (admitted === undefined) return;
  if (!(await endsWithin(admitted, yieldAfterMs, clock))) {
    const endWait = onWait?.(call.scopes);
    try {
      await permit.yieldWhile(admitted, signal);
    } catch (error) {
      // Admitted, but aborted before the poll had its permit again: release the reserved room.
      const release = (): void => {
        scheduler.giveBack(call);
      };
      admitted.then(release, () => undefined);
      throw error;
    } finally {
      endWait?.();
    }
  }
  const durationMs = clock.nowMs() - startedMs;
  if (durationMs > 0) telemetry.report({ type: 'quota-wait', priority: call.priority, durationMs });
}
