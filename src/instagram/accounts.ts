import type { Account, Login } from '../engine/account.ts';
import {
  type ClassifiedError,
  DeadLetterError,
  FailError,
  isClassifiedError,
  isTooMuchData,
  RetryError,
  SkipError,
  StopAccountError,
  StopProcessError,
} from '../engine/errors.ts';
import { type Json, type Node, describeJson, isNode } from '../engine/json.ts';
import type { Graph, GraphRequest } from '../engine/ports.ts';
import type { TokenFacts } from './api/oauth.ts';
import { PageSize } from './extract/page-size.ts';
import type { Tokens } from './tokens/tokens.ts';

const pageAccounts = '/me/accounts';

const mostPages = 10_000;

/** The number of unreadable entries that are described singly; further ones are only counted. */
const mostProblems = 10;

interface ListingOptions {
  readonly graph: Pick<Graph, 'get'>;
  readonly pageSize: number;
  readonly signal: AbortSignal;
  /** Finds accounts to request by id when the list is empty; Facebook Login only. */
  readonly grants?: Grants;
}

/**
 * Lists the accounts that a token reaches: those linked to its pages, else those granted to it;
 * with Instagram Login its own.
 * @throws as `Graph.get`; RetryError `graph.server` for an endless list; StopAccountError when
 * there is no account because the token's access to data has expired
 */
export async function listAccounts(login: Login, listing: ListingOptions): Promise<FoundAccounts> {
  const { graph, signal, grants } = listing;
  if (login === 'instagram') return { accounts: await findOwnAccount(graph, signal), problems: [] };
  const listed = await listPageAccounts(listing);
  if (listed.accounts.length > 0 || grants === undefined) return listed;
  const { accounts, problems } = await findGranted(grants, { graph, signal });
  return { accounts, problems: [...listed.problems, ...problems] };
}

async function listPageAccounts(listing: ListingOptions): Promise<FoundAccounts> {
  const accounts: Account[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  const getPage = createPageReader(listing);
  let after: string | null = null;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const body = await getPage(after);
    const found = readPageEntries(body);
    for (const account of found.accounts) accounts.push(account);
    for (const problem of found.problems) problems.push(problem);
    after = nextCursor(body);
    if (after === null) return { accounts, problems: shortened(problems) };
    if (seen.has(after)) throw endless('returned to an earlier cursor');
    seen.add(after);
  }
  throw endless(`does not end after ${mostPages} pages`);
}

function endless(problem: string): RetryError {
  return new RetryError(
    'graph.server',
    `${pageAccounts}: the list ${problem}; it is read again from the start`,
  );
}

function shortened(problems: readonly string[]): readonly string[] {
  if (problems.length <= mostProblems) return problems;
  const more = `${pageAccounts}: left out ${problems.length - mostProblems} more entries that cannot be read`;
  return [...problems.slice(0, mostProblems), more];
}

/** Creates a reader of pages by cursor; it adapts the page size, and omits rejected usernames. */
function createPageReader({ graph, pageSize, signal }: ListingOptions) {
  const page = new PageSize(pageSize);
  let fields = 'id,instagram_business_account{id,username}';
  return async (after: string | null): Promise<Node> => {
    for (;;) {
      try {
        const query = { fields, limit: String(page.size), ...(after === null ? {} : { after }) };
        const body = await getPages(graph, query, signal);
        page.accept(pageSize);
        return body;
      } catch (error) {
        if (isTooMuchData(error) && page.size > 1) page.refuse();
        else if (isUsernameRejected(error)) fields = fields.replace(',username', '');
        else throw error;
      }
    }
  };
}

/** True for a rejection of `username`; it occurs once, because the field is then omitted. */
function isUsernameRejected(error: unknown): boolean {
  return (
    error instanceof SkipError &&
    error.code === 'graph.field-refused' &&
    error.subjects.includes('username')
  );
}

