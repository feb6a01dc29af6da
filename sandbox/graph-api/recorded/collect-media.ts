import { type Json, type JsonObject, isObject } from '../json.ts';
import type { Exchange } from '../recorded-world.ts';
import {
  type Collection,
  collectList,
  collectPage,
  listed,
  partsOf,
  pathOf,
} from './collection.ts';
import type { CollectedMedia } from './media.ts';

/** Collects a media, its children, comments or insights; false for another edge. */
export function collectOfMedia(exchange: Exchange, collection: Collection): boolean {
  const { id, edge } = pathOf(exchange);
  const { body } = exchange.response;
  switch (edge) {
    case undefined:
      mediaOf(id, collection).fields = { ...mediaOf(id, collection).fields, ...body };
      return true;
    case 'children':
      collectList(mediaOf(id, collection).children, exchange, collection);
      return true;
    case 'comments':
      collectList(mediaOf(id, collection).comments, exchange, collection);
      collectNestedReplies(exchange, collection);
      return true;
    case 'replies':
      collectList(repliesOf(id, collection), exchange, collection);
      return true;
    case 'insights':
      collectInsights(mediaOf(id, collection), body);
      return true;
    default:
      return false;
  }
}

function mediaOf(id: string, { media }: Collection): CollectedMedia {
  const known = media.get(id) ?? {
    id,
    fields: {},
    children: new Map(),
    comments: new Map(),
    replies: new Map(),
    insights: null,
  };
  media.set(id, known);
  return known;
}

/** Returns the replies to a comment, which belong to its media. */
function repliesOf(commentId: string, { media }: Collection): Map<string, JsonObject> {
  const of = [...media.values()].find(({ comments }) => comments.has(commentId));
  const replies = of?.replies.get(commentId) ?? new Map<string, JsonObject>();
  of?.replies.set(commentId, replies);
  return replies;
}

function collectNestedReplies({ request, response }: Exchange, collection: Collection): void {
  const [version = ''] = request.path.split('/').filter((segment) => segment !== '');
  for (const { id, replies } of listed(response.body)) {
    if (!isObject(replies)) continue;
    const path = `/${version}/${id}/replies`;
    collectPage(repliesOf(id, collection), { path, body: replies }, collection);
  }
}

function collectInsights(media: CollectedMedia, body: JsonObject): void {
  const data = Array.isArray(body['data']) ? (body['data'] as readonly Json[]) : [];
  for (const entry of data) {
    if (!isObject(entry) || typeof entry['name'] !== 'string') continue;
    const { name, values, total_value: total } = entry;
    const insights = insightsOf(media);
    const first = Array.isArray(values) ? (values as readonly Json[])[0] : undefined;
    const value = isObject(first) ? first['value'] : undefined;
    if (typeof value === 'number') insights.values[name] = value;
    const parts = isObject(total) ? partsOf(total['breakdowns']) : undefined;
    if (parts !== undefined) insights.parts[name] = parts;
  }
}

function insightsOf(media: CollectedMedia) {
  media.insights ??= { values: {}, parts: {}, isBeforeConversion: false, isOnFacebook: true };
  return media.insights;
}

const NO_VIEWERS = 10;
const BEFORE_CONVERSION = 2_108_006;
const NOT_ON_FACEBOOK = 2_207_086;

/** Collects what a rejection tells of a media: its age, its viewers, its apps. */
export function collectRefusalOfMedia(
  exchange: Exchange,
  error: JsonObject,
  collection: Collection,
): void {
  const { metric } = exchange.request.query;
  const { id } = pathOf(exchange);
  if (metric === undefined) return;
  const insights = insightsOf(mediaOf(id, collection));
  const { code, error_subcode: subcode } = error;
  if (subcode === BEFORE_CONVERSION) insights.isBeforeConversion = true;
  if (subcode === NOT_ON_FACEBOOK) insights.isOnFacebook = false;
  if (code !== NO_VIEWERS && subcode !== NOT_ON_FACEBOOK) return;
  // The API supports all of the metrics, and shows none.
  for (const name of metric.split(',')) insights.values[name] ??= 0;
}
