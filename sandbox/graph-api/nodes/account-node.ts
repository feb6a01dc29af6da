import { type Context, type EdgeRequest, type GraphNode, nestedRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { FieldRequest } from '../fields-parser.ts';
import { userInsights } from '../insights/user-insights.ts';
import type { Json } from '../json.ts';
import { renderList } from '../paging.ts';
import { parseTime } from '../time.ts';
import type { Account, Media } from '../world/model.ts';
import {
  businessDiscovery,
  foreignEdge,
  mentionedComment,
  mentionedMedia,
} from './foreign-node.ts';
import { mediaNode } from './media-node.ts';

/** Existing fields that no world fills. */
const SILENT = new Set([
  'connected_threads_user',
  'ig_id',
  'legacy_instagram_user_id',
  'biography',
  'website',
  'name',
]);
/**
 * Names that exist on other kinds of objects: rejected as fields, while other names are unknown
 * paths.
 */
const FOREIGN_EDGES = new Set(['feed', 'posts', 'photos', 'videos', 'likes', 'comments', 'albums']);
/** Edges that field expansion can request. */
const EXPANDED = new Set(['media', 'stories', 'insights', 'tags']);
/** Edges that are always empty. */
const EMPTY_EDGES = new Set(['live_media', 'collaboration_invites', 'upcoming_events']);

/** Returns an account's node. */
export function accountNode(account: Account): GraphNode {
  return {
    id: account.id,
    defaultFields: ['id'],
    field: (request, context) => fieldOf(account, request, context),
    edge: (name, request, context) => edgeOf(account, { name, request }, context),
  };
}

function fieldOf(account: Account, request: FieldRequest, context: Context): Json | undefined {
  const { name } = request;
  const value = account.userAt(context.nowMs)[name];
  if (name === 'profile_picture_url' && typeof value === 'string') {
    return context.world.signUrl(value, context.nonce());
  }
  if (value !== undefined) {
    return value;
  }
  if (EXPANDED.has(name)) {
    return edgeOf(account, { name, request: nestedRequest(request) }, context);
  }
  if (name === 'business_discovery') {
    return businessDiscovery(request, context);
  }
  if (name === 'mentioned_media') {
    return mentionedMedia(account, request, context);
  }
  if (name === 'mentioned_comment') {
    return mentionedComment(account, request, context);
  }
  if (name === 'shopping_product_tag_eligibility') {
    throw graphError('no-permission');
  }
  if (SILENT.has(name)) {
    return undefined;
  }
  throw graphError('unknown-field', name);
}

interface EdgeOf {
  readonly name: string;
  readonly request: EdgeRequest;
}

function edgeOf(account: Account, { name, request }: EdgeOf, context: Context): Json {
  checkAllowed(account, name, context);
  switch (name) {
    case 'insights':
      return userInsights(account, request, context);
    case 'media':
      return mediaList(account, { name, request, media: account.mediaAt(context.nowMs) }, context);
    case 'stories':
      return mediaList(
        account,
        { name, request, media: account.storiesAt(context.nowMs) },
        context,
      );
    case 'content_publishing_limit':
      return publishingLimit(request);
    default:
      return foreignEdge(account, { name, request }, context) ?? emptyEdge(name);
  }
}

function emptyEdge(name: string): Json {
  if (EMPTY_EDGES.has(name)) {
    return { data: [] };
  }
  throw FOREIGN_EDGES.has(name)
    ? graphError('unknown-field', name)
    : graphError('unknown-path', `/${name}`);
}

function checkAllowed({ id }: Account, name: string, context: Context): void {
  const denied = context.world.conditions.spec.deniedEdges?.[id]?.includes(name) === true;
  if (denied) {
    throw graphError('no-permission');
  }
}

interface MediaList extends EdgeOf {
  /** Newest first. */
  readonly media: readonly Media[];
}

/** A cursor's place must ascend along the list; the newest comes first, so time is negated. */
function mediaList(account: Account, { name, request, media }: MediaList, context: Context): Json {
  const since = parseTime(request.parameters, 'since') ?? Number.NEGATIVE_INFINITY;
  const until = parseTime(request.parameters, 'until') ?? Number.POSITIVE_INFINITY;
  const items = media
    .filter(({ createdAtMs }) => createdAtMs >= since && createdAtMs <= until)
    .map((one) => ({ place: -one.createdAtMs, node: mediaNode(one, { direct: false }) }));
  return renderList({ path: `${account.id}/${name}`, items }, request, context);
}

/** The account publishes nothing through the API. */
function publishingLimit({ fields }: EdgeRequest): Json {
  const names = fields?.map(({ name }) => name) ?? ['quota_usage'];
  const unknown = names.find((name) => name !== 'quota_usage' && name !== 'config');
  if (unknown !== undefined) {
    throw graphError('unknown-field', unknown);
  }
  return {
    data: [
      {
        ...(names.includes('quota_usage') ? { quota_usage: 0 } : {}),
        ...(names.includes('config')
          ? { config: { quota_total: 100, quota_duration: 86_400 } }
          : {}),
      },
    ],
  };
}
