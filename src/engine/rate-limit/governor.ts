import type { Account } from '../account.ts';
import type { Scope } from '../errors.ts';
import { isConnectorError, WaitError } from '../errors.ts';
import type { Priority } from './quota.ts';
import type { Admission, Applicant, Place } from './admission.ts';
import { createAdmission } from './admission.ts';
import type { Control } from './get-each.ts';
import { getEach } from './get-each.ts';
import type {
  BatchOutcome,
  Clock,
  Graph,
  GraphRequest,
  BatchTransport,
  OnUsage,
  Telemetry,
} from '../ports.ts';
import type { Departure, Scopes } from './scopes.ts';
import { createScopes, scopesOf } from './scopes.ts';
import { createSteadyClock } from '../steady-clock.ts';
import type { Turn, Turns } from './turns.ts';
import { createTurns } from './turns.ts';

/** The poll of an account that makes requests. */
export interface Caller {
  readonly account: Account;
  /** The priority of requests that set none. */
  readonly priority: Priority;
  /** The poll's permit to run; other polls get it while a request of this one waits. */
  readonly turn: Turn;
}

/**
 * The rate limiter: decides by the quotas of the tokens which request is sent now, which waits, and
 * for how long. No request of a blocked scope is sent; after a block, one request alone probes the API.
 */
export interface Governor {
  /**
   * The API for a poll. Each request waits until its scopes have room for its calls; a batch has as
   * many items as there is room for. A request that the API rejects for a limit is sent again when
   * the limit ends. Aborting a request's signal ends its wait.
   *
   * @throws as `Graph`, except WaitError
   */
  govern(transport: BatchTransport, caller: Caller): Graph;
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
const patienceMs = 1000;
/** After so many batches in a row without an answer to any item, a poll sends single requests. */
const mostUnansweredBatches = 3;

interface Desk {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly scopes: Scopes;
  readonly admission: Admission;
  /** The permits of requests: each request holds one while it is in flight. */
  readonly lines: Turns;
  /** The accounts that have made requests, by id. */
  readonly known: Map<string, Account>;
}

/** The dependencies of a governor. */
export interface GovernorTools extends Pick<Desk, 'clock' | 'telemetry'> {
  /** The most requests in flight at once, at least 1. */
  readonly maxConcurrentRequests: number;
}

/** Creates a governor that has received no usage yet. */
export function createGovernor(tools: GovernorTools): Governor {
  // A host's clock that is set back must not extend a limit.
  const clock = createSteadyClock(tools.clock);
  const scopes = createScopes({ ...tools, clock });
  const known = new Map<string, Account>();
  const admission = createAdmission(scopes, clock);
  const lines = createTurns(tools.maxConcurrentRequests);
  const desk: Desk = { ...tools, clock, scopes, known, admission, lines };
  return {
    govern(transport, caller) {
      known.set(caller.account.id, caller.account);
      const governed = governedTransport(transport, { desk, caller });
      const control: Control = {};
      return {
        async get(request, signal) {
          const node = await governed.get(request, signal);
          control.request = request;
          return node;
        },
        getEach: (requests, signal) => getEach(governed, requests, signal, control),
      };
    },
    guard: (transport) => ({
      get: (request, signal) => askUnlessBlocked(transport, request, { desk, signal }),
    }),
    ready(account, priority, signal) {
      known.set(account.id, account);
      const request = { accountId: account.id };
      const applicant = {
        scopes: scopesOf(request, known),
        priority,
        calls: 1,
        share: account.id,
        manner: 'look',
      } as const;
      return desk.admission.enter(applicant, signal).admitted;
    },
    block(scope, ms) {
      scopes.refuse(scope, ms);
      desk.admission.review();
    },
    onUsage(report) {
      scopes.tell(report);
      desk.admission.review();
    },
  };
}

interface Governed {
  readonly desk: Desk;
  readonly caller: Caller;
  /** Scopes whose limits the poll's requests met, also those that `scopesOf` does not list. */
  met: readonly Scope[];
}

function governedTransport(
  transport: BatchTransport,
  { desk, caller }: { desk: Desk; caller: Caller },
): BatchTransport {
  const governed: Governed = { desk, caller, met: [] };
  let unansweredBatches = 0;
  return {
    get batchSize() {
      return unansweredBatches < mostUnansweredBatches ? transport.batchSize : 1;
    },
    get: (request, signal) =>
      patiently(request, 1, () => transport.get(request, signal), { governed, signal }),
    async getBatch(requests, signal) {
      const [first] = requests;
      if (first === undefined) return [];
      const send = async (calls: number) => {
        const outcomes = await transport.getBatch(requests.slice(0, calls), signal);
        for (const limit of outcomes.flatMap((one) => limitOf(one) ?? [])) {
          desk.scopes.refuse(limit.scope, limit.retryAfterMs);
          governed.met = withScope(governed.met, limit.scope);
        }
        return outcomes;
      };
      const outcomes = await patiently(first, requests.length, send, { governed, signal });
      const isUnanswered = outcomes.every((one) => 'isUnanswered' in one);
      unansweredBatches = isUnanswered ? unansweredBatches + 1 : 0;
      // Items that met a limit, and items not sent, have no outcome: the caller requests them again.
      return outcomes.filter((one) => limitOf(one) === undefined);
    },
  };
}

/** Sends a request, or as many items of a batch as the quota has room for; after a limit, again. */
async function patiently<T>(
  request: GraphRequest,
  wanted: number,
  send: (calls: number) => Promise<T>,
  { governed, signal }: { readonly governed: Governed; readonly signal: AbortSignal },
): Promise<T> {
  const { desk, caller } = governed;
  for (;;) {
    const scopes = governed.met.reduce(withScope, scopesOf(request, desk.known));
    const applicant: Applicant = {
      scopes,
      priority: request.priority ?? caller.priority,
      calls: Math.min(wanted, desk.scopes.room(scopes)),
      share: request.accountId ?? '',
      manner: 'spaced',
    };
    await admit(applicant, { desk, turn: caller.turn, signal });
    try {
      const leave = () => send(applicant.calls);
      const sent = await whenFree(leave, { desk, applicant, signal });
      if (sent !== undefined) return sent.answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof WaitError)) throw error;
      governed.met = withScope(governed.met, error.scope);
    }
  }
}

