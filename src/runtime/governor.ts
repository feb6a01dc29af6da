import type { Account } from '../core/account.ts';
import type { Scope } from '../core/errors.ts';
import { isConnectorError, WaitError } from '../core/errors.ts';
import type { Priority } from '../core/quota.ts';
import type { Admission, Applicant, Place } from './admission.ts';
import { createAdmission } from './admission.ts';
import { getEach } from './get-each.ts';
import type {
  BatchOutcome,
  Clock,
  Graph,
  GraphRequest,
  GraphTransport,
  OnUsage,
  Telemetry,
} from './ports.ts';
import type { Departure, Scopes } from './scopes.ts';
import { createScopes, scopesOf } from './scopes.ts';
import { createSteadyClock } from './steady-clock.ts';
import type { Turn, Turns } from './turns.ts';
import { createTurns } from './turns.ts';

/** Who makes requests: a poll of an account. */
export interface Caller {
  readonly account: Account;
  /** Of the requests that name none. */
  readonly priority: Priority;
  /** Lent to others while a request of the poll waits. */
  readonly turn: Turn;
}

/**
 * Spends the quotas of the tokens: who may ask now, who waits, and for how long. No request is made
 * in a scope while it is blocked; when a block is over, one alone finds out whether it is.
 */
export interface Governor {
  /**
   * The API for a poll: each request waits until its scopes have room for its calls, and a batch is
   * as large as that room. A request that meets a limit is sent again when the limit is over.
   * Aborting a request's signal ends its wait.
   *
   * @throws as `Graph`, but no WaitError
   */
  govern(transport: GraphTransport, caller: Caller): Graph;
  /** Throws WaitError in place of sending a request in a blocked scope, for who does not wait. */
  guard(transport: Pick<GraphTransport, 'get'>): Pick<GraphTransport, 'get'>;
  /** Resolves when a request of the account may go; rejects with the signal's reason. */
  ready(account: Account, priority: Priority, signal: AbortSignal): Promise<void>;
  /** Nothing in the scope is asked for `ms`. */
  block(scope: Scope, ms: number): void;
  /** Takes in what an answer told. */
  readonly onUsage: OnUsage;
}

/** A request that waits longer lends its poll's turn to others. */
const patienceMs = 1000;

interface Desk {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly scopes: Scopes;
  readonly admission: Admission;
  /** A request has one while it is under way. */
  readonly lines: Turns;
  /** The accounts that have asked, by id. */
  readonly known: Map<string, Account>;
}

/** What a governor works with. */
export interface GovernorTools extends Pick<Desk, 'clock' | 'telemetry'> {
  /** Requests under way at once, at least 1. */
  readonly maxConcurrentRequests: number;
}

/** Knows of no usage yet. */
export function createGovernor(tools: GovernorTools): Governor {
  // A host's clock that is set back must not make a limit last longer by as much.
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
      return {
        get: governed.get,
        getEach: (requests, signal) => getEach(governed, requests, signal),
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
  /** Limits that requests of the poll met, whether they were thought to apply or not. */
  met: readonly Scope[];
}

function governedTransport(
  transport: GraphTransport,
  { desk, caller }: { desk: Desk; caller: Caller },
): GraphTransport {
  const governed: Governed = { desk, caller, met: [] };
  return {
    get batchSize() {
      return transport.batchSize;
    },
    get answeredBy() {
      return transport.answeredBy;
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
      // What met a limit waits for its end, with what was not sent.
      return outcomes.filter((one) => limitOf(one) === undefined);
    },
  };
}

/** Sends a request, or as many calls of a batch as the quota has room for, when it has; again after a limit. */
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

/** A limit that was met applies, whatever was thought to. */
function withScope(scopes: readonly Scope[], scope: Scope): readonly Scope[] {
  const isIn = scopes.some(({ kind, id }) => kind === scope.kind && id === scope.id);
  return isIn ? scopes : [...scopes, scope];
}

/** Waits for the admission; without the turn, when that takes long. */
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
    // Admitted by the quota, but aborted before there was a turn again: the place is given up.
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
 * Sends a request that is admitted, as soon as there is a line for it; a limit that it meets blocks
 * its scope. Undefined when it may not go any more by then: nothing was sent.
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

/** A request that has left, until it arrives. */
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

/** Whether an error shows that the call was let through. */
function isAnswer(error: unknown): boolean {
  if (!isConnectorError(error)) return false;
  return error.disposition !== 'wait' && error.disposition !== 'retry';
}

async function askUnlessBlocked(
  transport: Pick<GraphTransport, 'get'>,
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
