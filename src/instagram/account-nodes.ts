import type { Account } from '../engine/account.ts';
import { DeadLetterError } from '../engine/errors.ts';
import { type Json, type Node, describeJson, isNode } from '../engine/json.ts';

/** Accounts, and descriptions of the entries that were left out. */
export interface FoundAccounts {
  readonly accounts: readonly Account[];
  readonly problems: readonly string[];
}

const anId = 'an id (a text of digits)';

/**
 * The accounts linked to the Facebook pages of one answer of `/me/accounts`. An entry that cannot be
 * read is left out with a problem; the others are kept (Invariant 3).
 *
 * @throws DeadLetterError `graph.bad-body` where `data` is no list
 */
export function readPageEntries(body: Node): FoundAccounts {
  const data = body['data'];
  if (!Array.isArray(data)) throw unexpected(body, 'data', { expected: 'a list', came: data });
  const problems: string[] = [];
  const accounts = (data as readonly Json[]).flatMap((page, index) =>
    readEntry(page, `data[${index}]`, problems),
  );
  return { accounts, problems };
}

function readEntry(page: Json, path: string, problems: string[]): readonly Account[] {
  const leaveOut = (at: string, expected: string, came: Json | undefined): readonly Account[] => {
    problems.push(
      `/me/accounts: left out "${at}": expected ${expected}, got ${describeJson(came)}; check that page and its link to Instagram`,
    );
    return [];
  };
  if (!isNode(page)) return leaveOut(path, 'an object', page);
  const account = page['instagram_business_account'] ?? null;
  if (account === null || isEmptyList(account)) return [];
  const at = `${path}.instagram_business_account`;
  if (!isNode(account)) return leaveOut(at, 'an object', account);
  const id = readId(account['id']);
  if (id === null) return leaveOut(`${at}.id`, anId, account['id']);
  const pageId = readId(page['id']);
  // The account can be polled without its page, which only matters to the page's limit.
  if (pageId === null) leaveOut(`${path}.id`, anId, page['id']);
  return [{ id, pageId, username: readName(account['username']) }];
}

/** An empty object as PHP may write it. */
function isEmptyList(value: Json): boolean {
  return Array.isArray(value) && value.length === 0;
}

/**
 * The accounts of an answer of Instagram Login's `/me`: one, or none in an empty list. Meta's page
 * shows `{"data": [{…}]}`; actual answers are flat. Both are read.
 *
 * @throws DeadLetterError `graph.bad-body` with the path of what cannot be read
 */
export function readOwnAccount(body: Node): readonly Account[] {
  const data: Json | undefined = body['data'];
  if (!Array.isArray(data)) return [ownAccount(body, { body, path: '' })];
  return (data as readonly Json[]).slice(0, 1).map((node) => {
    if (!isNode(node)) throw unexpected(body, 'data[0]', { expected: 'an object', came: node });
    return ownAccount(node, { body, path: 'data[0].' });
  });
}

/** `user_id` is the account's id; `id` is the app-scoped id of the same user. */
function ownAccount(node: Node, { body, path }: { body: Node; path: string }): Account {
  const came = node['user_id'];
  const id = readId(came);
  if (id === null) throw unexpected(body, `${path}user_id`, { expected: anId, came });
  return { id, pageId: null, username: readName(node['username']) };
}

/**
 * The cursor of the next page; null at the end, where `paging.next` is missing, null or empty: a short
 * page, even an empty one, may have a next. The URL under `next` holds the token and is never followed.
 *
 * @throws DeadLetterError `graph.bad-body` where there is a next page and no cursor
 */
export function nextCursor(body: Node): string | null {
  const paging = body['paging'];
  if (!isNode(paging) || (paging['next'] ?? '') === '') return null;
  const cursors = paging['cursors'];
  const after = isNode(cursors) ? cursors['after'] : undefined;
  if (typeof after === 'string' && after !== '') return after;
  throw unexpected(body, 'paging.cursors.after', { expected: 'a cursor', came: after });
}

/** An id as a text of digits; a safe integer is converted. Null for anything else. */
function readId(came: Json | undefined): string | null {
  const id = typeof came === 'number' && Number.isSafeInteger(came) ? String(came) : came;
  return typeof id === 'string' && /^\d+$/.test(id) ? id : null;
}

/**
 * The account of an answer to a request by id; its page is not known.
 *
 * @throws DeadLetterError `graph.bad-body` where the answer is about something else
 */
export function readAccount(body: Node, id: string): Account {
  const came = body['id'];
  if (readId(came) !== id) throw unexpected(body, 'id', { expected: `the id ${id}`, came });
  return { id, pageId: null, username: readName(body['username']) };
}

/** For display only. */
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
    `the answer about accounts has an unexpected "${path}": expected ${expected}, got ${describeJson(came)}`,
    { path, raw: JSON.stringify(body) },
  );
}
