import type { Account, Login } from '../engine/account.ts';
import {
  type ClassifiedError,
  isClassifiedError,
  SkipError,
  StopAccountError,
  StopProcessError,
} from '../engine/errors.ts';
import { type Json, type Node, isNode } from '../engine/json.ts';
import type { Graph } from '../engine/ports.ts';
import type { TokenFacts } from './api/oauth.ts';
import {
  type FoundAccounts,
  type ListingOptions,
  idDescription,
  listBusinesses,
  listPageAccounts,
  ownPages,
  pagesOfBusiness,
  readId,
  readName,
  unexpected,
} from './page-lists.ts';
import type { Tokens } from './tokens/tokens.ts';

/** The lists of one token. */
export interface TokenListing extends ListingOptions {
  readonly login: Login;
  /** Finds accounts to request by id when the list is empty; Facebook Login only. */
  readonly grants?: Grants;
  /** The ids of businesses whose pages are listed as well; `all` stands for those of the token. */
  readonly businesses: readonly string[];
  /** The businesses of the token's last listing, used while they cannot be listed. */
  readonly lastBusinesses?: readonly string[] | undefined;
}

/** The result of one list of a token, named by its path. */
export type ListOutcome = { readonly path: string } & (
  FoundAccounts | { readonly error: ClassifiedError }
);

export interface TokenLists {
  /** The token's own list first, then those of businesses. */
  readonly outcomes: readonly ListOutcome[];
  readonly businesses: readonly string[];
}

/**
 * Lists the accounts that a token reaches: its own, and those of businesses. Each list has an
 * outcome of its own (Invariant 8).
 */
export async function listToken(listing: TokenListing): Promise<TokenLists> {
  const { signal } = listing;
  const own = await outcomeOf(ownPages.path, () => listAccounts(listing), signal);
  const { ids, outcomes } = await businessesOf(listing);
  const lists: ListOutcome[] = [];
  for (const id of ids) for (const list of await listBusiness(id, listing)) lists.push(list);
  return { outcomes: [own, ...outcomes, ...lists], businesses: ids };
}

async function outcomeOf(
  path: string,
  list: () => Promise<FoundAccounts>,
  signal: AbortSignal,
): Promise<ListOutcome> {
  try {
    return { path, ...(await list()) };
  } catch (error) {
    if (signal.aborted || !isClassifiedError(error)) throw error;
    return { path, error };
  }
}

/** Returns the ids of the businesses, and the outcome of listing those of the token, for `all`. */
async function businessesOf(listing: TokenListing) {
  const { businesses, lastBusinesses = [] } = listing;
  const named = businesses.filter((id) => id !== 'all');
  if (named.length === businesses.length) return { ids: named, outcomes: [] };
  let listed = lastBusinesses;
  const path = '/me/businesses';
  const list = async (): Promise<FoundAccounts> => {
    listed = await listBusinesses(listing);
    return {
      accounts: [],
      problems: listed.length === 0 ? [`${path}: the list is empty; ${roleAdvice}`] : [],
    };
  };
  const outcome = await outcomeOf(path, list, listing.signal);
  return { ids: [...new Set([...named, ...listed])], outcomes: [outcome] };
}

const roleAdvice =
  'check that the token has the permission business_management, and its user a role in the business';

/** Lists the accounts of a business's pages; a named business without any is a problem. */
async function listBusiness(id: string, listing: TokenListing): Promise<readonly ListOutcome[]> {
  const outcomes = await Promise.all(
    pagesOfBusiness(id).map((edge) =>
      outcomeOf(edge.path, () => listPageAccounts(edge, listing), listing.signal),
    ),
  );
  const isEmpty = outcomes.every((one) => 'accounts' in one && one.accounts.length === 0);
  if (!isEmpty || !listing.businesses.includes(id)) return outcomes;
  const problem = `business ${id}: no page of it or of its clients has an Instagram account; ${roleAdvice}`;
  return [...outcomes, { path: `/${id}`, accounts: [], problems: [problem] }];
}

