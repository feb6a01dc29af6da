import type { Account } from '../engine/account.ts';
import { type ClassifiedError, StopProcessError } from '../engine/errors.ts';
import type { AccountDirectory, Clock, Graph } from '../engine/ports.ts';
import {
  type AccountChoice,
  chooseAccounts,
  describeMissing,
  isId,
  settingNamesOf,
  suggestions,
} from './account-choice.ts';
import {
  type Grants,
  type ListOutcome,
  createNamedSearch,
  listToken,
  liveFacts,
  reachedBy,
  withToken,
} from './accounts.ts';
import type { OAuth } from './api/oauth.ts';
import type { InstagramOptions } from './options.ts';
import { permissions } from './token-advice.ts';
import type { Tokens } from './tokens/tokens.ts';

export interface NarrowedDirectory extends AccountDirectory {
  /** Changes the choice of accounts, from the next listing on. */
  setAccounts(changes: Partial<AccountChoice>): void;
  /** The last listing's accounts by id; undefined before the first. */
  listed(): ReadonlyMap<string, Account> | undefined;
}

interface DirectoryParts {
  readonly options: Pick<
    InstagramOptions,
    'login' | 'businesses' | 'pageSize' | keyof AccountChoice
  >;
  readonly graph: Pick<Graph, 'get'>;
  readonly tokens: Pick<Tokens, 'names' | 'text' | 'changed'>;
  readonly clock: Clock;
  readonly oauth: Pick<OAuth, 'inspect'>;
  /** The map that receives every found account, by its id. */
  readonly known: Map<string, Account>;
  /** Aborted when the adapter is closed. */
  readonly closing: AbortSignal;
}

/**
 * Creates a directory of the tokens' accounts: those listed, granted or named. Besides
 * `accounts.none`, `list` throws as `listToken` when none of the lists can be read.
 */
export function createDirectory(parts: DirectoryParts): NarrowedDirectory {
  const { tokens, known } = parts;
  const { login } = parts.options;
  let choice: AccountChoice = parts.options;
  let last: ReadonlyMap<string, Account> | undefined;
  const readLists = createListReader(parts);
  const findNamed = createNamedSearch(parts.graph, tokens);
  return {
    setAccounts(changes) {
      choice = { ...choice, ...changes };
    },
    listed: () => last,
    renewed: (signal) => tokens.changed(signal),
    async list(signal) {
      const chosen = choice;
      // Named accounts that are missing from the lists are requested by id.
      const usesGrants = chosen.accounts.length === 0 || !chosen.accounts.every(isId);
      const lists = await readLists(usesGrants, signal);
      const listed = oncePerId(lists.accounts);
      const unlisted = chooseAccounts(listed, chosen).missing.filter(isId);
      const named = await findNamed(login === 'facebook' ? unlisted : [], signal);
      const found = [...listed, ...named.accounts];
      for (const account of found) known.set(account.id, account);
      const { accounts, missing, warnings } = chooseAccounts(found, chosen);
      const failures = [...lists.problems, ...named.problems];
      const allWarnings = [...lists.warnings, ...warnings];
      if (accounts.length === 0) {
        // A list that failed may be the one that has the accounts.
        const error = lists.error ?? named.error;
        const problems = [...failures, ...allWarnings];
        const listing = { choice: chosen, missing, found, problems, error };
        throw await noAccountsError(parts, listing, signal);
      }
      const unreached = missing.filter((name) => !named.failed.has(name));
      const problems = [...failures, ...describeMissing(chosen, unreached, found)];
      last = new Map(accounts.map((account) => [account.id, account]));
      return { accounts, problems, warnings: allWarnings };
    },
  };
}

/** Creates a reader of all lists; a list that fails keeps the accounts of its last success. */
function createListReader(parts: DirectoryParts) {
  const last = new Map<string, readonly Account[]>();
  const businesses = new Map<string, readonly string[]>();
  const read = async (token: string, usesGrants: boolean, signal: AbortSignal) => {
    const { login, pageSize, businesses: wanted } = parts.options;
    const graph = withToken(parts.graph, token);
    const listed = await listToken({
      ...{ login, graph, pageSize, signal, businesses: wanted },
      lastBusinesses: businesses.get(token),
      ...(usesGrants && { grants: grantsOf(token, parts) }),
    });
    businesses.set(token, listed.businesses);
    return listed.outcomes.map((outcome) => ({ token, key: `${token} ${outcome.path}`, outcome }));
  };
  return async (usesGrants: boolean, signal: AbortSignal) => {
    const names = parts.tokens.names();
    const lists = (await Promise.all(names.map((one) => read(one, usesGrants, signal)))).flat();
    const failed = lists.flatMap(({ token, outcome }) =>
      'error' in outcome ? [{ token, path: outcome.path, error: outcome.error }] : [],
    );
    const error = failed[0]?.error;
    if (failed.length === lists.length && error !== undefined) throw error;
    const reached = pathsReached(lists.map(({ outcome }) => outcome));
    for (const { token, key, outcome } of lists) {
      if ('accounts' in outcome) last.set(key, outcome.accounts.map(reachedBy(token)));
    }
    return {
      accounts: lists.flatMap(({ key }) => last.get(key) ?? []),
      problems: failed.filter(({ path }) => !reached.lists.has(path)).map(describeFailure),
      warnings: lists.flatMap(({ outcome }) =>
        reached.businesses.has(outcome.path) ? [] : problemsOf(outcome),
      ),
      error,
    };
  };
}

