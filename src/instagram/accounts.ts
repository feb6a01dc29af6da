import type { Account } from '../core/account.ts';
import {
  DeadLetterError,
  isTooMuchData,
  RetryError,
  SkipError,
  StopProcessError,
  isConnectorError,
} from '../core/errors.ts';
import type { Json, Node } from '../core/json.ts';
import { describeJson, isNode } from '../core/json.ts';
import type { Graph, GraphRequest } from '../runtime/ports.ts';

const pageAccounts = '/me/accounts';

/** What accounts are listed with. */
export interface Listing {
  readonly graph: Pick<Graph, 'get'>;
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

/**
 * Every page of `/me/accounts`; half a page where the API says that it is too much data, which each
 * success doubles again. Ends where `paging.next` is missing: a short page, even an empty
 * one, may have a next. The URL under `next` holds the token and is never followed.
 */
export async function listPageAccounts({
  graph,
  pageSize,
  signal,
}: Listing): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  const seen = new Set<string>();
  let after: string | null = null;
  let limit = pageSize;
  const getPage = async (): Promise<Node> => {
    for (;;) {
      try {
        return await getPages(graph, pagesRequest(limit, after), signal);
      } catch (error) {
        if (!isTooMuchData(error) || limit === 1) throw error;
        limit = Math.ceil(limit / 2);
      }
    }
  };
  do {
    const body = await getPage();
    limit = Math.min(limit * 2, pageSize);
    accounts.push(...readPage(body));
    after = nextCursor(body);
    if (after !== null && seen.has(after)) throw repeatedCursor();
    seen.add(after ?? '');
  } while (after !== null);
  return accounts;
}

function pagesRequest(pageSize: number, after: string | null): GraphRequest {
  const query = {
    fields: 'id,name,instagram_business_account{id,username}',
    limit: String(pageSize),
    ...(after === null ? {} : { after }),
  };
  return { endpoint: pageAccounts, path: pageAccounts, query, accountId: null };
}

async function getPages(
  graph: Pick<Graph, 'get'>,
  request: GraphRequest,
  signal: AbortSignal,
): Promise<Node> {
  try {
    return await graph.get(request, signal);
  } catch (error) {
    // With a page's token `me` is the page, which has no accounts.
    if (isConnectorError(error) && error.message.includes('nonexisting field (accounts)')) {
      throw new StopProcessError(
        'accounts.none',
        `INSTAGRAM_ACCESS_TOKEN looks like a page token, which cannot list accounts: use the token of a user or of a system user. ${error.message}`,
      );
    }
    throw error;
  }
}

function repeatedCursor(): RetryError {
  return new RetryError(
    'graph.server',
    `${pageAccounts}: the list of pages came back to a cursor that it had given before; it is read again from the start`,
  );
}

function readPage(body: Node): Account[] {
  const data = body['data'];
  if (!Array.isArray(data)) throw unexpected(body, 'data', { expected: 'a list', came: data });
  return (data as readonly Json[]).flatMap((page, index) => {
    const path = `data[${index}]`;
    if (!isNode(page)) throw unexpected(body, path, { expected: 'an object', came: page });
    const account = page['instagram_business_account'] ?? null;
    if (account === null) return [];
    const at = `${path}.instagram_business_account`;
    if (!isNode(account)) throw unexpected(body, at, { expected: 'an object', came: account });
    return [
      {
        id: readId(account['id'], { body, path: `${at}.id` }),
        pageId: readId(page['id'], { body, path: `${path}.id` }),
        username: readName(account['username']),
      },
    ];
  });
}

function nextCursor(body: Node): string | null {
  const paging = body['paging'];
  if (!isNode(paging) || (paging['next'] ?? null) === null) return null;
  const cursors = paging['cursors'];
  const after = isNode(cursors) ? cursors['after'] : undefined;
  if (typeof after === 'string' && after !== '') return after;
  throw unexpected(body, 'paging.cursors.after', { expected: 'a cursor', came: after });
}

/** Meta's page shows `{"data": [{…}]}`; what answers is flat. Both are read. */
export async function findOwnAccount(
  graph: Pick<Graph, 'get'>,
  signal: AbortSignal,
): Promise<readonly Account[]> {
  const query = { fields: 'user_id,username' };
  const request = { endpoint: '/me', path: '/me', query, accountId: null };
  const body = await graph.get(request, signal).catch((error: unknown) => {
    // Facebook's `me` has no such field; waiting for it would be no use.
    if (error instanceof SkipError) throw otherLogin(error);
    throw error;
  });
  const data: Json | undefined = body['data'];
  if (!Array.isArray(data)) return [ownAccount(body, { body, path: '' })];
  return (data as readonly Json[]).slice(0, 1).map((node) => {
    if (!isNode(node)) throw unexpected(body, 'data[0]', { expected: 'an object', came: node });
    return ownAccount(node, { body, path: 'data[0].' });
  });
}

function otherLogin(cause: SkipError): StopProcessError {
  return new StopProcessError(
    'accounts.none',
    `INSTAGRAM_ACCESS_TOKEN does not look like a token of Instagram Login: set INSTAGRAM_LOGIN=facebook for a token of Facebook Login. ${cause.message}`,
    { exitCode: 3, cause },
  );
}

/** `user_id` is the account's id; `id` is another one, the app's own for the same user. */
function ownAccount(node: Node, { body, path }: { body: Node; path: string }): Account {
  const id = readId(node['user_id'], { body, path: `${path}user_id` });
  return { id, pageId: null, username: readName(node['username']) };
}

/** A text of digits; an exact whole number is the same id. */
function readId(came: Json | undefined, { body, path }: { body: Node; path: string }): string {
  const id = typeof came === 'number' && Number.isSafeInteger(came) ? String(came) : came;
  if (typeof id === 'string' && /^\d+$/.test(id)) return id;
  throw unexpected(body, path, { expected: 'an id (a text of digits)', came });
}

/** For people only; nothing hangs on it. */
function readName(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function unexpected(
  body: Node,
  path: string,
  { expected, came }: { expected: string; came: Json | undefined },
): DeadLetterError {
  return new DeadLetterError(
    'graph.bad-body',
    `the list of accounts has an unexpected "${path}": expected ${expected}, got ${describeJson(came)}`,
    { path, raw: JSON.stringify(body) },
  );
}
