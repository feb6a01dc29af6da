import type { Account } from '../engine/account.ts';
import {
  DeadLetterError,
  FailError,
  isTooMuchData,
  RetryError,
  SkipError,
  StopProcessError,
} from '../engine/errors.ts';
import { type Json, type Node, describeJson, isNode } from '../engine/json.ts';
import type { Graph, GraphRequest } from '../engine/ports.ts';
import { PageSize } from './extract/page-size.ts';

const mostPages = 10_000;

/** The number of unreadable entries that are described singly; further ones are only counted. */
const mostProblems = 10;

export interface ListingOptions {
  readonly graph: Pick<Graph, 'get'>;
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

/** A list of the Graph API; the endpoint has placeholders for ids. */
export type ListEdge = Pick<GraphRequest, 'endpoint' | 'path'>;

/** The Facebook pages of the token's user. */
export const ownPages: ListEdge = { endpoint: '/me/accounts', path: '/me/accounts' };

const ownBusinesses: ListEdge = { endpoint: '/me/businesses', path: '/me/businesses' };

/** Returns the lists of a business's own and its clients' pages (seen in clients, 2026-08). */
export function pagesOfBusiness(id: string): readonly ListEdge[] {
  return ['owned_pages', 'client_pages'].map((edge) => ({
    endpoint: `/{business}/${edge}`,
    path: `/${id}/${edge}`,
  }));
}

/** Lists the ids of the businesses of the token's user; throws as `listPageAccounts`. */
export async function listBusinesses(listing: ListingOptions): Promise<readonly string[]> {
  const ids: string[] = [];
  await readList(ownBusinesses, 'id', listing, (body) => {
    for (const entry of entriesOf(body)) {
      const id = isNode(entry) ? readId(entry['id']) : null;
      if (id !== null) ids.push(id);
    }
  });
  return ids;
}

/**
 * Lists the accounts linked to the Facebook pages of a list.
 * @throws as `Graph.get`; RetryError `graph.server` for an endless list; DeadLetterError
 * `graph.bad-body` for a body without a list
 */
export async function listPageAccounts(
  edge: ListEdge,
  listing: ListingOptions,
): Promise<FoundAccounts> {
  const accounts: Account[] = [];
  const problems: string[] = [];
  const fields = 'id,instagram_business_account{id,username}';
  await readList(edge, fields, listing, (body) => {
    for (const [index, page] of entriesOf(body).entries()) {
      for (const account of readEntry(page, { edge, at: `data[${index}]` }, problems)) {
        accounts.push(account);
      }
    }
  });
  return { accounts, problems: shortened(problems, edge) };
}

/** Reads the pages of a list from the first to the last. */
async function readList(
  edge: ListEdge,
  fields: string,
  listing: ListingOptions,
  onBody: (body: Node) => void,
): Promise<void> {
  const seen = new Set<string>();
  const getPage = createPageReader(edge, fields, listing);
  let after: string | null = null;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const body = await getPage(after);
    onBody(body);
    after = nextCursor(body);
    if (after === null) return;
    if (seen.has(after)) throw endless(edge, 'returned to an earlier cursor');
    seen.add(after);
  }
  throw endless(edge, `does not end after ${mostPages} pages`);
}

function endless({ path }: ListEdge, problem: string): RetryError {
  return new RetryError(
    'graph.server',
    `${path}: the list ${problem}; it is read again from the start`,
  );
}

function shortened(problems: readonly string[], { path }: ListEdge): readonly string[] {
  if (problems.length <= mostProblems) return problems;
  const more = `${path}: left out ${problems.length - mostProblems} more entries that cannot be read`;
  return [...problems.slice(0, mostProblems), more];
}

/** Creates a reader of pages by cursor; it adapts the page size, and omits rejected usernames. */
function createPageReader(
  edge: ListEdge,
  requestedFields: string,
  { graph, pageSize, signal }: ListingOptions,
) {
  const page = new PageSize(pageSize);
  let fields = requestedFields;
  return async (after: string | null): Promise<Node> => {
    for (;;) {
      try {
        const query = { fields, limit: String(page.size), ...(after === null ? {} : { after }) };
        const body = await getPages(graph, { ...edge, query, accountId: null }, signal);
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
  request: GraphRequest,
  signal: AbortSignal,
): Promise<Node> {
  try {
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

/** Accounts, with descriptions of the excluded entries. */
export interface FoundAccounts {
  readonly accounts: readonly Account[];
  readonly problems: readonly string[];
}

export const idDescription = 'an id (a text of digits)';

/** Returns the entries of one answer of a list. @throws DeadLetterError `graph.bad-body` */
function entriesOf(body: Node): readonly Json[] {
  const data = body['data'];
  if (Array.isArray(data)) return data as readonly Json[];
  throw unexpected(body, 'data', { expected: 'a list', actual: data });
}

/**
 * Reads the account of a Facebook page. An unreadable entry is excluded with a problem; the others
 * are kept (Invariant 3).
 */
function readEntry(
  page: Json,
  { edge, at: path }: { readonly edge: ListEdge; readonly at: string },
  problems: string[],
): readonly Account[] {
  const exclude = (at: string, expected: string, actual: Json | undefined): readonly Account[] => {
    problems.push(
      `${edge.path}: left out "${at}": expected ${expected}, got ${describeJson(actual)}; check that page and its link to Instagram`,
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
export function readId(actual: Json | undefined): string | null {
  const id = typeof actual === 'number' && Number.isSafeInteger(actual) ? String(actual) : actual;
  return typeof id === 'string' && /^\d+$/.test(id) ? id : null;
}

export function readName(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** Creates the error of an unreadable part of an answer. */
export function unexpected(
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
