import type { Account } from '../core/account.ts';
import { isConnectorError, isTooMuchData } from '../core/errors.ts';
import type { Node } from '../core/json.ts';
import { isNode } from '../core/json.ts';
import { maxIds } from '../core/metric-groups.ts';
import type { Graph } from './ports.ts';

/** One account's profile, asked for. */
export interface ProfileRequest {
  readonly account: Account;
  /** The `fields=` parameter. */
  readonly fields: string;
  readonly graph: Graph;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Profiles of several accounts in one `?ids=`; whoever asks first asks for all. */
export interface Profiles {
  /** Sets the accounts that are polled. */
  know(accounts: readonly Account[]): void;
  /** @throws as `Graph.get` for the account alone */
  get(request: ProfileRequest): Promise<Node>;
}

/** What was asked along with another's profile is good for so long, and for one poll. */
const freshMs = 60_000;

interface Fetched {
  /** Null once a poll has taken it. */
  readonly node: Node | null;
  readonly fields: string;
  readonly fetchedMs: number;
}

/** No account is known yet: each asks for itself. */
export function createProfiles(): Profiles {
  let known: readonly Account[] = [];
  const fetched = new Map<string, Fetched>();
  /** Accounts whose own request was refused: they would refuse the others' as well. */
  const apart = new Set<string>();
  let underWay: Promise<unknown> = Promise.resolve();
  /** After a refusal each asks alone for a while, which shows whose it was. */
  let aloneSinceMs = -Infinity;
  const portion = createPortion();

  const take = ({ account, fields, nowMs }: ProfileRequest): Node | undefined => {
    const found = fetched.get(account.id);
    if (found === undefined || found.node === null) return undefined;
    fetched.set(account.id, { ...found, node: null });
    return isFresh(found.fetchedMs, nowMs) && found.fields === fields ? found.node : undefined;
  };

  const askTogether = async (request: ProfileRequest): Promise<void> => {
    const ids = askedTogether(known, request, { apart, fetched }).slice(0, portion.size());
    const alone = apart.has(request.account.id) || isFresh(aloneSinceMs, request.nowMs);
    if (ids.length === 1 || alone) return;
    const body = await portion.ask(ids, request);
    if (body === undefined) return askTogether(request);
    const { fields, nowMs: fetchedMs } = request;
    for (const [id, node] of Object.entries(body)) {
      if (isNode(node)) fetched.set(id, { node, fields, fetchedMs });
    }
  };

  return {
    know(accounts) {
      known = accounts;
    },
    async get(request) {
      const { signal } = request;
      // One at a time: those who come meanwhile are in what the first one asks.
      for (let before; before !== underWay;) {
        before = underWay;
        await before;
      }
      signal.throwIfAborted();
      const ready = take(request);
      if (ready !== undefined) return ready;
      const asking = askTogether(request);
      underWay = asking.catch(() => undefined);
      try {
        await asking;
      } catch (error) {
        signal.throwIfAborted();
        // All or nothing: what refuses one refuses all; alone each has its own answer.
        if (!isRefusal(error) && !isTooMuchData(error)) throw error;
        aloneSinceMs = request.nowMs;
      }
      return take(request) ?? (await askAlone(request, apart));
    },
  };
}

/** What lies ahead was by a clock that has been set back since: nobody knows how old it is. */
function isFresh(atMs: number, nowMs: number): boolean {
  return atMs <= nowMs && nowMs - atMs < freshMs;
}

/** The asker, and whoever was not asked for lately and has not refused. */
function askedTogether(
  known: readonly Account[],
  { account, nowMs }: ProfileRequest,
  { apart, fetched }: { apart: ReadonlySet<string>; fetched: ReadonlyMap<string, Fetched> },
): readonly string[] {
  const others = known.filter(
    ({ id, token }) =>
      id !== account.id &&
      // A request carries one token, which reaches its own accounts only.
      token === account.token &&
      !apart.has(id) &&
      !isFresh(fetched.get(id)?.fetchedMs ?? -Infinity, nowMs),
  );
  return [account.id, ...others.map(({ id }) => id)];
}

function isRefusal(error: unknown): boolean {
  if (!isConnectorError(error)) return false;
  return error.disposition === 'skip' || error.disposition.startsWith('stop-');
}

/** How many accounts are asked at once: half as many as are too much data, twice as many after each answer. */
function createPortion() {
  let size = maxIds;
  return {
    size: () => size,
    /** Undefined when fewer are to be asked. */
    async ask(ids: readonly string[], request: ProfileRequest): Promise<Node | undefined> {
      try {
        const body = await askIds(ids, request);
        size = Math.min(size * 2, maxIds);
        return body;
      } catch (error) {
        if (!isTooMuchData(error) || ids.length <= 2) throw error;
        size = Math.ceil(ids.length / 2);
        return undefined;
      }
    },
  };
}

function askIds(ids: readonly string[], { account, fields, graph, signal }: ProfileRequest) {
  const query = { ids: ids.join(','), fields };
  return graph.get({ endpoint: '/?ids', path: '/', query, accountId: account.id }, signal);
}

async function askAlone(
  { account, fields, graph, signal }: ProfileRequest,
  apart: Set<string>,
): Promise<Node> {
  const { id } = account;
  try {
    const node = await graph.get(
      { endpoint: '/{account}', path: `/${id}`, query: { fields }, accountId: id },
      signal,
    );
    apart.delete(id);
    return node;
  } catch (error) {
    if (isRefusal(error)) apart.add(id);
    throw error;
  }
}