/**
 * Lists the accounts of a token itself: those linked to its pages, else those granted to it; with
 * Instagram Login its own.
 * @throws as `Graph.get`; RetryError `graph.server` for an endless list; StopAccountError when
 * there is no account because the token's access to data has expired
 */
export async function listAccounts(
  listing: Pick<TokenListing, 'login' | 'grants'> & ListingOptions,
): Promise<FoundAccounts> {
  const { login, graph, signal, grants } = listing;
  if (login === 'instagram') return { accounts: await findOwnAccount(graph, signal), problems: [] };
  const listed = await listPageAccounts(ownPages, listing);
  if (listed.accounts.length > 0 || grants === undefined) return listed;
  const { accounts, problems } = await findGranted(grants, { graph, signal });
  return { accounts, problems: [...listed.problems, ...problems] };
}

async function findOwnAccount(
  graph: Pick<Graph, 'get'>,
  signal: AbortSignal,
): Promise<readonly Account[]> {
  const query = { fields: 'user_id,username' };
  const request = { endpoint: '/me', path: '/me', query, accountId: null };
  try {
    return readOwnAccount(await graph.get(request, signal));
  } catch (error) {
    // Facebook's `me` has no such field: a permanent error.
    if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') throw error;
    throw new StopProcessError(
      'accounts.none',
      `INSTAGRAM_ACCESS_TOKEN does not look like a token of Instagram Login: set INSTAGRAM_LOGIN=facebook for a token of Facebook Login. ${error.message}`,
      { exitCode: 3, cause: error },
    );
  }
}

export interface Grants {
  /** Inspects the token. @throws as `OAuth.inspect` */
  readonly inspect: (signal: AbortSignal) => Promise<TokenFacts>;
  readonly nowMs: () => number;
}

type LookupContext = Pick<ListingOptions, 'graph' | 'signal'>;

type RequestedAccount =
  | { readonly id: string; readonly account: Account }
  | { readonly id: string; readonly error: ClassifiedError };

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
    if (context.signal.aborted || !isClassifiedError(error)) throw error;
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
function isOfAccount({ disposition }: ClassifiedError): boolean {
  return !['retry', 'wait', 'stop-account'].includes(disposition);
}

/**
 * Returns the accounts granted to a token without pages.
 * @throws as `liveFacts`; the first error that is not about a single account
 */
async function findGranted(grants: Grants, context: LookupContext): Promise<FoundAccounts> {
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
    if (!isClassifiedError(error)) throw error;
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
    const errors = new Map<string, ClassifiedError>();
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

/**
 * Reads the accounts of an answer of Instagram Login's `/me`: one, or none for an empty list.
 * Meta's page shows `{"data": [{…}]}`; actual answers are flat. Both are read.
 * @throws DeadLetterError `graph.bad-body` with the path of the unreadable part
 */
function readOwnAccount(body: Node): readonly Account[] {
  const data: Json | undefined = body['data'];
  const [nodes, prefix] = Array.isArray(data)
    ? ([(data as readonly Json[]).slice(0, 1), 'data[0].'] as const)
    : ([[body], ''] as const);
  return nodes.map((node) => {
    if (!isNode(node)) throw unexpected(body, 'data[0]', { expected: 'an object', actual: node });
    // `id` is the app-scoped id of the same user.
    const actual = node['user_id'];
    const id = readId(actual);
    if (id !== null) return { id, pageId: null, username: readName(node['username']) };
    throw unexpected(body, `${prefix}user_id`, { expected: idDescription, actual });
  });
}

/**
 * Reads the account of an answer to a request by id; its page is unknown.
 * @throws DeadLetterError `graph.bad-body` for an answer about another id
 */
function readAccount(body: Node, id: string): Account {
  const actual = body['id'];
  if (readId(actual) !== id) throw unexpected(body, 'id', { expected: `the id ${id}`, actual });
  return { id, pageId: null, username: readName(body['username']) };
}
