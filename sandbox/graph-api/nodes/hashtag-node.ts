import type { Context, EdgeRequest, GraphNode } from '../context.ts';
import { graphError } from '../errors.ts';
import type { Json } from '../json.ts';
import { mayRead } from '../tokens/app.ts';
import { createDraw, drawDigits } from '../world/draws.ts';
import type { Account, Media, World } from '../world/model.ts';
import { mediaNode } from './media-node.ts';
import { renderNode } from './render.ts';

const DAY_MS = 86_400_000;
/** An account may search for so many different hashtags in seven days. */
const MAX_HASHTAGS = 30;
const COUNTED_MS = 7 * DAY_MS;
const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 50;
/** The cursor of every page: the API remembers the position (documented). */
const CURSOR = 'QVFIUhashtag';

/** Fields of a media that the lists of a hashtag have. */
const READABLE = new Set([
  ...['id', 'caption', 'children', 'comments_count', 'like_count', 'media_type', 'media_url'],
  ...['permalink', 'timestamp'],
]);

/** The hashtags that were searched in a world. */
interface Searches {
  /** Name by id, of all accounts. */
  readonly names: Map<string, string>;
  /** Account id to hashtag to its first search within seven days. */
  readonly counted: Map<string, Map<string, number>>;
  /** The position of each account in each list. */
  readonly positions: Map<string, number>;
}

const searchesByWorld = new WeakMap<World, Searches>();

function searchesOf(world: World): Searches {
  const created = { names: new Map(), counted: new Map(), positions: new Map() } as Searches;
  const searches = searchesByWorld.get(world) ?? created;
  searchesByWorld.set(world, searches);
  return searches;
}

/** Answers `/ig_hashtag_search?user_id=…&q=…`: the id of a hashtag. Facebook Login only. */
export function hashtagSearch({ parameters }: EdgeRequest, context: Context): Json {
  const { world, nowMs } = context;
  const accountId = userOf(parameters, 'ig_hashtag_search', context);
  const name = required(parameters, 'q').toLowerCase();
  const { names, counted } = searchesOf(world);
  const ofAccount = counted.get(accountId) ?? new Map<string, number>();
  counted.set(accountId, ofAccount);
  for (const [known, atMs] of ofAccount) if (nowMs - atMs >= COUNTED_MS) ofAccount.delete(known);
  const isSensitive = world.conditions.spec.sensitiveHashtags?.includes(name) === true;
  const isFull = !ofAccount.has(name) && ofAccount.size >= MAX_HASHTAGS;
  const id = idOf(name, world);
  if (isSensitive || isFull || id === undefined) throw refusal(world);
  if (!ofAccount.has(name)) ofAccount.set(name, nowMs);
  names.set(id, name);
  return { data: [{ id }] };
}

/** Returns the recorded id of a hashtag, else one of its own; undefined for an invalid name. */
function idOf(name: string, { others }: World): string | undefined {
  // The invented names of a recording may have any characters.
  const found = [...(others?.hashtags ?? [])].find(([, hashtag]) => hashtag.name === name);
  if (found !== undefined) return found[0];
  const isValid = /^[\p{L}\p{M}\p{N}_]+$/u.test(name);
  return isValid ? `1784${drawDigits(createDraw(`hashtag/${name}`), 'id', 13)}` : undefined;
}

/** The error is documented as generic; no source records it. */
function refusal({ conditions }: World): Error {
  return graphError(
    conditions.spec.hashtagRefusal === 'server' ? 'unexpected' : 'invalid-parameter',
  );
}

/** Returns the account that asks; it must be the caller's, and the app must have the feature. */
function userOf(parameters: ReadonlyMap<string, string>, edge: string, context: Context): string {
  const { id } = context.lookup(required(parameters, 'user_id'));
  const denied = context.world.conditions.spec.deniedEdges?.[id]?.includes(edge) === true;
  if (denied || !mayRead('basic', context)) throw graphError('no-permission');
  return id;
}

