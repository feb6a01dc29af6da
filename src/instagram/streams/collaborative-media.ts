import { type Fields, id, long, required, text, time, url } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';

/** The fields that Meta's SDK lists for the edge; a collaborator can read no others. */
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
  reposts_count: long,
  saved_count: long,
  shares_count: long,
  total_like_count: long,
  total_comments_count: long,
  total_views_count: long,
};

/**
 * Media of other accounts on which the account is an accepted collaborator; `/media` lists only
 * media that the account owns. Meta rejects requests for their insights, pages of 20 entries with 13
 * fields as too much data, and ignores `since` and `until` (observed 2026-08).
 * @see https://github.com/facebook/facebook-python-business-sdk at 94914f9,
 * `ShadowIGUserCollaborativeMedia` (2026-06-24)
 */
export const collaborativeMedia = declareStream({
  name: 'collaborative_media',
  interval: '6h',
  publish: 'changes',
  priority: 'backfill',
  isCompacted: true,
  logins: ['facebook'],
  doc: 'Media of others on which the account is a collaborator; personal data.',
  // One media can have several of the accounts as collaborators.
  author: { username: ['username'], id: [] },
  eventTime: 'timestamp',
  key: ['business_account_id', 'id'],
  request: { kind: 'list', edge: 'collaborative_media', fields },
  toRecord: recordOf(fields),
});
