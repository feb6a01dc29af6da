import type { Account, Login } from '../engine/account.ts';
import {
  FailError,
  isTooMuchData,
  RetryError,
  SkipError,
  StopProcessError,
} from '../engine/errors.ts';
import type { Node } from '../engine/json.ts';
import type { Graph, GraphRequest } from '../engine/ports.ts';
import {
  type FoundAccounts,
  nextCursor,
  readOwnAccount,
  readPageEntries,
} from './account-nodes.ts';
import { type Grants, findGranted } from './accounts-by-id.ts';

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
  let limit = pageSize;
  let fields = 'id,instagram_business_account{id,username}';
  return async (after: string | null): Promise<Node> => {
    for (;;) {
      try {
        const query = { fields, limit: String(limit), ...(after === null ? {} : { after }) };
        const body = await getPages(graph, query, signal);
        limit = Math.min(limit * 2, pageSize);
        return body;
      } catch (error) {
        if (isTooMuchData(error) && limit > 1) limit = Math.ceil(limit / 2);
        else if (isUsernameRejected(error)) fields = fields.replace(',username', '');
        else throw error;
      }
    }
  };
}

/** Returns true at most once: the field is excluded after its rejection. */
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
