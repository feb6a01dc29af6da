import type { Context, EdgeRequest, GraphNode } from './context.ts';
import { graphError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { renderNode } from './nodes/render.ts';

const DEFAULT_LIMIT = 25;
/** The largest page size that is known to work. */
const MAX_LIMIT = 100;
/** The largest page size of comments. */
export const MAX_COMMENTS = 50;

/** A node and its place in its list; places ascend from the first item to the last. */
export interface ListItem {
  readonly place: number;
  readonly node: GraphNode;
}

/** Items in order; each is created when it is read. */
export interface ItemList {
  readonly length: number;
  /** @param index - 0 or more */
  at(index: number): ListItem | undefined;
}

/** A list of nodes at a path. */
export interface NodeList {
  /** The path of the edge: `17841403584244541/media`. */
  readonly path: string;
  readonly items: ItemList;
  /** The largest page size; default 100. */
  readonly maxLimit?: number;
}

interface Cursor {
  readonly place: number;
  readonly id: string;
  /** True in the cursor of an empty page: the next page is not empty. */
  readonly full: boolean;
}

interface Window {
  readonly start: number;
  readonly end: number;
  readonly empty: boolean;
}

/** Renders one page of a list with cursors, `next` and `previous` as Meta does. */
export function renderList(list: NodeList, request: EdgeRequest, context: Context): JsonObject {
  const window = windowOf(list, request, context);
  const shown = window.empty ? [] : itemsIn(list.items, window);
  const data = shown.map(({ node }) => renderNode(node, request.fields, context));
  const paging = pagingOf({ list, window, shown }, request, context);
  return paging === undefined ? { data } : { data, paging };
}

function windowOf(list: NodeList, request: EdgeRequest, context: Context): Window {
  const { items } = list;
  const limit = limitOf(request, list.maxLimit ?? MAX_LIMIT);
  if (items.length > 0) {
    checkAmount(limit, context);
  }
  const after = request.parameters.get('after');
  const before = request.parameters.get('before');
  if (after === undefined && before !== undefined) {
    const end = placeOf(items, parseCursor(before, context));
    return { start: Math.max(0, end - limit), end, empty: false };
  }
  const cursor = after === undefined ? undefined : parseCursor(after, context);
  const start = cursor === undefined ? 0 : placeAfter(items, cursor);
  const sparse = context.world.sparsePages && cursor?.full !== true ? start : undefined;
  return sparseWindow({ start, limit, sparse }, items.length);
}

function checkAmount(limit: number, { world }: Context): void {
  if (limit > (world.conditions.spec.tooMuchData ?? MAX_LIMIT)) {
    throw graphError('too-much-data');
  }
}

/** Alternates short, empty and full pages in a sparse world. */
function sparseWindow(
  { start, limit, sparse }: { start: number; limit: number; sparse: number | undefined },
  count: number,
): Window {
  const half = Math.max(1, Math.ceil(limit / 2));
  const turn = sparse === undefined ? 2 : Math.round(sparse / half) % 3;
  if (turn === 1 && start > 0 && start < count) {
    return { start, end: start, empty: true };
  }
  return { start, end: Math.min(count, start + (turn === 0 ? half : limit)), empty: false };
}

interface Shown {
  readonly list: NodeList;
  readonly window: Window;
  readonly shown: readonly ListItem[];
}

function pagingOf(
  { list, window, shown }: Shown,
  request: EdgeRequest,
  context: Context,
): JsonObject | undefined {
  const previous = window.start === 0 ? undefined : list.items.at(window.start - 1);
  const first = shown[0] ?? previous;
  const last = shown.at(-1) ?? previous;
  if (first === undefined || last === undefined || (shown.length === 0 && !window.empty)) {
    return undefined;
  }
  const before = writeCursor(first, false);
  const after = writeCursor(last, window.empty);
  const link = (cursor: string, value: string): string =>
    linkTo(list.path, [...linkParameters(request, context), [cursor, value]], context);
  return {
    cursors: { before, after },
    ...(window.end < list.items.length ? { next: link('after', after) } : {}),
    ...(window.start > 0 ? { previous: link('before', before) } : {}),
  };
}

/** Returns the request's parameters without its cursors, with the token. */
function linkParameters(request: EdgeRequest, context: Context): [string, string][] {
  const kept = [...request.parameters].filter(([name]) => name !== 'after' && name !== 'before');
  return [...kept, ['access_token', context.token]];
}

/** Returns an absolute link to a path of the same version. */
function linkTo(
  path: string,
  parameters: readonly (readonly [string, string])[],
  context: Context,
): string {
  const query = new URLSearchParams(
    parameters.map(([name, value]): [string, string] => [name, value]),
  );
  return `${context.origin}/${context.version}/${path}?${query.toString()}`;
}

function limitOf(request: EdgeRequest, most: number): number {
  const text = request.parameters.get('limit');
  if (text === undefined) {
    return DEFAULT_LIMIT;
  }
  if (!/^\d+$/.test(text)) {
    throw graphError('not-an-integer', 'limit');
  }
  return Math.min(most, Math.max(1, Number(text)));
}

function writeCursor({ place, node }: ListItem, full: boolean): string {
  const text = `AQHS${place}:${node.id}${full ? ':full' : ''}`;
  return Buffer.from(text).toString('base64url');
}

function parseCursor(text: string, context: Context): Cursor {
  const recorded = context.world.cursors?.get(text);
  if (recorded !== undefined) {
    return { place: Number.POSITIVE_INFINITY, id: recorded, full: false };
  }
  const match = /^AQHS(-?\d+):(\w+)(:full)?$/.exec(Buffer.from(text, 'base64url').toString());
  if (match === null) {
    throw graphError('bad-cursor');
  }
  return { place: Number(match[1]), id: match[2] ?? '', full: match[3] !== undefined };
}

function itemsIn(items: ItemList, { start, end }: { start: number; end: number }): ListItem[] {
  const length = Math.max(0, Math.min(end, items.length) - start);
  return Array.from({ length }, (_, index) => items.at(start + index)).filter(
    (item) => item !== undefined,
  );
}

/** Returns the position of the cursor's item, or the position that it would have. */
function placeOf(items: ItemList, cursor: Cursor): number {
  return indexOf(items, cursor) ?? countUntil(items, cursor);
}

function placeAfter(items: ItemList, cursor: Cursor): number {
  const index = indexOf(items, cursor);
  return index === undefined ? countUntil(items, cursor) : index + 1;
}

function countUntil(items: ItemList, cursor: Cursor): number {
  return countBefore(items, (place) => place <= cursor.place);
}

/** Searches at the cursor's place, then everywhere: an item's place may have changed since. */
function indexOf(items: ItemList, cursor: Cursor): number | undefined {
  const first = countBefore(items, (place) => place < cursor.place);
  for (let index = first; items.at(index)?.place === cursor.place; index += 1) {
    if (items.at(index)?.node.id === cursor.id) return index;
  }
  for (let index = 0; index < items.length; index += 1) {
    if (items.at(index)?.node.id === cursor.id) return index;
  }
  return undefined;
}

/** Counts the leading items whose place is before; places ascend. */
function countBefore(items: ItemList, isBefore: (place: number) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isBefore(items.at(middle)?.place ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The time links of insights: always both, even into the future, with the token. */
export interface TimeLinks {
  readonly path: string;
  readonly sinceS: number;
  readonly untilS: number;
  /** True when the request has `until`. */
  readonly untilGiven: boolean;
  readonly parameters: readonly (readonly [string, string])[];
}

const DAY_S = 86_400;

/**
 * Returns the links to the windows before and after, of the same width; a day where only `since`
 * was sent.
 */
export function timePaging(links: TimeLinks, context: Context): Json {
  const { sinceS, untilS, untilGiven, parameters, path } = links;
  const width = untilGiven ? untilS - sinceS : DAY_S;
  const link = (from: number, to: number): string => {
    const since = ['since', String(from)] as const;
    const until = ['until', String(to)] as const;
    const token = ['access_token', context.token] as const;
    return linkTo(
      path,
      untilGiven ? [token, since, until, ...parameters] : [token, since, ...parameters, until],
      context,
    );
  };
  const nextFrom = untilGiven ? untilS + 1 : untilS;
  return {
    previous: link(sinceS - 1 - width, sinceS - 1),
    next: link(nextFrom, nextFrom + width),
  };
}
