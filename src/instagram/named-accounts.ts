import type { Account } from '../engine/account.ts';
import type { ConnectorError } from '../engine/errors.ts';
import type { Graph } from '../engine/ports.ts';
import type { FoundAccounts } from './account-nodes.ts';
import { isOfAccount, requestEach } from './accounts-by-id.ts';
import type { Tokens } from './tokens/tokens.ts';

/** Accounts requested by their ids. */
export interface NamedAccounts extends FoundAccounts {
  /** The ids whose errors are not about the account itself. */
  readonly failed: ReadonlySet<string>;
  /** The first of these errors. */
  readonly error: ConnectorError | undefined;
}

/**
 * Creates a search by id for named accounts that are in no token's list, as a system user's. A
 * previously found account is kept while its requests fail with errors of another subject.
 */
export function createNamedSearch(graph: Pick<Graph, 'get'>, tokens: Pick<Tokens, 'names'>) {
  const previous = new Map<string, Account>();
  return async (ids: readonly string[], signal: AbortSignal): Promise<NamedAccounts> => {
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
    const problems = [...errors].map(([id, error]) => `account ${id}: ${error.message}`);
    const [error] = errors.values();
    return { accounts: [...found.values()], problems, failed: new Set(errors.keys()), error };
  };
}

/** Creates a graph that makes its requests with one token. */
export function withToken(graph: Pick<Graph, 'get'>, token: string): Pick<Graph, 'get'> {
  return { get: (request, signal) => graph.get({ ...request, token }, signal) };
}

/** Adds to an account the name of the token that reaches it. */
export function reachedBy(token: string): (account: Account) => Account {
  return (account) => (token === '' ? account : { ...account, token });
}
