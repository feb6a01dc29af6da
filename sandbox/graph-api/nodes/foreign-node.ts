import { type Context, type EdgeRequest, type GraphNode, nestedRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { FieldRequest } from '../fields-parser.ts';
import { type Json, type JsonObject, isObject } from '../json.ts';
import { renderList } from '../paging.ts';
import { type Readable, mayRead } from '../tokens/app.ts';
import { isMention } from '../world/foreign-media.ts';
import type { Account, Media } from '../world/model.ts';
import { commentNode } from './comment-node.ts';
import { mediaNode } from './media-node.ts';
import { renderNode } from './render.ts';

/** Fields of a media that other users can read. */
const PUBLIC = new Set([
  ...['id', 'caption', 'children', 'comments', 'comments_count', 'like_count', 'media_type'],
  ...['media_product_type', 'media_url', 'permalink', 'thumbnail_url', 'timestamp', 'username'],
]);
/**
 * Fields of a media that business discovery can read. Source: IG Media, the fields marked as public
 * (updated 2026-06-22), and `like_count`, which is absent where it is hidden.
 */
const DISCOVERABLE = new Set([
  ...['alt_text', 'caption', 'comments_count', 'id', 'is_shared_to_feed', 'like_count'],
  ...['media_audio_type', 'media_product_type', 'media_type', 'media_url', 'permalink'],
  ...['shortcode', 'thumbnail_url', 'timestamp', 'username', 'reposts_count'],
  ...['total_comments_count', 'total_like_count'],
]);
/** Fields of a media that its collaborators can read. Source: Meta's SDK v25.0.2 (2026-06). */
const SHARED = new Set([
  ...['id', 'caption', 'comments_count', 'like_count', 'media_product_type', 'media_type'],
  ...['media_url', 'permalink', 'reposts_count', 'saved_count', 'shares_count', 'thumbnail_url'],
  ...['timestamp', 'total_comments_count', 'total_like_count', 'total_views_count', 'username'],
]);

/** An account's list of other users' media. */
interface ForeignList {
  /** The fields that the account can read of them. */
  readonly readable: ReadonlySet<string>;
  readonly permission: Readable;
  /** The largest page size; default 100. */
  readonly maxLimit?: number;
  /** True where Instagram Login has no such edge. */
  readonly facebookOnly?: boolean;
}

/** The lists by their edge; `world/foreign-media.ts` has their media. */
export const FOREIGN_LISTS: ReadonlyMap<string, ForeignList> = new Map<string, ForeignList>([
  ['tags', { readable: PUBLIC, permission: 'people' }],
  // A request for 100 entries got 50 (observed 2026).
  [
    'collaborative_media',
    { readable: SHARED, permission: 'basic', maxLimit: 50, facebookOnly: true },
  ],
]);

/** Fields of an account that other users can read. */
const PUBLIC_OF_ACCOUNT = new Set([
  ...['id', 'biography', 'followers_count', 'follows_count', 'ig_id', 'media_count', 'name'],
  ...['profile_picture_url', 'username', 'website'],
]);

interface View {
  /** The readable fields. */
  readonly readable: ReadonlySet<string>;
  /** True through `business_discovery`. */
  readonly discovered?: boolean;
}

/** Returns the node of another user's media. */
function foreignMediaNode(media: Media, { readable, discovered }: View): GraphNode {
  const node = mediaNode(media, { direct: false });
  return {
    ...node,
    field: (request, context) => {
      if (request.name === 'insights') {
        throw graphError('no-permission');
      }
      if (request.name === 'view_count' && discovered === true) {
        return viewsOf(media, context);
      }
      const value = node.field(request, context);
      return readable.has(request.name) ? value : undefined;
    },
    edge: () => {
      throw graphError('no-permission');
    },
  };
}

/** Only videos are counted. A recording has the count itself. */
function viewsOf(media: Media, { nowMs }: Context): Json | undefined {
  const { media_type: type, view_count: recorded } = media.fields(nowMs);
  return recorded ?? (type === 'VIDEO' ? media.insights(nowMs)?.['views'] : undefined);
}

/** Newest first. */
function itemsOf(media: readonly Media[], view: View) {
  return media.map((one) => ({ place: -one.createdAtMs, node: foreignMediaNode(one, view) }));
}

/**
 * Answers an edge with a list of other users' media; undefined for any other edge. A world without
 * them rejects the request.
 */
export function foreignEdge(
  account: Account,
  { name, request }: { readonly name: string; readonly request: EdgeRequest },
  context: Context,
): Json | undefined {
  const list = FOREIGN_LISTS.get(name);
  if (list === undefined || (list.facebookOnly === true && context.dialect === 'instagram')) {
    return undefined;
  }
  const media = account.foreignMediaAt(name, context.nowMs);
  if (media === undefined || !mayRead(list.permission, context)) {
    throw graphError('no-permission');
  }
  const nodes = { path: `${account.id}/${name}`, items: itemsOf(media, list) };
  const { maxLimit } = list;
  return renderList(maxLimit === undefined ? nodes : { ...nodes, maxLimit }, request, context);
}

/**
 * Returns the value of `mentioned_media.media_id(…)`: another user's post that names the account.
 */
export function mentionedMedia(account: Account, request: FieldRequest, context: Context): Json {
  const id = idOfMention('media_id', request, context);
  const media = account.foreignMediaAt('tags', context.nowMs)?.find((one) => one.id === id);
  if (media === undefined) {
    throw graphError('no-object', id);
  }
  return renderNode(foreignMediaNode(media, { readable: PUBLIC }), request.fields, context);
}

/** Fields of a comment that mentions the account. */
const MENTIONED_COMMENT = new Set(['id', 'like_count', 'media', 'text', 'timestamp', 'username']);

/**
 * Returns the value of `mentioned_comment.comment_id(…)`: a comment that names the account.
 */
export function mentionedComment(account: Account, request: FieldRequest, context: Context): Json {
  const id = idOfMention('comment_id', request, context);
  for (const media of account.foreignMediaAt('tags', context.nowMs) ?? []) {
    const comment = media.comments(context.nowMs).find((one) => one.id === id);
    if (comment === undefined || !isMention(comment, account)) continue;
    const node = commentNode(comment, { media });
    const field: typeof node.field = (one, at) => {
      const value = node.field(one, at);
      return MENTIONED_COMMENT.has(one.name) ? value : undefined;
    };
    return renderNode({ ...node, field }, request.fields, context);
  }
  throw graphError('no-object', id);
}

/** Mentions are documented for Facebook Login; no source records the other host's answer. */
function idOfMention(
  name: 'media_id' | 'comment_id',
  { name: field, parameters }: FieldRequest,
  context: Context,
): string {
  const { instagramMentions } = context.world.conditions.spec;
  if (context.dialect === 'instagram' && instagramMentions !== true) {
    throw graphError('unknown-field', field);
  }
  if (!mayRead('people', context)) throw graphError('no-permission');
  const id = parameters.get(name);
  if (id === undefined) throw graphError('required', name);
  return id;
}

/** Returns the value of `business_discovery.username(…)`; Facebook Login only. */
export function businessDiscovery(request: FieldRequest, context: Context): Json | undefined {
  if (context.dialect === 'instagram') {
    throw graphError('unknown-field', 'business_discovery');
  }
  const username = request.parameters.get('username');
  if (username === undefined) {
    throw graphError('required', 'username');
  }
  const account = findDiscovered(username, context);
  if (account === undefined) {
    throw graphError('user-not-found', username);
  }
  return account === null
    ? undefined
    : renderNode(discoveredNode(account), request.fields, context);
}

/** Returns an account by its user name; null where the answer leaves it out. */
function findDiscovered(username: string, context: Context): Account | null | undefined {
  const { accounts, conditions, others } = context.world;
  const recorded = others?.discovered.get(username);
  if (recorded !== undefined) return recorded;
  const account = accounts.find(
    (one) => one.userAt(context.nowMs)['username'] === username && exists(one, context),
  );
  const gate = conditions.spec.ageGatedAccounts?.[account?.id ?? ''];
  if (gate === 'absent') return null;
  return gate === 'unknown' ? undefined : account;
}

function exists({ id }: Account, { world }: Context): boolean {
  return !world.conditions.vanishedAccounts.has(id);
}

function discoveredNode(account: Account): GraphNode {
  return {
    id: account.id,
    defaultFields: ['id'],
    field: (request, context) => {
      const { name } = request;
      if (name === 'media') {
        return discoveredMedia(account, request, context);
      }
      if (!PUBLIC_OF_ACCOUNT.has(name)) {
        throw graphError('unknown-field', name);
      }
      const value = account.userAt(context.nowMs)[name];
      return name === 'profile_picture_url' && typeof value === 'string'
        ? context.world.signUrl(value, context.nonce())
        : value;
    },
    edge: (name) => {
      throw graphError('unknown-path', `/${name}`);
    },
  };
}

/** The list has cursors and never a link. */
function discoveredMedia(account: Account, request: FieldRequest, context: Context): JsonObject {
  const view = { readable: DISCOVERABLE, discovered: true };
  const items = itemsOf(account.mediaAt(context.nowMs), view);
  const { data, paging } = renderList(
    { path: `${account.id}/media`, items },
    nestedRequest(request),
    context,
  );
  const cursors = isObject(paging) ? paging['cursors'] : undefined;
  return { data: data ?? [], ...(cursors === undefined ? {} : { paging: { cursors } }) };
}
