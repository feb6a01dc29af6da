import type { Account } from '../core/account.ts';
import type { Scope } from '../core/errors.ts';
import { isConnectorError, SkipError, WaitError } from '../core/errors.ts';
import type { Node } from '../core/json.ts';
import type { Priority } from '../core/quota.ts';
import type { Admission, Applicant, Place } from './admission.ts';
import { createAdmission } from './admission.ts';
import type { Clock, Graph, GraphRequest, OnUsage, Telemetry } from './ports.ts';
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
   * The same API, each request admitted when its scopes have room for it. A request that meets a
   * limit is made again when the limit is over. Aborting a request's signal ends its wait.
   *
   * @throws as `Graph.get`, but no WaitError; SkipError `graph.rate-limited` for a request of several
   * accounts that would have to wait for one of them, as each can ask for itself
   */
  govern(graph: Graph, caller: Caller): Graph;
  /**
   * The same API for who does not wait for a limit: throws WaitError in place of asking in a blocked
   * scope.
   */
  guard(graph: Graph): Graph;
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
    govern(graph, caller) {
      known.set(caller.account.id, caller.account);
      return { get: (request, signal) => askPatiently(graph, request, { desk, caller, signal }) };
    },
    guard: (graph) => ({
      get: (request, signal) => askUnlessBlocked(graph, request, { desk, signal }),
    }),
    ready(account, priority, signal) {
      known.set(account.id, account);
      const request = { endpoint: '', path: '', query: {}, accountId: account.id };
      const applicant = {
        scopes: scopesOf(request, known),
        priority,
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

async function askPatiently(
  graph: Graph,
  request: GraphRequest,
  { desk, caller, signal }: { desk: Desk; caller: Caller; signal: AbortSignal },
): Promise<Node> {
  let applicant: Applicant = {
    scopes: scopesOf(request, desk.known),
    priority: request.priority ?? caller.priority,
    share: request.accountId ?? '',
    manner: 'spaced',
  };
  const isShared = applicant.scopes.filter(({ kind }) => kind === 'account').length > 1;
  for (;;) {
    const isIn = await admit(applicant, { desk, turn: isShared ? null : caller.turn, signal });
    const outcome = isIn ? await askOrMeet(graph, request, { desk, applicant, signal }) : {};
    if (outcome.node !== undefined) return outcome.node;
    if (isShared) throw apart(request);
    const { limit } = outcome;
    if (limit) applicant = { ...applicant, scopes: withScope(applicant.scopes, limit) };
  }
}

/** What came of an admitted call: the answer, the scope whose limit it met, or that it did not go. */
async function askOrMeet(
  graph: Graph,
  request: GraphRequest,
  at: { desk: Desk; applicant: Applicant; signal: AbortSignal },
): Promise<{ readonly node?: Node | undefined; readonly limit?: Scope }> {
  try {
    return { node: await ask(graph, request, at) };
  } catch (error) {
    at.signal.throwIfAborted();
    if (error instanceof WaitError) return { limit: error.scope };
    throw error;
  }
}

/** One account's limit must not hold another back (Invariant 8). */
function apart({ endpoint }: GraphRequest): SkipError {
  return new SkipError(
    'graph.rate-limited',
    `${endpoint}: not asked for several accounts at once, as the limit of one is near or reached`,
  );
}

/** A limit that was met applies, whatever was thought to. */
function withScope(scopes: readonly Scope[], scope: Scope): readonly Scope[] {
  const isIn = scopes.some(({ kind, id }) => kind === scope.kind && id === scope.id);
  return isIn ? scopes : [...scopes, scope];
}

/**
 * Waits for the admission, without the turn when that takes long; false when there is no turn to
 * lend and so no more patience.
 */
async function admit(
  applicant: Applicant,
  { desk, turn, signal }: { desk: Desk; turn: Turn | null; signal: AbortSignal },
): Promise<boolean> {
  const { admission, clock, telemetry } = desk;
  const startedMs = clock.nowMs();
  const place = admission.enter(applicant, signal);
  if (place.immediate) return true;
  if (await isSlow(place.admitted, clock)) {
    if (turn !== null) await lendTurn(place, applicant, { desk, turn, signal });
    else if (place.leave()) return false;
  }
  const durationMs = clock.nowMs() - startedMs;
  if (durationMs > 0) {
    telemetry.report({ type: 'quota-wait', priority: applicant.priority, durationMs });
  }
  return true;
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
 * One request of who is admitted, as soon as there is a line for it; a limit that it meets blocks
 * its scope. Undefined when it may not go any more by then: nothing was asked.
 */
async function ask(
  graph: Graph,
  request: GraphRequest,
  { desk, applicant, signal }: { desk: Desk; applicant: Applicant; signal: AbortSignal },
): Promise<Node | undefined> {
  const { scopes, admission, lines } = desk;
  let departure: Departure | undefined;
  try {
    return await lines.take(async () => {
      departure = scopes.depart(applicant);
      if (departure === undefined) return undefined;
      return await exchange(graph, request, { scopes, departure, signal });
    }, signal);
  } finally {
    if (departure === undefined) admission.leave(applicant);
    else admission.review();
  }
}

/** A call that has left, until it arrives. */
async function exchange(
  graph: Graph,
  request: GraphRequest,
  { scopes, departure, signal }: { scopes: Scopes; departure: Departure; signal: AbortSignal },
): Promise<Node> {
  let answered = false;
  try {
    const node = await graph.get(request, signal);
    answered = true;
    return node;
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
  graph: Graph,
  request: GraphRequest,
  { desk, signal }: { desk: Desk; signal: AbortSignal },
): Promise<Node> {
  const applicant: Applicant = {
    scopes: scopesOf(request, desk.known),
    priority: 'normal',
    share: '',
    manner: 'unspaced',
  };
  for (;;) {
    const blocked = desk.scopes.blocked(applicant.scopes);
    if (blocked !== undefined) throw stillBlocked(request, blocked);
    await desk.admission.enter(applicant, signal).admitted;
    const node = await ask(graph, request, { desk, applicant, signal });
    if (node !== undefined) return node;
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
