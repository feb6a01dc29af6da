import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import { type CollectedMedia, looksLikeMedia } from './media.ts';
import type { Audience, Day, Total } from '../world/model.ts';

/** The recorded data of one account. */
export interface CollectedAccount {
  readonly id: string;
  /** Fields of the account; the latest value of each. */
  user: JsonObject;
  /** Media by id; the latest value of each field. */
  readonly media: Map<string, JsonObject>;
  readonly stories: Map<string, JsonObject>;
  readonly days: Map<number, Day>;
  /** Totals by `metric|breakdown|since|until`, the last three as requested. */
  readonly totals: Map<string, Total>;
  /** Audiences by `metric|breakdown`. */
  readonly audiences: Map<string, Audience>;
}

/** The data of a whole recording. */
export interface Collected {
  readonly accounts: ReadonlyMap<string, CollectedAccount>;
  /** Objects that were requested by their own id, accounts excluded. */
  readonly media: ReadonlyMap<string, CollectedMedia>;
  readonly pages: readonly (JsonObject & { readonly id: string })[];
  /** The recording's own cursors and the media that each names. */
  readonly cursors: ReadonlyMap<string, string>;
  /** The recording's end, as far as it shows. */
  readonly endMs: number;
}

interface Collection {
  readonly accounts: Map<string, CollectedAccount>;
  readonly media: Map<string, CollectedMedia>;
  readonly pages: Map<string, JsonObject & { readonly id: string }>;
  readonly cursors: Map<string, string>;
  endMs: number;
}

/** Collects the data of the successful bodies of a recording. */
export function collect(exchanges: readonly Exchange[]): Collected {
  const collection: Collection = {
    accounts: new Map(),
    media: new Map(),
    pages: new Map(),
    cursors: new Map(),
    endMs: 0,
  };
  for (const exchange of exchanges) {
    collectExchange(exchange, collection);
  }
  return { ...collection, pages: [...collection.pages.values()] };
}

function collectExchange(exchange: Exchange, collection: Collection): void {
  const { request, response } = exchange;
  recordTime(collection, Date.parse(request.query['since'] ?? ''));
  recordTime(collection, Date.parse(request.query['until'] ?? ''));
  const { id, edge } = pathOf(exchange);
  if (id === 'me') {
    collectPages(response.body, collection);
  } else if (response.status !== 200) {
    collectRejection(exchange, collection);
  } else if (!collectMedia(exchange, collection)) {
    collectAccount(accountOf(id, collection), { edge, exchange }, collection);
  }
}

function pathOf({ request }: Exchange): { id: string; edge: string | undefined } {
  const [, id = '', edge] = request.path.split('/').filter((segment) => segment !== '');
  return { id, edge };
}

function collectAccount(
  account: CollectedAccount,
  { edge, exchange }: { edge: string | undefined; exchange: Exchange },
  collection: Collection,
): void {
  const { body } = exchange.response;
  if (edge === undefined) {
    account.user = { ...account.user, ...body };
  } else if (edge === 'media' || edge === 'stories') {
    collectList(account[edge], body, collection);
  } else if (edge === 'insights') {
    collectInsights(account, exchange, collection);
  }
}

/** Collects a media that was requested by its own id; returns false for other exchanges. */
function collectMedia(exchange: Exchange, collection: Collection): boolean {
  const { id, edge } = pathOf(exchange);
  const { body } = exchange.response;
  if (edge === 'children' || edge === 'comments') {
    mediaOf(id, {}, collection)[edge].push(...listed(body));
    return true;
  }
  const isMedia = edge === undefined && (collection.media.has(id) || looksLikeMedia(body));
  if (isMedia) mediaOf(id, body, collection);
  return isMedia;
}

function mediaOf(id: string, node: JsonObject, { media }: Collection): CollectedMedia {
  const known = media.get(id) ?? { id, fields: {}, children: [], comments: [] };
  known.fields = { ...known.fields, ...node };
  media.set(id, known);
  return known;
}

