import { type JsonObject, isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import {
  type CollectedHashtag,
  type Collection,
  accountOf,
  collectList,
  collectPage,
  emptyAccount,
  listed,
  pathOf,
  textOf,
} from './collection.ts';

const DISCOVERY = /^business_discovery\.username\(([^()]*)\)/;

/** Collects another account that an account has requested by its user name. */
export function collectDiscovered({ request, response }: Exchange, collection: Collection): void {
  const name = DISCOVERY.exec(request.query['fields'] ?? '')?.[1];
  if (name === undefined) return;
  const { discovered } = collection.others;
  const found = response.body['business_discovery'];
  if (!isObject(found)) {
    discovered.set(name, null);
    return;
  }
  const { media, ...user } = found;
  const account = discovered.get(name) ?? emptyAccount(textOf(found['id']));
  account.user = { ...account.user, ...user };
  discovered.set(name, account);
  if (isObject(media))
    collectPage(account.media, { path: `@${name}/media`, body: media }, collection);
}

const SEARCH = 'ig_hashtag_search';
const LISTS = new Set<string | undefined>(['recent_media', 'top_media']);
const UNKNOWN_ERROR = 1;
const NO_PERMISSION = 10;

/** Collects a hashtag's id or its media, rejections included; returns false for other exchanges. */
export function collectHashtag(exchange: Exchange, collection: Collection): boolean {
  const { id, edge } = pathOf(exchange);
  if (id !== SEARCH && !LISTS.has(edge)) return false;
  const { error } = exchange.response.body;
  if (isObject(error)) collectRejection(exchange, error, collection);
  else if (edge === undefined) collectSearch(exchange, collection);
  else collectMedia(edge, exchange, collection);
  return true;
}

function hashtagOf(id: string, { others: { hashtags } }: Collection): CollectedHashtag {
  const hashtag = hashtags.get(id) ?? { lists: new Map<string, Map<string, JsonObject>>() };
  hashtags.set(id, hashtag);
  return hashtag;
}

function collectSearch({ request, response }: Exchange, collection: Collection): void {
  const [found] = listed(response.body);
  if (found !== undefined) hashtagOf(found.id, collection).name = nameIn(request);
}

/** The API ignores the case of a hashtag. */
function nameIn({ query }: Exchange['request']): string {
  return (query['q'] ?? '').toLowerCase();
}

function collectMedia(edge: string, exchange: Exchange, collection: Collection): void {
  const { request, response } = exchange;
  const { others } = collection;
  const { lists } = hashtagOf(pathOf(exchange).id, collection);
  const list = lists.get(edge) ?? new Map<string, JsonObject>();
  lists.set(edge, list);
  const [first] = listed(response.body);
  const isAgain = 'after' in request.query && first !== undefined && list.has(first.id);
  const hasNext = isObject(response.body['paging']) && 'next' in response.body['paging'];
  others.conditions = {
    ...others.conditions,
    ...(isAgain && { hashtagEnd: 'again' }),
    ...(hasNext && { hashtagNext: true }),
  };
  collectList(list, exchange, collection);
}

function collectRejection({ request }: Exchange, error: JsonObject, collection: Collection): void {
  const { others } = collection;
  const { id, edge } = pathOf({ request });
  if (edge !== undefined) hashtagOf(id, collection);
  if (error['code'] === NO_PERMISSION) {
    accountOf(request.query['user_id'] ?? '', collection).denied.add(edge ?? id);
  } else if (edge === undefined) {
    const { sensitiveHashtags = [] } = others.conditions;
    others.conditions = {
      ...others.conditions,
      sensitiveHashtags: [...sensitiveHashtags, nameIn(request)],
      hashtagRefusal: error['code'] === UNKNOWN_ERROR ? 'server' : 'parameter',
    };
  }
}
