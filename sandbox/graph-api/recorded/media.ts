import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Comment, Media, ProductType } from '../world/model.ts';

/** The recorded data of a media that was requested by its own id. */
export interface CollectedMedia {
  readonly id: string;
  fields: JsonObject;
  readonly children: JsonObject[];
  readonly comments: JsonObject[];
}

/** The recorded data of a media. */
export interface RecordedMedia {
  readonly id: string;
  readonly accountId: string;
  readonly fields: JsonObject;
  /** The product type of a body without one. */
  readonly otherwise: ProductType;
  readonly children?: readonly JsonObject[];
  readonly comments?: readonly JsonObject[];
}

const ONLY_MEDIA = ['media_type', 'media_product_type', 'permalink', 'shortcode', 'caption'];

/** True when a body is that of a media, not of an account. */
export function looksLikeMedia(node: JsonObject): boolean {
  return ONLY_MEDIA.some((name) => name in node);
}

/** Creates a media from a recording. */
export function recordedMedia(recorded: RecordedMedia): Media {
  const { id, accountId, fields, otherwise, children = [], comments = [] } = recorded;
  const said = fields['media_product_type'];
  const shown = comments.map(recordedComment);
  return {
    id,
    accountId,
    createdAtMs: timeOf(fields['timestamp']),
    productType: said === 'FEED' || said === 'REELS' || said === 'STORY' ? said : otherwise,
    isChild: false,
    traits: { hiddenLikes: false, beforeConversion: false, onFacebook: false },
    children: children.map((child) =>
      recordedMedia({ id: textOf(child['id']), accountId, fields: child, otherwise }),
    ),
    fields: () => fields,
    insights: () => null,
    breakdown: () => ({}),
    comments: () => shown,
  };
}

/**
 * Creates a media that was requested by its id; its account is that of the body, or the default.
 */
export function askedMedia(
  { id, fields, children, comments }: CollectedMedia,
  { listed, accountId }: { listed: Media | undefined; accountId: string },
): Media {
  const owner = isObject(fields['owner']) ? textOf(fields['owner']['id']) : '';
  return recordedMedia({
    id,
    accountId: listed?.accountId ?? (owner === '' ? accountId : owner),
    fields: { ...listed?.fields(0), ...fields },
    otherwise: listed?.productType ?? 'FEED',
    children,
    comments,
  });
}

function recordedComment(node: JsonObject): Comment {
  return {
    id: textOf(node['id']),
    createdAtMs: timeOf(node['timestamp']),
    text: textOf(node['text']),
    username: textOf(node['username']),
    userId: '',
    likeCount: typeof node['like_count'] === 'number' ? node['like_count'] : 0,
    replies: [],
  };
}

function timeOf(value: Json | undefined): number {
  return typeof value === 'string' ? Date.parse(value) : 0;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