function required(parameters: ReadonlyMap<string, string>, name: string): string {
  const value = parameters.get(name);
  if (value === undefined || value === '') throw graphError('required', name);
  return value;
}

/** Returns the node of a hashtag that was searched or recorded; undefined for any other id. */
export function hashtagNode(id: string, world: World): GraphNode | undefined {
  const recorded = world.others?.hashtags.get(id);
  const name = recorded?.name ?? searchesOf(world).names.get(id);
  if (name === undefined && recorded === undefined) return undefined;
  return {
    id,
    defaultFields: ['id'],
    field: (request) => (request.name === 'name' ? name : undefined),
    edge: (edge, request, context) => {
      const list = lists.get(edge);
      if (list === undefined) throw graphError('unknown-path', `/${edge}`);
      const media =
        recorded === undefined
          ? list(mediaOf(name ?? '', context), context)
          : (recorded.media.get(edge) ?? []);
      return renderMedia({ id, edge, media }, request, context);
    },
  };
}

/** The lists of a hashtag: the media of the last day, newest first; all media by their likes. */
const lists: ReadonlyMap<string, (media: readonly Media[], context: Context) => readonly Media[]> =
  new Map([
    [
      'recent_media',
      (media, { nowMs }) => media.filter(({ createdAtMs }) => nowMs - createdAtMs < DAY_MS),
    ],
    [
      'top_media',
      (media, { nowMs }) => media.toSorted((a, b) => likesOf(b, nowMs) - likesOf(a, nowMs)),
    ],
  ]);

function likesOf(media: Media, nowMs: number): number {
  return Number(media.fields(nowMs)['like_count'] ?? 0);
}

function mediaOf(name: string, { world, nowMs }: Context): readonly Media[] {
  const isNamed = (media: Media): boolean => {
    const { caption } = media.fields(nowMs);
    const text = typeof caption === 'string' ? caption.toLowerCase() : '';
    return Array.from(text.matchAll(/#[\p{L}\p{M}\p{N}_]+/gu), String).includes(`#${name}`);
  };
  return world.accounts
    .flatMap((account: Account) => account.mediaAt(nowMs))
    .filter(isNamed)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs);
}

interface HashtagList {
  readonly id: string;
  readonly edge: string;
  readonly media: readonly Media[];
}

function checkCursor(after: string | undefined, { world }: Context): void {
  if (after === undefined || after === CURSOR || world.cursors?.has(after) === true) return;
  throw graphError('bad-cursor');
}

function renderMedia({ id, edge, media }: HashtagList, request: EdgeRequest, context: Context) {
  const { parameters, fields } = request;
  const { conditions } = context.world;
  const { positions } = searchesOf(context.world);
  const user = userOf(parameters, edge, context);
  const position = `${user}/${id}/${edge}`;
  const after = parameters.get('after');
  checkCursor(after, context);
  const limit = Math.min(MAX_LIMIT, Number(parameters.get('limit') ?? DEFAULT_LIMIT));
  const reached = after === undefined ? 0 : (positions.get(position) ?? 0);
  const isOver = reached >= media.length && conditions.spec.hashtagEnd === 'again';
  const start = isOver ? 0 : reached;
  const shown = media.slice(start, start + limit);
  positions.set(position, start + shown.length);
  const data = shown.map((one) => renderNode(foreignNode(one), fields, context));
  if (shown.length === 0) return { data };
  const query = new URLSearchParams([...parameters, ['after', CURSOR]]).toString();
  const next = `${context.origin}/${context.version}/${id}/${edge}?${query}`;
  const hasNext = conditions.spec.hashtagNext === true;
  return { data, paging: { cursors: { after: CURSOR }, ...(hasNext ? { next } : {}) } };
}

function foreignNode(media: Media): GraphNode {
  const node = mediaNode(media, { direct: false });
  return {
    ...node,
    field: (request, context) => {
      if (request.name === 'insights') throw graphError('no-permission');
      const value = node.field(request, context);
      return READABLE.has(request.name) ? value : undefined;
    },
  };
}
