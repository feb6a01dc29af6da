import type { Account } from '../engine/account.ts';
import { DeadLetterError } from '../engine/errors.ts';
import { type Json, type Node, describeJson, isNode } from '../engine/json.ts';

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
export function readPageEntries(body: Node): FoundAccounts {
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
export function readOwnAccount(body: Node): readonly Account[] {
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
export function nextCursor(body: Node): string | null {
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
export function readAccount(body: Node, id: string): Account {
  const actual = body['id'];
  if (readId(actual) !== id) throw unexpected(body, 'id', { expected: `the id ${id}`, actual });
  return { id, pageId: null, username: readName(body['username']) };
}

/** Reads a username, for display only. */
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