function limitOf(outcome: BatchOutcome): WaitError | undefined {
  return 'error' in outcome && outcome.error instanceof WaitError ? outcome.error : undefined;
}

/** Adds a scope whose limit was met, unless it is listed. */
function withScope(scopes: readonly Scope[], scope: Scope): readonly Scope[] {
  const isIn = scopes.some(({ kind, id }) => kind === scope.kind && id === scope.id);
  return isIn ? scopes : [...scopes, scope];
}

/** Waits for the admission; after `patienceMs`, without the poll's permit. */
async function admit(
  applicant: Applicant,
  { desk, turn, signal }: { desk: Desk; turn: Turn; signal: AbortSignal },
): Promise<void> {
  const { admission, clock, telemetry } = desk;
  const startedMs = clock.nowMs();
  const place = admission.enter(applicant, signal);
  if (place.immediate) return;
  if (await isSlow(place.admitted, clock)) await lendTurn(place, applicant, { desk, turn, signal });
  const durationMs = clock.nowMs() - startedMs;
  if (durationMs > 0) {
    telemetry.report({ type: 'quota-wait', priority: applicant.priority, durationMs });
  }
}

async function lendTurn(
  { admitted }: Place,
  applicant: Applicant,
  { desk, turn, signal }: { desk: Desk; turn: Turn; signal: AbortSignal },
): Promise<void> {
  try {
    await turn.lend(admitted, signal);
  } catch (error) {
    // Admitted, but aborted before the poll had its permit again: give the reserved room back.
    admitted.then(
      () => {
        desk.admission.leave(applicant);
      },
      () => undefined,
    );
    throw error;
  }
}

async function isSlow(entering: Promise<void>, clock: Clock): Promise<boolean> {
  const patience = new AbortController();
  try {
    return await Promise.race([
      entering.then(() => false),
      clock.sleep(patienceMs, patience.signal).then(() => true),
    ]);
  } finally {
    patience.abort();
  }
}

/**
 * Sends an admitted request as soon as a request permit is free; a limit that it meets blocks its
 * scope. Undefined when the quota no longer allows the request by then: nothing was sent.
 */
async function whenFree<T>(
  send: () => Promise<T>,
  { desk, applicant, signal }: { desk: Desk; applicant: Applicant; signal: AbortSignal },
): Promise<{ readonly answer: T } | undefined> {
  const { scopes, admission, lines } = desk;
  let departure: Departure | undefined;
  try {
    return await lines.take(async () => {
      departure = scopes.depart(applicant);
      return departure && { answer: await exchange(send, { scopes, departure }) };
    }, signal);
  } finally {
    if (departure === undefined) admission.leave(applicant);
    else admission.review();
  }
}

/** Sends a request that is counted as in flight, and records how it ended. */
async function exchange<T>(
  send: () => Promise<T>,
  { scopes, departure }: { scopes: Scopes; departure: Departure },
): Promise<T> {
  let answered = false;
  try {
    const answer = await send();
    answered = true;
    return answer;
  } catch (error) {
    if (error instanceof WaitError) scopes.refuse(error.scope, error.retryAfterMs);
    answered = isAnswer(error);
    throw error;
  } finally {
    scopes.arrive(departure, answered);
  }
}

/** True for an error that shows that the API took the call: no limit, no transient failure. */
function isAnswer(error: unknown): boolean {
  if (!isConnectorError(error)) return false;
  return error.disposition !== 'wait' && error.disposition !== 'retry';
}

async function askUnlessBlocked(
  transport: Pick<Graph, 'get'>,
  request: GraphRequest,
  { desk, signal }: { desk: Desk; signal: AbortSignal },
) {
  const applicant: Applicant = {
    scopes: scopesOf(request, desk.known),
    priority: 'normal',
    calls: 1,
    share: '',
    manner: 'unspaced',
  };
  for (;;) {
    const blocked = desk.scopes.blocked(applicant.scopes);
    if (blocked !== undefined) throw stillBlocked(request, blocked);
    await desk.admission.enter(applicant, signal).admitted;
    const send = () => transport.get(request, signal);
    const sent = await whenFree(send, { desk, applicant, signal });
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
