import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Comment, Media, ProductType } from '../world/model.ts';

/** The recorded data of a media that was requested by its own id. */
export interface CollectedMedia {
  readonly id: string;
  fields: JsonObject;
  /** Children of an album by id. */
  readonly children: Map<string, JsonObject>;
  /** Comments by id, and the replies to each by id. */
  readonly comments: Map<string, JsonObject>;
  readonly replies: Map<string, Map<string, JsonObject>>;
  /** Null where no insights were requested. */
  insights: {
    readonly values: Record<string, number>;
    /** The values of a metric's breakdown. */
    readonly parts: Record<string, Readonly<Record<string, number>>>;
    isBeforeConversion: boolean;
    isOnFacebook: boolean;
  } | null;
}

/** The recorded data of a media. */
export interface RecordedMedia {
  readonly id: string;
  readonly accountId: string;
  readonly fields: JsonObject;
  /** The product type of a body without one. */
  readonly otherwise: ProductType;
  /** The data of requests by its own id. */
  readonly requested?: CollectedMedia | undefined;
}

const ONLY_MEDIA = ['media_type', 'media_product_type', 'permalink', 'shortcode', 'caption'];

/** True when a body is that of a media, not of an account. */
export function looksLikeMedia(node: JsonObject): boolean {
  return ONLY_MEDIA.some((name) => name in node);
}

/** Creates a media from a recording. */
export function recordedMedia({ requested, ...recorded }: RecordedMedia): Media {
  const { id, accountId, otherwise } = recorded;
  const fields = { ...recorded.fields, ...requested?.fields };
  const said = fields['media_product_type'];
  return {
    id,
    accountId,
    createdAtMs: timeOf(fields['timestamp']),
    productType: said === 'FEED' || said === 'REELS' || said === 'STORY' ? said : otherwise,
    isChild: false,
    fields: () => fields,
    ...shownInsights(requested?.insights ?? null),
    ...shownBelow(requested, { accountId, otherwise }),
  };
}

function shownInsights(
  insights: CollectedMedia['insights'],
): Pick<Media, 'traits' | 'insights' | 'breakdown'> {
  return {
    traits: {
      hiddenLikes: false,
      beforeConversion: insights?.isBeforeConversion ?? false,
      onFacebook: insights?.isOnFacebook ?? false,
    },
    insights: () => insights?.values ?? null,
    breakdown: (metric) => insights?.parts[metric] ?? {},
  };
}

function shownBelow(
  requested: CollectedMedia | undefined,
  album: Pick<RecordedMedia, 'accountId' | 'otherwise'>,
): Pick<Media, 'children' | 'comments'> {
  const { children = [], comments = [], replies } = requested ?? {};
  const shown = [...comments].map(([, comment]) => recordedComment(comment, replies));
  return {
    children: [...children].map(([id, fields]) => recordedMedia({ id, fields, ...album })),
    comments: () => shown,
  };
}

/**
 * Creates a media that was requested by its id; its account is that of the body, or the default.
 */
export function askedMedia(
  requested: CollectedMedia,
  { listed, accountId }: { listed: Media | undefined; accountId: string },
): Media {
  const { id, fields } = requested;
  const owner = isObject(fields['owner']) ? textOf(fields['owner']['id']) : '';
  return recordedMedia({
    id,
    accountId: listed?.accountId ?? (owner === '' ? accountId : owner),
    fields: listed?.fields(0) ?? {},
    otherwise: listed?.productType ?? 'FEED',
    requested,
  });
}

function recordedComment(node: JsonObject, replies?: CollectedMedia['replies']): Comment {
  const id = textOf(node['id']);
  return {
    id,
    createdAtMs: timeOf(node['timestamp']),
    text: textOf(node['text']),
    username: textOf(node['username']),
    userId: '',
    likeCount: typeof node['like_count'] === 'number' ? node['like_count'] : 0,
    replies: [...(replies?.get(id)?.values() ?? [])].map((reply) => recordedComment(reply)),
    recorded: node,
  };
}

function timeOf(value: Json | undefined): number {
  return typeof value === 'string' ? Date.parse(value) : 0;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
