import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import { type CollectedMedia, looksLikeMedia } from './media.ts';
import type { Audience, Day, Total } from '../world/model.ts';

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
  /** By `metric|breakdown`. */
  readonly audiences: Map<string, Audience>;
}

/** What a whole recording says. */
export interface Collected {
  readonly accounts: ReadonlyMap<string, CollectedAccount>;
  /** What was asked for by its own id, as far as it is no account. */
  readonly media: ReadonlyMap<string, CollectedMedia>;
  readonly pages: readonly (JsonObject & { readonly id: string })[];
  /** The recording's own cursors and the media that each names. */
  readonly cursors: ReadonlyMap<string, string>;
  /** When the recording ends, as far as it shows. */
  readonly endMs: number;
}

interface Gathering {
  readonly accounts: Map<string, CollectedAccount>;
  readonly media: Map<string, CollectedMedia>;
  readonly pages: Map<string, JsonObject & { readonly id: string }>;
  readonly cursors: Map<string, string>;
  endMs: number;
}

/** Gathers what the successful bodies of a recording say. */
export function collect(exchanges: readonly Exchange[]): Collected {
  const gathering: Gathering = {
    accounts: new Map(),
    media: new Map(),
    pages: new Map(),
    cursors: new Map(),
    endMs: 0,
  };
  for (const exchange of exchanges) {
    gather(exchange, gathering);
  }
  return { ...gathering, pages: [...gathering.pages.values()] };
}

function gather(exchange: Exchange, gathering: Gathering): void {
  const { request, response } = exchange;
  noteTime(gathering, Date.parse(request.query['since'] ?? ''));
  noteTime(gathering, Date.parse(request.query['until'] ?? ''));
  const { id, edge } = pathOf(exchange);
  if (id === 'me') {
    gatherPages(response.body, gathering);
  } else if (response.status !== 200) {
    gatherRefusal(exchange, gathering);
  } else if (!gatherMedia(exchange, gathering)) {
    gatherAccount(accountOf(id, gathering), { edge, exchange }, gathering);
  }
}

function pathOf({ request }: Exchange): { id: string; edge: string | undefined } {
  const [, id = '', edge] = request.path.split('/').filter((segment) => segment !== '');
  return { id, edge };
}

function gatherAccount(
  account: CollectedAccount,
  { edge, exchange }: { edge: string | undefined; exchange: Exchange },
  gathering: Gathering,
): void {
  const { body } = exchange.response;
  if (edge === undefined) {
    account.user = { ...account.user, ...body };
  } else if (edge === 'media' || edge === 'stories') {
    gatherList(account[edge], body, gathering);
  } else if (edge === 'insights') {
    gatherInsights(account, exchange, gathering);
  }
}

/** Whether the exchange is about a media by its own id. */
function gatherMedia(exchange: Exchange, gathering: Gathering): boolean {
  const { id, edge } = pathOf(exchange);
  const { body } = exchange.response;
  if (edge === 'children' || edge === 'comments') {
    mediaOf(id, {}, gathering)[edge].push(...listed(body));
    return true;
  }
  const isMedia = edge === undefined && (gathering.media.has(id) || looksLikeMedia(body));
  if (isMedia) mediaOf(id, body, gathering);
  return isMedia;
}

function mediaOf(id: string, node: JsonObject, { media }: Gathering): CollectedMedia {
  const known = media.get(id) ?? { id, fields: {}, children: [], comments: [] };
  known.fields = { ...known.fields, ...node };
  media.set(id, known);
  return known;
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
    audiences: new Map(),
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
      gatherDays(account, entry, gathering);
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
  const name = textOf(entry['name']);
  const total = isObject(entry['total_value']) ? entry['total_value'] : {};
  const parts = partsOf(total['breakdowns']);
  if (name.endsWith('_demographics')) {
    account.audiences.set(`${name}|${breakdown}`, parts ?? 'none');
    return;
  }
  const { value } = total;
  account.totals.set([name, breakdown, since, until].join('|'), {
    ...(typeof value === 'number' ? { value } : {}),
    ...(parts === undefined ? {} : { parts }),
  });
}

/** The results of a breakdown in their order; undefined where there are none. */
function partsOf(breakdowns: Json | undefined): Record<string, number> | undefined {
  const [breakdown] = Array.isArray(breakdowns) ? (breakdowns as readonly Json[]) : [];
  const results = isObject(breakdown) ? breakdown['results'] : undefined;
  if (!Array.isArray(results)) return undefined;
  const parts = (results as readonly Json[]).flatMap((result) => {
    if (!isObject(result) || !Array.isArray(result['dimension_values'])) return [];
    return [[result['dimension_values'].join(','), Number(result['value'])] as const];
  });
  return Object.fromEntries(parts);
}

const NOT_ENOUGH_USERS = 3006;
const NO_OBJECT = 33;

/** An account that is refused something exists; some have too few people for demographics. */
function gatherRefusal(exchange: Exchange, gathering: Gathering): void {
  const { request, response } = exchange;
  const error = isObject(response.body['error']) ? response.body['error'] : {};
  const { id } = pathOf(exchange);
  if (error['error_subcode'] === NO_OBJECT || gathering.media.has(id)) {
    return;
  }
  const account = accountOf(id, gathering);
  if (error['code'] === NOT_ENOUGH_USERS) {
    const { metric = '', breakdown = '' } = request.query;
    account.audiences.set(`${metric}|${breakdown}`, 'refused');
  }
}

/** Where a day keeps the values of a series. */
const SERIES: Readonly<Record<string, keyof Day>> = {
  'reach/day': 'reach',
  'reach/week': 'reachWeek',
  'reach/days_28': 'reachDays28',
  'follower_count/day': 'followerCount',
  'online_followers/lifetime': 'onlineFollowers',
};

function gatherDays(account: CollectedAccount, entry: JsonObject, gathering: Gathering): void {
  const key = SERIES[`${textOf(entry['name'])}/${textOf(entry['period'])}`];
  const values = Array.isArray(entry['values']) ? (entry['values'] as readonly Json[]) : [];
  for (const one of values) {
    const endTimeMs = isObject(one) ? Date.parse(textOf(one['end_time'])) : Number.NaN;
    if (!isObject(one) || key === undefined || Number.isNaN(endTimeMs)) continue;
    const day = account.days.get(endTimeMs) ?? { endTimeMs };
    account.days.set(endTimeMs, { ...day, [key]: one['value'] });
    noteTime(gathering, endTimeMs);
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
