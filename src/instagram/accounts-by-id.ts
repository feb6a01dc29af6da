import type { Account } from '../engine/account.ts';
import {
  type ConnectorError,
  isConnectorError,
  SkipError,
  StopAccountError,
} from '../engine/errors.ts';
import type { Node } from '../engine/json.ts';
import type { Graph } from '../engine/ports.ts';
import { type FoundAccounts, readAccount } from './account-nodes.ts';
import type { TokenFacts } from './api/oauth.ts';
import type { Tokens } from './tokens/tokens.ts';

export interface Grants {
  /** Inspects the token. @throws as `OAuth.inspect` */
  readonly inspect: (signal: AbortSignal) => Promise<TokenFacts>;
  readonly nowMs: () => number;
}

interface LookupContext {
  readonly graph: Pick<Graph, 'get'>;
  readonly signal: AbortSignal;
}

type RequestedAccount =
  | { readonly id: string; readonly account: Account }
  | { readonly id: string; readonly error: ConnectorError };

const atOnce = 10;

/** Requests accounts by their ids; results in the order of the ids, each with its own error. */
async function requestEach(
  ids: readonly string[],
  context: LookupContext,
): Promise<readonly RequestedAccount[]> {
  const requested: RequestedAccount[] = [];
  for (let start = 0; start < ids.length; start += atOnce) {
    const chunk = ids.slice(start, start + atOnce).map((id) => requestOne(id, context));
    for (const one of await Promise.all(chunk)) requested.push(one);
  }
  return requested;
}

async function requestOne(id: string, context: LookupContext): Promise<RequestedAccount> {
  try {
    return { id, account: readAccount(await getAccount(id, context), id) };
  } catch (error) {
    if (context.signal.aborted || !isConnectorError(error)) throw error;
    return { id, error };
  }
}

async function getAccount(id: string, { graph, signal }: LookupContext): Promise<Node> {
  const get = (fields: string): Promise<Node> => {
    const query = { fields };
    return graph.get({ endpoint: '/{account}', path: `/${id}`, query, accountId: id }, signal);
  };
  try {
    return await get('id,username');
  } catch (error) {
    if (error instanceof SkipError && error.code === 'graph.field-refused') return get('id');
    throw error;
  }
}

/** Returns true for an error of the account itself: not transient, and not of a limit or the token. */
function isOfAccount({ disposition }: ConnectorError): boolean {
  return !['retry', 'wait', 'stop-account'].includes(disposition);
}

/**
 * Returns the accounts granted to a token without pages.
 * @throws as `liveFacts`; the first error that is not about a single account
 */
export async function findGranted(grants: Grants, context: LookupContext): Promise<FoundAccounts> {
  const facts = await liveFacts(grants, context.signal);
  const accounts: Account[] = [];
  const problems: string[] = [];
  for (const one of await requestEach(facts?.accountIds ?? [], context)) {
    if ('account' in one) accounts.push(one.account);
    else if (isOfAccount(one.error)) problems.push(`account ${one.id}: ${one.error.message}`);
    else throw one.error;
  }
  return { accounts, problems };
}

/**
 * Returns Meta's facts about a token; null when this app may not inspect it.
 * @throws StopAccountError `graph.token` when its access to data has expired; RetryError and
 * WaitError as `OAuth.inspect`
 */
export async function liveFacts(
  { inspect, nowMs }: Grants,
  signal: AbortSignal,
): Promise<TokenFacts | null> {
  const facts = await inspect(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (!isConnectorError(error)) throw error;
    if (error.disposition === 'retry' || error.disposition === 'wait') throw error;
    return null;
  });
  const untilMs = facts?.dataAccessUntilMs ?? null;
  if (untilMs === null || untilMs > nowMs()) return facts;
  throw new StopAccountError(
    'graph.token',
    `the token reaches no account: its access to data expired at ${new Date(untilMs).toISOString()}; its user must log in again (instagram-kafka login)`,
  );
}

/**
 * Creates a search by id for named accounts that are in no token's list, as a system user's. A
 * previously found account is kept while its requests fail with errors of another subject.
 */
export function createNamedSearch(graph: Pick<Graph, 'get'>, tokens: Pick<Tokens, 'names'>) {
  const previous = new Map<string, Account>();
  return async (ids: readonly string[], signal: AbortSignal) => {
    const found = new Map<string, Account>();
    const errors = new Map<string, ConnectorError>();
    const missing = (): readonly string[] => ids.filter((id) => !found.has(id));
    for (const token of tokens.names()) {
      const context = { graph: withToken(graph, token), signal };
      for (const one of await requestEach(missing(), context)) {
        if ('account' in one) found.set(one.id, reachedBy(token)(one.account));
        else if (!isOfAccount(one.error)) errors.set(one.id, one.error);
      }
    }
    for (const id of found.keys()) errors.delete(id);
    for (const id of errors.keys()) {
      const account = previous.get(id);
      if (account !== undefined) found.set(id, account);
    }
    previous.clear();
    for (const [id, account] of found) previous.set(id, account);
    // These errors are not about the accounts themselves.
    const problems = [...errors].map(([id, error]) => `account ${id}: ${error.message}`);
    const [error] = errors.values();
    return { accounts: [...found.values()], problems, failed: new Set(errors.keys()), error };
  };
}

export function withToken(graph: Pick<Graph, 'get'>, token: string): Pick<Graph, 'get'> {
  return { get: (request, signal) => graph.get({ ...request, token }, signal) };
}

/** Adds to an account the name of the token that reaches it. */
export function reachedBy(token: string): (account: Account) => Account {
  return (account) => (token === '' ? account : { ...account, token });
}