function collectPages(body: JsonObject, { pages }: Collection): void {
  for (const page of listed(body)) {
    pages.set(page.id, withoutToken({ ...pages.get(page.id), ...page }));
  }
}

function accountOf(id: string, { accounts }: Collection): CollectedAccount {
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

function collectList(
  into: Map<string, JsonObject>,
  body: JsonObject,
  collection: Collection,
): void {
  const nodes = listed(body);
  for (const node of nodes) {
    into.set(node.id, { ...into.get(node.id), ...node });
    recordTime(collection, Date.parse(textOf(node['timestamp'])));
  }
  const paging = isObject(body['paging']) ? body['paging'] : {};
  const cursors = isObject(paging['cursors']) ? paging['cursors'] : {};
  const [first, last] = [nodes[0], nodes.at(-1)];
  if (first !== undefined && last !== undefined) {
    collection.cursors.set(textOf(cursors['before']), first.id);
    collection.cursors.set(textOf(cursors['after']), last.id);
  }
}

function collectInsights(
  account: CollectedAccount,
  { request, response }: Exchange,
  collection: Collection,
): void {
  const data = response.body['data'];
  for (const entry of Array.isArray(data) ? (data as readonly Json[]) : []) {
    if (isObject(entry) && Array.isArray(entry['values'])) {
      collectDays(account, entry, collection);
    } else if (isObject(entry)) {
      gatherTotal(account, entry, request.query);
    }
  }
  recordTime(collection, timeOf({ request, response }));
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

/** Returns the results of a breakdown in their order; undefined where there are none. */
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

/** A rejected account exists; some accounts have too few people for demographics. */
function collectRejection(exchange: Exchange, collection: Collection): void {
  const { request, response } = exchange;
  const error = isObject(response.body['error']) ? response.body['error'] : {};
  const { id } = pathOf(exchange);
  if (error['error_subcode'] === NO_OBJECT || collection.media.has(id)) {
    return;
  }
  const account = accountOf(id, collection);
  if (error['code'] === NOT_ENOUGH_USERS) {
    const { metric = '', breakdown = '' } = request.query;
    account.audiences.set(`${metric}|${breakdown}`, 'refused');
  }
}

/** The fields of a day that hold the values of a series. */
const SERIES: Readonly<Record<string, keyof Day>> = {
  'reach/day': 'reach',
  'reach/week': 'reachWeek',
  'reach/days_28': 'reachDays28',
  'follower_count/day': 'followerCount',
  'online_followers/lifetime': 'onlineFollowers',
};

function collectDays(account: CollectedAccount, entry: JsonObject, collection: Collection): void {
  const key = SERIES[`${textOf(entry['name'])}/${textOf(entry['period'])}`];
  const values = Array.isArray(entry['values']) ? (entry['values'] as readonly Json[]) : [];
  for (const one of values) {
    const endTimeMs = isObject(one) ? Date.parse(textOf(one['end_time'])) : Number.NaN;
    if (!isObject(one) || key === undefined || Number.isNaN(endTimeMs)) continue;
    const day = account.days.get(endTimeMs) ?? { endTimeMs };
    account.days.set(endTimeMs, { ...day, [key]: one['value'] });
    recordTime(collection, endTimeMs);
  }
}

/**
 * Returns the time of an exchange, where it shows: with `since` alone the window ended at the time
 * of the call, and `next` begins there. NaN otherwise.
 */
export function timeOf({ request, response }: Exchange): number {
  const { paging } = response.body;
  const next = isObject(paging) && request.query['until'] === undefined ? paging['next'] : null;
  const since = /[?&]since=(\d+)/.exec(textOf(next))?.[1];
  return since === undefined ? Number.NaN : Number(since) * 1000;
}

function recordTime(collection: Collection, atMs: number): void {
  if (atMs > collection.endMs) {
    collection.endMs = atMs;
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