async function getPages(
  graph: Pick<Graph, 'get'>,
  query: GraphRequest['query'],
  signal: AbortSignal,
): Promise<Node> {
  try {
    const request = { endpoint: pageAccounts, path: pageAccounts, query, accountId: null };
    return await graph.get(request, signal);
  } catch (error) {
    // With a page token, `me` is the page, which has no accounts.
    const isOfPage =
      error instanceof FailError && error.message.includes('nonexisting field (accounts)');
    if (!isOfPage) throw error;
    throw new StopProcessError(
      'accounts.none',
      `INSTAGRAM_ACCESS_TOKEN looks like a page token, which cannot list accounts: use the token of a user or of a system user. ${error.message}`,
    );
  }
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

/** Accounts, with descriptions of the excluded entries. */
export interface FoundAccounts {
  readonly accounts: readonly Account[];
  readonly problems: readonly string[];
}

const idDescription = 'an id (a text of digits)';

/**
 * Reads the accounts linked to the Facebook pages of one answer of `/me/accounts`. An unreadable
 * entry is excluded with a problem; the others are kept (Invariant 3).
 * @throws DeadLetterError `graph.bad-body` when `data` is no list
 */
function readPageEntries(body: Node): FoundAccounts {
  const data = body['data'];
  if (!Array.isArray(data)) throw unexpected(body, 'data', { expected: 'a list', actual: data });
  const problems: string[] = [];
  const accounts = (data as readonly Json[]).flatMap((page, index) =>
    readEntry(page, `data[${index}]`, problems),
  );
  return { accounts, problems };
}

function readEntry(page: Json, path: string, problems: string[]): readonly Account[] {
  const exclude = (at: string, expected: string, actual: Json | undefined): readonly Account[] => {
    problems.push(
      `/me/accounts: left out "${at}": expected ${expected}, got ${describeJson(actual)}; check that page and its link to Instagram`,
    );
    return [];
  };
  if (!isNode(page)) return exclude(path, 'an object', page);
  const account = page['instagram_business_account'] ?? null;
  // PHP may write an empty object as an empty list.
  if (account === null || (Array.isArray(account) && account.length === 0)) return [];
  const at = `${path}.instagram_business_account`;
  if (!isNode(account)) return exclude(at, 'an object', account);
  const id = readId(account['id']);
  if (id === null) return exclude(`${at}.id`, idDescription, account['id']);
  const pageId = readId(page['id']);
  // The account can be polled without its page id, which only the page's limit needs.
  if (pageId === null) exclude(`${path}.id`, idDescription, page['id']);
  return [{ id, pageId, username: readName(account['username']) }];
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
 * Returns the cursor of the next page; null when `paging.next` is missing, null or empty. A short
 * or empty page may have a next page. The URL in `next` contains the token and is never followed.
 * @throws DeadLetterError `graph.bad-body` for a next page without a cursor
 */
function nextCursor(body: Node): string | null {
  const paging = body['paging'];
  if (!isNode(paging) || (paging['next'] ?? '') === '') return null;
  const cursors = paging['cursors'];
  const after = isNode(cursors) ? cursors['after'] : undefined;
  if (typeof after === 'string' && after !== '') return after;
  throw unexpected(body, 'paging.cursors.after', { expected: 'a cursor', actual: after });
}

/** Returns an id as a text of digits; converts a safe integer. Null for anything else. */
function readId(actual: Json | undefined): string | null {
  const id = typeof actual === 'number' && Number.isSafeInteger(actual) ? String(actual) : actual;
  return typeof id === 'string' && /^\d+$/.test(id) ? id : null;
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

function readName(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function unexpected(
  body: Node,
  path: string,
  { expected, actual }: { expected: string; actual: Json | undefined },
): DeadLetterError {
  return new DeadLetterError(
    'graph.bad-body',
    `the answer about accounts has an unexpected "${path}": expected ${expected}, got ${describeJson(actual)}`,
    { path, raw: JSON.stringify(body) },
  );
}