/**
 * The paths of lists of businesses that a token reads, and of businesses in which it finds accounts:
 * the other tokens need not reach these.
 */
function pathsReached(outcomes: readonly ListOutcome[]) {
  const read = outcomes.flatMap((one) =>
    'accounts' in one && !one.path.startsWith('/me') ? [one] : [],
  );
  const found = read.filter(({ accounts }) => accounts.length > 0);
  return {
    lists: new Set(read.map(({ path }) => path)),
    businesses: new Set(found.map(({ path }) => path.slice(0, path.lastIndexOf('/')))),
  };
}

function problemsOf(outcome: ListOutcome): readonly string[] {
  return 'error' in outcome ? [] : outcome.problems;
}

function describeFailure(failure: {
  readonly token: string;
  readonly path: string;
  readonly error: ClassifiedError;
}): string {
  const { token, path, error } = failure;
  const prefix = token === '' ? '' : `token ${token}: `;
  const subject = path === '/me/accounts' ? 'its accounts' : path;
  return `${prefix}${subject} cannot be listed. ${error.message}`;
}

function grantsOf(token: string, { oauth, tokens, clock, closing }: DirectoryParts): Grants {
  return {
    inspect: (signal) => oauth.inspect(tokens.text(token), AbortSignal.any([signal, closing])),
    nowMs: () => clock.nowMs(),
  };
}

/**
 * Removes duplicates: an account that two pages or tokens reach is polled by the first only, by its
 * page where one is known.
 */
function oncePerId(found: readonly Account[]): readonly Account[] {
  return [...Map.groupBy(found, ({ id }) => id).values()].flatMap((same) => {
    const [first] = same;
    const ofToken = same.filter(({ token }) => token === first?.token);
    return ofToken.find(({ pageId }) => pageId !== null) ?? first ?? [];
  });
}

interface EmptyListing {
  readonly choice: AccountChoice;
  /** The chosen names that no token reaches. */
  readonly missing: readonly string[];
  readonly found: readonly Account[];
  readonly problems: readonly string[];
  readonly error: ClassifiedError | undefined;
}

/** Creates the error of an empty listing. @throws StopAccountError when the access to data has expired */
async function noAccountsError(
  parts: DirectoryParts,
  listing: EmptyListing,
  signal: AbortSignal,
): Promise<ClassifiedError> {
  const { tokens, options } = parts;
  const { choice, found, problems, error } = listing;
  if (error !== undefined) return error;
  // Without named accounts, the listing has already inspected the grants.
  if (options.login === 'facebook' && choice.accounts.length > 0 && found.length === 0) {
    for (const token of tokens.names()) await liveFacts(grantsOf(token, parts), signal);
  }
  const problem =
    found.length === 0
      ? 'the token reaches no Instagram professional account'
      : describeRest(listing);
  const details = problems.map((one) => `${one}; `).join('');
  return new StopProcessError(
    'accounts.none',
    `${problem}; ${details}check ${checks[options.login]}`,
  );
}

/** Describes reached accounts of which none is polled. */
function describeRest({ choice, missing, found }: EmptyListing): string {
  const { accounts } = choice;
  const names = settingNamesOf(choice);
  const reached = found.map(({ id, username }) => (username === null ? id : `${id} (${username})`));
  const reaches = `the token, which reaches ${reached.join(', ')}`;
  return missing.length > 0 && missing.length === accounts.length
    ? `none of ${names.accounts} (${accounts.join(', ')}) is reached by ${reaches}${suggestions(missing, found)}`
    : `${names.accountsExclude} leaves no account of ${reaches}`;
}

const checks = {
  facebook: `that the account is professional and linked to a Facebook page, that the token is a user's or a system user's (not a page's) with a role on that page, and that it has the permissions ${permissions.facebook.join(', ')} (business_management too where the role comes through a Business Manager); name the accounts of a system user without pages in INSTAGRAM_ACCOUNTS; an Instagram Login token needs INSTAGRAM_LOGIN=instagram`,
  instagram: `that the account is professional and that the token has the permissions ${permissions.instagram.join(', ')}; a Facebook Login token needs INSTAGRAM_LOGIN=facebook`,
} as const;
