import { type Context, type EdgeRequest, type GraphNode, nestedRequest } from '../context.ts';
import { graphError } from '../errors.ts';
import type { FieldRequest } from '../fields-parser.ts';
import { mediaInsights } from '../insights/media-insights.ts';
import type { Json } from '../json.ts';
import type { Media } from '../world/model.ts';
import { commentsEdge, commentsField } from './comment-node.ts';
import { renderNode } from './render.ts';

/** Fields of the node class: absent rather than rejected where a media has none. */
const KNOWN = new Set([
  ...['alt_text', 'caption', 'comments', 'comments_count', 'ig_id', 'is_ai_generated'],
  ...['is_comment_enabled', 'is_shared_to_feed', 'legacy_instagram_media_id', 'like_count'],
  ...['media_audio_type', 'media_product_type', 'media_type', 'media_url', 'owner', 'permalink'],
  ...['shortcode', 'thumbnail_url', 'timestamp', 'username', 'boost_ads_list'],
  // Recorded as left out without an error.
  ...['from_id', 'from_full_name'],
]);
/** Counts of 2026 that Instagram Login does not have. */
const FACEBOOK_LOGIN_ONLY = new Set([
  ...['reposts_count', 'saved_count', 'shares_count'],
  ...['total_like_count', 'total_comments_count', 'total_views_count'],
]);
/** Fields of an album's child. */
const CHILD_FIELDS = new Set([
  ...['id', 'ig_id', 'media_type', 'media_url', 'owner', 'permalink', 'shortcode'],
  ...['thumbnail_url', 'timestamp', 'username'],
]);
const SIGNED = new Set(['media_url', 'thumbnail_url']);

/** The path to a media: its own id, a list or another object. */
export interface MediaPath {
  readonly direct: boolean;
}

/** Returns the node of a post, story or child. */
export function mediaNode(media: Media, reach: MediaPath): GraphNode {
  return {
    id: media.id,
    defaultFields: ['id'],
    field: (request, context) => fieldOf({ media, reach, request }, context),
    edge: (name, request, context) => edgeOf(media, { name, request }, context),
  };
}

interface MediaField {
  readonly media: Media;
  readonly reach: MediaPath;
  readonly request: FieldRequest;
}

function fieldOf({ media, reach, request }: MediaField, context: Context): Json | undefined {
  const { name } = request;
  if (name === 'children') {
    // A recording may hold the field as received, comments included.
    const kept = media.fields(context.nowMs)[name];
    return media.children.length === 0
      ? kept
      : edgeOf(media, { name, request: nestedRequest(request) }, context);
  }
  if (name === 'insights') {
    return mediaInsights(media, nestedRequest(request), context);
  }
  refuse(media, name, context);
  if (name === 'comments') {
    return media.fields(context.nowMs)[name] ?? commentsField(media, request, context);
  }
  const value = media.fields(context.nowMs)[name];
  if (value === undefined || isHidden(media, name, reach)) {
    return undefined;
  }
  return SIGNED.has(name) && typeof value === 'string'
    ? context.world.signUrl(value, context.nonce())
    : value;
}

function isHidden(media: Media, name: string, { direct }: MediaPath): boolean {
  return (
    (media.isChild && !CHILD_FIELDS.has(name)) ||
    (name === 'like_count' && media.traits.hiddenLikes && !direct)
  );
}

function refuseFatal(media: Media, name: string, { world }: Context): void {
  const fatal = world.conditions.spec.fatalFields?.[media.accountId]?.[name];
  if (fatal !== undefined && !media.isChild) {
    throw graphError(fatal);
  }
}

/** Throws for fields that fail the whole request. */
function refuse(media: Media, name: string, context: Context): void {
  refuseFatal(media, name, context);
  if (name === 'view_count') {
    throw graphError('discovery-only');
  }
  if (
    name === 'copyright_check_information' &&
    media.fields(context.nowMs)['media_type'] !== 'VIDEO'
  ) {
    throw graphError('copyright-check');
  }
  const known =
    name === 'id' ||
    name === 'copyright_check_information' ||
    KNOWN.has(name) ||
    (FACEBOOK_LOGIN_ONLY.has(name) && context.dialect === 'facebook');
  if (!known) {
    throw graphError('unknown-field', name);
  }
}

function edgeOf(
  media: Media,
  { name, request }: { name: string; request: EdgeRequest },
  context: Context,
): Json {
  switch (name) {
    case 'insights':
      return mediaInsights(media, request, context);
    case 'children':
      return childrenOf(media, request, context);
    case 'comments':
      return commentsEdge(media, request, context);
    default:
      throw graphError('unknown-path', `/${name}`);
  }
}

/**
 * Returns an album's children; all must be readable when a field other than the id is requested.
 */
function childrenOf(media: Media, { fields }: EdgeRequest, context: Context): Json {
  const readsMore = fields?.some(({ name }) => name !== 'id') === true;
  const broken = media.children.find(({ id }) => context.world.conditions.brokenChildren.has(id));
  if (readsMore && broken !== undefined) {
    throw graphError('no-object', broken.id);
  }
  return {
    data: media.children.map((child) =>
      renderNode(mediaNode(child, { direct: false }), fields, context),
    ),
  };
}
