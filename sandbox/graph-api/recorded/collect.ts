import type { BusinessPages } from '../conditions-spec.ts';
import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import type { Day } from '../world/model.ts';
import { collectOfMedia, collectRefusalOfMedia } from './collect-media.ts';
import { collectDiscovered, collectHashtag } from './collect-others.ts';
import {
  type Collected,
  type CollectedAccount,
  type Collection,
  accountOf,
  collectList,
  listed,
  ownerOf,
  partsOf,
  pathOf,
  recordTime,
  textOf,
} from './collection.ts';
import { looksLikeMedia } from './media.ts';

/** Collects the data of the successful bodies of a recording. */
export function collect(exchanges: readonly Exchange[]): Collected {
  const collection: Collection = {
    accounts: new Map(),
    others: { discovered: new Map(), hashtags: new Map(), conditions: {} },
    media: new Map(),
    pages: new Map(),
    listedPages: new Set(),
    businesses: new Map(),
    cursors: new Map(),
    unfinished: new Map(),
    endMs: 0,
  };
  for (const exchange of exchanges) {
    recordTimes(exchange, collection);
    if (!collectHashtag(exchange, collection)) collectExchange(exchange, collection);
  }
  // A list that the recording leaves before its end goes on after its last item.
  for (const list of collection.unfinished.values()) list.set(UNKNOWN_ID, { id: UNKNOWN_ID });
  const { pages, listedPages } = collection;
  const unlistedPages = [...pages.keys()].filter((id) => !listedPages.has(id));
  return { ...collection, pages: [...pages.values()], unlistedPages };
}

/** The id of an item that no body shows. */
const UNKNOWN_ID = '0';
const BUSINESS_LISTS = new Map<string | undefined, keyof BusinessPages>([
  ['owned_pages', 'owned'],
  ['client_pages', 'client'],
]);

function recordTimes({ time, request }: Exchange, collection: Collection): void {
  for (const one of [time, request.query['since'], request.query['until']]) {
    recordTime(collection, Date.parse(one ?? ''));
  }
}

function collectExchange(exchange: Exchange, collection: Collection): void {
  const { response } = exchange;
  const { id, edge } = pathOf(exchange);
  // A batch that was rejected as a whole.
  if (id === '') return;
  const list = BUSINESS_LISTS.get(edge);
  if (id === 'me') {
    collectOwn(edge, response.body, collection);
  } else if (response.status !== 200) {
    collectRejection(exchange, collection);
  } else if (list !== undefined) {
    const ids = collectPages(response.body, collection);
    const known = collection.businesses.get(id);
    collection.businesses.set(id, { ...known, [list]: [...(known?.[list] ?? []), ...ids] });
  } else if (!collectMedia(exchange, collection)) {
    collectAccount(accountOf(id, collection), { edge, exchange }, collection);
  }
}

function collectAccount(
  account: CollectedAccount,
  { edge, exchange }: { edge: string | undefined; exchange: Exchange },
  collection: Collection,
): void {
  const { body } = exchange.response;
  if (edge === undefined) {
    account.user = { ...account.user, ...without('business_discovery', body) };
    collectDiscovered(exchange, collection);
  } else if (edge === 'media' || edge === 'stories') {
    collectList(account[edge], exchange, collection);
  } else if (edge === 'insights') {
    collectInsights(account, exchange, collection);
  } else if (Array.isArray(body['data'])) {
    const list = account.foreign.get(edge) ?? new Map<string, JsonObject>();
    account.foreign.set(edge, list);
    collectList(list, exchange, collection);
  }
}

/** Collects what belongs to a media or to its comments; returns false for other exchanges. */
function collectMedia(exchange: Exchange, collection: Collection): boolean {
  const { id, edge } = pathOf(exchange);
  const isKnown = isMedia(id, collection);
  if (edge === undefined && !isKnown && !looksLikeMedia(exchange.response.body)) return false;
  if (edge === 'insights' && !isKnown) return false;
  return collectOfMedia(exchange, collection);
}

/** True for an id that a list has shown to be a media. */
function isMedia(id: string, collection: Collection): boolean {
  return collection.media.has(id) || ownerOf(id, collection) !== undefined;
}

/** Collects the lists of the token's user, or with Instagram Login the account itself. */
function collectOwn(edge: string | undefined, body: JsonObject, collection: Collection): void {
  if (edge === 'businesses') {
    for (const { id } of listed(body)) collection.businesses.set(id, {});
  } else if (edge === 'accounts') {
    for (const id of collectPages(body, collection)) collection.listedPages.add(id);
  } else if (typeof body['user_id'] === 'string') {
    const { user_id: id, id: appScopedId, ...user } = body;
    const account = accountOf(id, collection);
    if (typeof appScopedId === 'string') account.appScopedId = appScopedId;
    account.user = { ...account.user, ...user };
  }
}

/** Collects pages, and the accounts that they name; returns the ids of the pages. */
function collectPages(body: JsonObject, collection: Collection): string[] {
  const { pages } = collection;
  return listed(body).map((page) => {
    pages.set(page.id, { ...pages.get(page.id), ...without('access_token', page), id: page.id });
    const named = page['instagram_business_account'];
    if (isObject(named) && typeof named['id'] === 'string') {
      const account = accountOf(named['id'], collection);
      account.pageId = page.id;
      account.user = { ...account.user, ...named };
    }
    return page.id;
  });
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

const NOT_ENOUGH_USERS = 3006;
const NO_PERMISSION = 10;
const NO_OBJECT = 33;

/** A rejected account exists; some accounts have too few people for demographics. */
function collectRejection(exchange: Exchange, collection: Collection): void {
  const { request, response } = exchange;
  const error = isObject(response.body['error']) ? response.body['error'] : {};
  const { id, edge } = pathOf(exchange);
  if (error['error_subcode'] === NO_OBJECT) return;
  const owner = ownerOf(id, collection);
  if (edge === 'comments' && error['code'] === NO_PERMISSION) owner?.denied.add(edge);
  if (isMedia(id, collection)) {
    collectRefusalOfMedia(exchange, error, collection);
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

function without(name: string, node: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(node).filter(([one]) => one !== name));
}
