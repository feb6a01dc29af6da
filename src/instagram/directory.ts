import type { Account } from '../engine/account.ts';
import { type ClassifiedError, isClassifiedError, StopProcessError } from '../engine/errors.ts';
import type { AccountDirectory, Clock, Graph } from '../engine/ports.ts';
import {
  type FoundAccounts,
  type Grants,
  createNamedSearch,
  listAccounts,
  liveFacts,
  reachedBy,
  withToken,
} from './accounts.ts';
import type { OAuth } from './api/oauth.ts';
import type { InstagramOptions } from './options.ts';
import { permissions } from './token-advice.ts';
import type { Tokens } from './tokens/tokens.ts';

/** Keeps the accounts of the allow list; an empty list keeps all. No token reaches `missing`. */
export function narrowAccounts(found: readonly Account[], allowList: readonly string[]) {
  if (allowList.length === 0) return { accounts: found, missing: [] };
  const reached = new Set(found.map((account) => account.id));
  return {
    accounts: found.filter((account) => allowList.includes(account.id)),
    missing: allowList.filter((id) => !reached.has(id)),
  };
}

export interface NarrowedDirectory extends AccountDirectory {
  /** Restricts the next listings to these accounts; an empty list removes the restriction. */
  setAccounts(accountIds: readonly string[]): void;
}

interface DirectoryParts {
  readonly options: Pick<InstagramOptions, 'login' | 'accounts' | 'pageSize'>;
  readonly graph: Pick<Graph, 'get'>;
  readonly tokens: Pick<Tokens, 'names' | 'text' | 'changed'>;
  readonly clock: Clock;
  readonly oauth: Pick<OAuth, 'inspect'>;
  /** The map that receives every found account, by its id. */
  readonly known: Map<string, Account>;
  /** Aborted when the adapter is closed. */
  readonly closing: AbortSignal;
}

type ListingOutcome =
  | ({ readonly token: string } & FoundAccounts)
  | { readonly token: string; readonly error: ClassifiedError };

/**
 * Creates a directory of the tokens' accounts: those listed, granted or named. Besides
 * `accounts.none`, `list` throws as `listAccounts` when no token's accounts can be listed.
 */
export function createDirectory(parts: DirectoryParts): NarrowedDirectory {
  const { tokens, known } = parts;
  const { login } = parts.options;
  let allowed = parts.options.accounts;
  /** The last listed accounts of each token; used while the listing fails. */
  const last = new Map<string, readonly Account[]>();
  const findNamed = createNamedSearch(parts.graph, tokens);
  return {
    setAccounts(accountIds) {
      allowed = accountIds;
    },
    renewed: (signal) => tokens.changed(signal),
    async list(signal) {
      const names = tokens.names();
      const allowList = allowed;
      const reached = await Promise.all(
        names.map((token) => listReached(token, parts, allowList.length > 0, signal)),
      );
      const failed = reached.filter((one) => 'error' in one);
      const [first] = failed;
      if (failed.length === names.length && first !== undefined) throw first.error;
      for (const one of reached) if ('accounts' in one) last.set(one.token, one.accounts);
      const listed = oncePerId(names.flatMap((token) => last.get(token) ?? []));
      const sought = login === 'facebook' ? narrowAccounts(listed, allowList).missing : [];
      const named = await findNamed(sought, signal);
      const found = [...listed, ...named.accounts];
      for (const account of found) known.set(account.id, account);
      const { accounts, missing } = narrowAccounts(found, allowList);
      const unlisted = failed.map(
        ({ token, error }) => `token ${token}: its accounts cannot be listed. ${error.message}`,
      );
      const problems = [...unlisted, ...named.problems];
      const warnings = reached.flatMap((one) => ('accounts' in one ? one.problems : []));
      if (accounts.length === 0) {
        // A token whose listing failed may be the one that reaches the accounts.
        const error = first?.error ?? named.error;
        const listing = { allowed: allowList, found, problems: [...problems, ...warnings], error };
        throw await noAccountsError(parts, listing, signal);
      }
      const gone = missing.filter((id) => !named.failed.has(id));
      return { accounts, problems: [...problems, ...describeMissing(gone)], warnings };
    },
  };
}

/** @param isNarrowed - named accounts that are missing from the list are requested by id */
async function listReached(
  token: string,
  parts: DirectoryParts,
  isNarrowed: boolean,
  signal: AbortSignal,
): Promise<ListingOutcome> {
  const { login, pageSize } = parts.options;
  const listing = { graph: withToken(parts.graph, token), pageSize, signal };
  const grants = isNarrowed ? {} : { grants: grantsOf(token, parts) };
  try {
    const { accounts, problems } = await listAccounts(login, { ...listing, ...grants });
    return { token, accounts: accounts.map(reachedBy(token)), problems };
  } catch (error) {
    if (signal.aborted || !isClassifiedError(error)) throw error;
    return { token, error };
  }
}

function grantsOf(token: string, { oauth, tokens, clock, closing }: DirectoryParts): Grants {
  return {
    inspect: (signal) => oauth.inspect(tokens.text(token), AbortSignal.any([signal, closing])),
    nowMs: () => clock.nowMs(),
  };
}

/** Removes duplicates: an account that two pages or tokens reach is polled by the first only. */
function oncePerId(found: readonly Account[]): readonly Account[] {
  return [...Map.groupBy(found, ({ id }) => id).values()].flatMap((same) => same.slice(0, 1));
}

function describeMissing(missing: readonly string[]): readonly string[] {
  if (missing.length === 0) return [];
  return [
    `INSTAGRAM_ACCOUNTS names ${missing.join(', ')}, which no token reaches: correct it, or give the token's user a role on the account`,
  ];
}

interface EmptyListing {
  readonly allowed: readonly string[];
  readonly found: readonly Account[];
  readonly problems: readonly string[];
  readonly error: ClassifiedError | undefined;
}

/** Creates the error of an empty listing. @throws StopAccountError when the access to data has expired */
async function noAccountsError(
  parts: DirectoryParts,
  { allowed, found, problems, error }: EmptyListing,
  signal: AbortSignal,
): Promise<ClassifiedError> {
  const { tokens, options } = parts;
  if (error !== undefined) return error;
  // Without named accounts, `listAccounts` has already inspected the grants.
  if (options.login === 'facebook' && allowed.length > 0 && found.length === 0) {
    for (const token of tokens.names()) await liveFacts(grantsOf(token, parts), signal);
  }
  const reached = found.map(({ id, username }) => (username === null ? id : `${id} (${username})`));
  const problem =
    found.length === 0
      ? 'the token reaches no Instagram professional account'
      : `none of INSTAGRAM_ACCOUNTS (${allowed.join(', ')}) is reached by the token, which reaches ${reached.join(', ')}`;
  const details = problems.map((one) => `${one}; `).join('');
  return new StopProcessError(
    'accounts.none',
    `${problem}; ${details}check ${checks[options.login]}`,
  );
}

const checks = {
  facebook: `that the account is professional and linked to a Facebook page, that the token is a user's or a system user's (not a page's) with a role on that page, and that it has the permissions ${permissions.facebook.join(', ')} (business_management too where the role comes through a Business Manager); name the accounts of a system user without pages in INSTAGRAM_ACCOUNTS; an Instagram Login token needs INSTAGRAM_LOGIN=instagram`,
  instagram: `that the account is professional and that the token has the permissions ${permissions.instagram.join(', ')}; a Facebook Login token needs INSTAGRAM_LOGIN=facebook`,
} as const;
