import type { BusinessPages, ConditionsSpec } from '../conditions-spec.ts';
import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import type { Audience, Day, Total } from '../world/model.ts';
import type { CollectedMedia } from './media.ts';

/** The recorded data of one account. */
export interface CollectedAccount {
  readonly id: string;
  /** Fields of the account; the latest value of each. */
  user: JsonObject;
  /** The page that names the account. */
  pageId?: string;
  /** The `id` of Instagram Login, whose `user_id` is the account's id. */
  appScopedId?: string;
  /** Media by id; the latest value of each field. */
  readonly media: Map<string, JsonObject>;
  readonly stories: Map<string, JsonObject>;
  /** Other users' media by the edge that lists them, then by id. */
  readonly foreign: Map<string, Map<string, JsonObject>>;
  /** Edges of the account and of its media that the token may not read. */
  readonly denied: Set<string>;
  readonly days: Map<number, Day>;
  /** Totals by `metric|breakdown|since|until`, the last three as requested. */
  readonly totals: Map<string, Total>;
  /** Audiences by `metric|breakdown`. */
  readonly audiences: Map<string, Audience>;
}

/** A recorded hashtag. */
export interface CollectedHashtag {
  /** The searched name; absent where only its lists were requested. */
  name?: string;
  /** Media by the edge that lists them, then by id. */
  readonly lists: Map<string, Map<string, JsonObject>>;
}

/** The recorded accounts and hashtags of other people. */
export interface CollectedOthers {
  /** Accounts by the requested user name; null where an answer has no account. */
  readonly discovered: Map<string, CollectedAccount | null>;
  /** Hashtags by id. */
  readonly hashtags: Map<string, CollectedHashtag>;
  /** The conditions under which hashtags were answered. */
  conditions: ConditionsSpec;
}

/** The data of a whole recording. */
export interface Collected {
  readonly accounts: ReadonlyMap<string, CollectedAccount>;
  readonly others: CollectedOthers;
  /** Objects that were requested by their own id, accounts excluded. */
  readonly media: ReadonlyMap<string, CollectedMedia>;
  readonly pages: readonly CollectedPage[];
  readonly businesses: ReadonlyMap<string, BusinessPages>;
  /** Pages that only the lists of businesses have. */
  readonly unlistedPages: readonly string[];
  /** The recording's own cursors and the media that each names. */
  readonly cursors: ReadonlyMap<string, string>;
  /** The recording's end, as far as it shows. */
  readonly endMs: number;
}

export type CollectedPage = JsonObject & { readonly id: string };

/** The data collected so far. */
export interface Collection {
  readonly accounts: Map<string, CollectedAccount>;
  readonly others: CollectedOthers;
  readonly media: Map<string, CollectedMedia>;
  readonly pages: Map<string, CollectedPage>;
  readonly listedPages: Set<string>;
  readonly businesses: Map<string, BusinessPages>;
  readonly cursors: Map<string, string>;
  /** Lists whose last recorded page has a next one, by their path, with their items. */
  readonly unfinished: Map<string, Map<string, JsonObject>>;
  endMs: number;
}

/** Returns the id and the edge of a request. */
export function pathOf({ request }: Pick<Exchange, 'request'>): {
  id: string;
  edge: string | undefined;
} {
  const [, id = '', edge] = request.path.split('/').filter((segment) => segment !== '');
  return { id, edge };
}

/** Returns the account with an id, empty at first. */
export function accountOf(id: string, { accounts }: Collection): CollectedAccount {
  const account = accounts.get(id) ?? emptyAccount(id);
  accounts.set(id, account);
  return account;
}

/** Creates an account without data. */
export function emptyAccount(id: string): CollectedAccount {
  return {
    id,
    user: { id },
    media: new Map(),
    stories: new Map(),
    foreign: new Map(),
    denied: new Set(),
    days: new Map(),
    totals: new Map(),
    audiences: new Map(),
  };
}

/** Returns the account that lists a media as its own. */
export function ownerOf(id: string, { accounts }: Collection): CollectedAccount | undefined {
  return [...accounts.values()].find(({ media, stories }) => media.has(id) || stories.has(id));
}

/** Collects a page of a list: its items, and the cursors between its pages. */
export function collectList(
  into: Map<string, JsonObject>,
  exchange: Exchange,
  collection: Collection,
): void {
  const { request, response } = exchange;
  for (const node of listed(response.body)) {
    recordTime(collection, Date.parse(textOf(node['timestamp'])));
  }
  collectPage(into, { path: request.path, body: response.body }, collection);
}

/** Collects a page of the list at a path, which may be nested in another body. */
export function collectPage(
  into: Map<string, JsonObject>,
  { path, body }: { readonly path: string; readonly body: JsonObject },
  collection: Collection,
): void {
  const nodes = listed(body);
  for (const node of nodes) into.set(node.id, { ...into.get(node.id), ...node });
  const paging = isObject(body['paging']) ? body['paging'] : {};
  if (typeof paging['next'] === 'string') collection.unfinished.set(path, into);
  else collection.unfinished.delete(path);
  const cursors = isObject(paging['cursors']) ? paging['cursors'] : {};
  const [first, last] = [nodes[0], nodes.at(-1)];
  if (first !== undefined && last !== undefined) {
    collection.cursors.set(textOf(cursors['before']), first.id);
    collection.cursors.set(textOf(cursors['after']), last.id);
  }
}

/** Returns the results of a breakdown in their order; undefined where there are none. */
export function partsOf(breakdowns: Json | undefined): Record<string, number> | undefined {
  const [breakdown] = Array.isArray(breakdowns) ? (breakdowns as readonly Json[]) : [];
  const results = isObject(breakdown) ? breakdown['results'] : undefined;
  if (!Array.isArray(results)) return undefined;
  // The simulator adds a requested time span itself.
  const keys = isObject(breakdown) ? breakdown['dimension_keys'] : undefined;
  const spans = Array.isArray(keys) && keys[0] === 'timeframe' ? 1 : 0;
  const parts = (results as readonly Json[]).flatMap((result) => {
    if (!isObject(result) || !Array.isArray(result['dimension_values'])) return [];
    const values = result['dimension_values'].slice(spans);
    return [[values.join(','), Number(result['value'])] as const];
  });
  return Object.fromEntries(parts);
}

/** Moves the recording's end to a time; ignores NaN. */
export function recordTime(collection: Collection, atMs: number): void {
  if (atMs > collection.endMs) {
    collection.endMs = atMs;
  }
}

/** Returns the items of a list that have an id. */
export function listed(body: JsonObject): (JsonObject & { readonly id: string })[] {
  const data = Array.isArray(body['data']) ? (body['data'] as readonly Json[]) : [];
  return data.flatMap((node) =>
    isObject(node) && typeof node['id'] === 'string' ? [{ ...node, id: node['id'] }] : [],
  );
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
