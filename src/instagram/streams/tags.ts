import { type Fields, id, long, required, text, time, url } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';

/** The fields that Meta shows of other accounts' media. */
const fields: Fields = {
  id: required(id),
  media_type: text,
  media_product_type: text,
  // Signed anew on every call; `_nc_rid` names the request.
  media_url: url('_nc_rid'),
  permalink: text,
  thumbnail_url: text,
  timestamp: time,
  username: text,
  caption: text,
  comments_count: long,
  like_count: long,
};

/**
 * Media of other accounts in which the account is tagged. Mentions in captions and comments cannot
 * be listed: the API returns one only by its id, which a webhook delivers.
 * @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/tags (read 2026-11)
 */
export const tags = declareStream({
  name: 'tags',
  interval: '6h',
  publish: 'changes',
  priority: 'backfill',
  isCompacted: true,
  readsPeople: true,
  doc: 'Media of others in which the account is tagged; personal data.',
  // Two accounts can be tagged in one media.
  author: { username: ['username'], id: [] },
  eventTime: 'timestamp',
  key: ['business_account_id', 'id'],
  request: { kind: 'list', edge: 'tags', fields },
  toRecord: recordOf(fields),
});
