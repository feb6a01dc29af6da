import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import type { Day, Total } from '../world/model.ts';

/** What the bodies say of one account. */
export interface CollectedAccount {
  readonly id: string;
  /** Fields of the account, the latest word on each. */
  user: JsonObject;
  /** By id; each with the latest word on each field. */
  readonly media: Map<string, JsonObject>;
  readonly stories: Map<string, JsonObject>;
  readonly days: Map<number, Day>;
  /** By `metric|breakdown|since|until`, the last three as they were asked. */
  readonly totals: Map<string, Total>;
}

/** What a whole recording says. */
export interface Collected {
  readonly accounts: ReadonlyMap<string, CollectedAccount>;
  readonly pages: readonly (JsonObject & { readonly id: string })[];
  /** The recording's own cursors and the media that each names. */
  readonly cursors: ReadonlyMap<string, string>;
  /** When the recording ends, as far as it shows. */
  readonly endMs: number;
}

interface Gathering {
  readonly accounts: Map<string, CollectedAccount>;
  readonly pages: Map<string, JsonObject & { readonly id: string }>;
  readonly cursors: Map<string, string>;
  endMs: number;
}

/** Gathers what the successful bodies of a recording say. */
export function collect(exchanges: readonly Exchange[]): Collected {
  const gathering: Gathering = {
    accounts: new Map(),
    pages: new Map(),
    cursors: new Map(),
    endMs: 0,
  };
  for (const exchange of exchanges) {
    gather(exchange, gathering);
  }
  return { ...gathering, pages: [...gathering.pages.values()] };
}

function gather({ request, response }: Exchange, gathering: Gathering): void {
  const [, id = '', edge] = request.path.split('/').filter((segment) => segment !== '');
  noteTime(gathering, Date.parse(request.query['since'] ?? ''));
  noteTime(gathering, Date.parse(request.query['until'] ?? ''));
  if (id === 'me') {
    gatherPages(response.body, gathering);
    return;
  }
  const account = accountOf(id, gathering);
  if (response.status !== 200) {
    return;
  }
  if (edge === undefined) {
    account.user = { ...account.user, ...response.body };
  } else if (edge === 'media' || edge === 'stories') {
    gatherList(account[edge], response.body, gathering);
  } else if (edge === 'insights') {
    gatherInsights(account, { request, response }, gathering);
  }
}

function gatherPages(body: JsonObject, { pages }: Gathering): void {
  for (const page of listed(body)) {
    pages.set(page.id, withoutToken({ ...pages.get(page.id), ...page }));
  }
}

function accountOf(id: string, { accounts }: Gathering): CollectedAccount {
  const known = accounts.get(id);
  const account = known ?? {
    id,
    user: { id },
    media: new Map(),
    stories: new Map(),
    days: new Map(),
    totals: new Map(),
  };
  accounts.set(id, account);
  return account;
}

function gatherList(into: Map<string, JsonObject>, body: JsonObject, gathering: Gathering): void {
  const nodes = listed(body);
  for (const node of nodes) {
    into.set(node.id, { ...into.get(node.id), ...node });
    noteTime(gathering, Date.parse(textOf(node['timestamp'])));
  }
  const paging = isObject(body['paging']) ? body['paging'] : {};
  const cursors = isObject(paging['cursors']) ? paging['cursors'] : {};
  const [first, last] = [nodes[0], nodes.at(-1)];
  if (first !== undefined && last !== undefined) {
    gathering.cursors.set(textOf(cursors['before']), first.id);
    gathering.cursors.set(textOf(cursors['after']), last.id);
  }
}

function gatherInsights(
  account: CollectedAccount,
  { request, response }: Exchange,
  gathering: Gathering,
): void {
  const data = response.body['data'];
  for (const entry of Array.isArray(data) ? (data as readonly Json[]) : []) {
    if (isObject(entry) && Array.isArray(entry['values'])) {
      const values = entry['values'] as readonly Json[];
      gatherDays(account, { name: textOf(entry['name']), values }, gathering);
    } else if (isObject(entry)) {
      gatherTotal(account, entry, request.query);
    }
  }
  noteTime(gathering, timeOf({ request, response }));
}

function gatherTotal(
  account: CollectedAccount,
  entry: JsonObject,
  { breakdown = '', since = '', until = '' }: Readonly<Record<string, string>>,
): void {
  const asked = [textOf(entry['name']), breakdown, since, until].join('|');
  const total = isObject(entry['total_value']) ? entry['total_value'] : {};
  const value = total['value'];
  account.totals.set(asked, typeof value === 'number' ? { value } : {});
}

/** Only the day series of reach is known well enough to be told again. */
function gatherDays(
  account: CollectedAccount,
  { name, values }: { name: string; values: readonly Json[] },
  gathering: Gathering,
): void {
  for (const one of values) {
    if (isObject(one) && name === 'reach' && typeof one['value'] === 'number') {
      const endTimeMs = Date.parse(textOf(one['end_time']));
      account.days.set(endTimeMs, { endTimeMs, reach: one['value'] });
      noteTime(gathering, endTimeMs);
    }
  }
}

/**
 * The time of an exchange, where it shows: with `since` alone the window ended at the time of the
 * call, and `next` begins there. NaN otherwise.
 */
export function timeOf({ request, response }: Exchange): number {
  const { paging } = response.body;
  const next = isObject(paging) && request.query['until'] === undefined ? paging['next'] : null;
  const since = /[?&]since=(\d+)/.exec(textOf(next))?.[1];
  return since === undefined ? Number.NaN : Number(since) * 1000;
}

function noteTime(gathering: Gathering, atMs: number): void {
  if (atMs > gathering.endMs) {
    gathering.endMs = atMs;
  }
}

function listed(body: JsonObject): (JsonObject & { readonly id: string })[] {
  const data = Array.isArray(body['data']) ? (body['data'] as readonly Json[]) : [];
  return data.flatMap((node) =>
    isObject(node) && typeof node['id'] === 'string' ? [{ ...node, id: node['id'] }] : [],
  );
}

function withoutToken(
  page: JsonObject & { readonly id: string },
): JsonObject & { readonly id: string } {
  const kept = Object.entries(page).filter(([name]) => name !== 'access_token');
  return { ...Object.fromEntries(kept), id: page.id };
}

function textOf(value: Json | null | undefined): string {
  return typeof value === 'string' ? value : '';
}
