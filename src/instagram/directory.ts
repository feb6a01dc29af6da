import type { Account, Login } from '../core/account.ts';
import type { ConnectorError } from '../core/errors.ts';
import { isConnectorError, StopProcessError } from '../core/errors.ts';
import type { AccountDirectory, Graph } from '../runtime/ports.ts';
import type { Listing } from './accounts.ts';
import { findOwnAccount, listPageAccounts } from './accounts.ts';
import type { InstagramOptions } from './options.ts';
import { permissions } from './token-advice.ts';
import type { Tokens } from './tokens.ts';

/** What an allow list leaves of the accounts found. */
export interface NarrowedAccounts {
  readonly accounts: readonly Account[];
  /** Ids of the allow list that the token does not reach. */
  readonly missing: readonly string[];
}

/** Keeps the accounts of the allow list, in the order found; an empty list keeps all. */
export function narrowAccounts(
  found: readonly Account[],
  allowList: readonly string[],
): NarrowedAccounts {
  if (allowList.length === 0) return { accounts: found, missing: [] };
  const reached = new Set(found.map((account) => account.id));
  return {
    accounts: found.filter((account) => allowList.includes(account.id)),
    missing: allowList.filter((id) => !reached.has(id)),
  };
}

/** A directory of the accounts of an allow list. */
export interface NarrowedDirectory extends AccountDirectory {
  /** Lists these accounts alone from the next listing on; all when it is empty. */
  setAccounts(accountIds: readonly string[]): void;
}

/** What the directory is made of. */
export interface DirectoryParts {
  readonly options: Pick<InstagramOptions, 'login' | 'accounts' | 'pageSize'>;
  readonly graph: Pick<Graph, 'get'>;
  readonly tokens: Pick<Tokens, 'names' | 'changed'>;
  /** Told of every account found, by its id. */
  readonly known: Map<string, Account>;
}

/** What one token reaches: as it answers, or why it does not. */
type Reached =
  | { readonly token: string; readonly accounts: readonly Account[] }
  | { readonly token: string; readonly error: ConnectorError };

/**
 * The accounts of the tokens: with Facebook Login those linked to their pages, with Instagram Login
 * their own. Besides `accounts.none`, `list` throws what `Graph.get` throws and DeadLetterError
 * `graph.bad-body` with the path of an id that is not one, when no token can be asked.
 */
export function createDirectory(parts: DirectoryParts): NarrowedDirectory {
  const { options, tokens, known } = parts;
  let allowed = options.accounts;
  /** What each token reached last; goes on while it cannot be asked. */
  const last = new Map<string, readonly Account[]>();
  return {
    setAccounts(accountIds) {
      allowed = accountIds;
    },
    renewed: (signal) => tokens.changed(signal),
    async list(signal) {
      const names = tokens.names();
      const reached = await Promise.all(names.map((token) => reach(token, parts, signal)));
      const failed = reached.filter((one) => 'error' in one);
      const [first] = failed;
      if (failed.length === names.length && first !== undefined) throw first.error;
      for (const one of reached) if ('accounts' in one) last.set(one.token, one.accounts);
      const found = oncePerId(names.flatMap((token) => last.get(token) ?? []));
      for (const account of found) known.set(account.id, account);
      const { accounts, missing } = narrowAccounts(found, allowed);
      // A token that cannot be asked may be the one that reaches them.
      if (accounts.length === 0) throw first?.error ?? noAccounts(options.login, allowed, found);
      return { accounts, problems: [...failed.map(describeFailed), ...describeMissing(missing)] };
    },
  };
}

async function reach(
  token: string,
  { options: { login, pageSize }, graph }: DirectoryParts,
  signal: AbortSignal,
): Promise<Reached> {
  try {
    const found = await listAccounts(login, { graph: withToken(graph, token), pageSize, signal });
    const accounts = token === '' ? found : found.map((account) => ({ ...account, token }));
    return { token, accounts };
  } catch (error) {
    if (signal.aborted || !isConnectorError(error)) throw error;
    return { token, error };
  }
}

/** The accounts that a token reaches; throws what `Graph.get` throws. */
export function listAccounts(login: Login, listing: Listing): Promise<readonly Account[]> {
  return login === 'facebook'
    ? listPageAccounts(listing)
    : findOwnAccount(listing.graph, listing.signal);
}

function withToken(graph: Pick<Graph, 'get'>, token: string): Pick<Graph, 'get'> {
  return { get: (request, signal) => graph.get({ ...request, token }, signal) };
}

/** An account that two pages or two tokens reach is polled once, by the first. */
function oncePerId(found: readonly Account[]): readonly Account[] {
  const accounts = new Map<string, Account>();
  for (const account of found) {
    if (!accounts.has(account.id)) accounts.set(account.id, account);
  }
  return [...accounts.values()];
}

function describeFailed({ token, error }: Extract<Reached, { error: ConnectorError }>): string {
  return `token ${token}: its accounts cannot be listed. ${error.message}`;
}

function describeMissing(missing: readonly string[]): readonly string[] {
  if (missing.length === 0) return [];
  return [
    `INSTAGRAM_ACCOUNTS names ${missing.join(', ')}, which no token reaches: correct it, or give the token's user a role on the account`,
  ];
}

function noAccounts(
  login: Login,
  allowed: readonly string[],
  found: readonly Account[],
): StopProcessError {
  const reached = found.map(({ id, username }) => (username === null ? id : `${id} (${username})`));
  const what =
    found.length === 0
      ? 'the token reaches no Instagram professional account'
      : `none of INSTAGRAM_ACCOUNTS (${allowed.join(', ')}) is reached by the token, which reaches ${reached.join(', ')}`;
  return new StopProcessError('accounts.none', `${what}; check ${checks[login]}`);
}

const checks = {
  facebook: `that the account is professional and linked to a Facebook page, that the token is a user's or a system user's (not a page's) with a role on that page, and that it has the permissions ${permissions.facebook.join(', ')} (business_management too where the role comes through a Business Manager); an Instagram Login token needs INSTAGRAM_LOGIN=instagram`,
  instagram: `that the account is professional and that the token has the permissions ${permissions.instagram.join(', ')}; a Facebook Login token needs INSTAGRAM_LOGIN=facebook`,
} as const;
