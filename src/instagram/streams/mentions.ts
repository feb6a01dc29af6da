import { type Fields, id, long, required, text, time, url } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';

/** The fields that Meta answers of a media whose caption mentions the account. */
const mediaFields: Fields = {
  id: required(id),
  caption: text,
  comments_count: long,
  like_count: long,
  media_type: text,
  // Signed anew on every call; `_nc_rid` names the request.
  media_url: url('_nc_rid'),
  timestamp: time,
  username: text,
};

/** The fields that Meta answers of a comment that mentions the account. */
const commentFields: Fields = {
  id: required(id),
  like_count: long,
  text,
  timestamp: time,
  username: text,
};

const fields: Fields = {
  ...mediaFields,
  ...commentFields,
  // Set by the extractor from the webhook's payload.
  media_id: required(id),
  comment_id: id,
};

/**
 * Captions and comments of others that mention the account. The API cannot list them: a webhook
 * names each once, and it is read by its id.
 * @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/mentioned_media (read 2026-11)
 * @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/mentioned_comment (read 2026-11)
 */
export const mentions = declareStream({
  name: 'mentions',
  interval: '24h',
  priority: 'backfill',
  isCompacted: true,
  readsPeople: true,
  mode: 'incremental',
  logins: ['facebook'],
  webhookFields: ['mentions'],
  doc: 'Captions and comments of others that mention the account, by webhooks only; personal data.',
  author: { username: ['username'], id: [] },
  eventTime: 'timestamp',
  // One media or comment can mention several accounts.
  key: ['business_account_id', 'id'],
  request: { kind: 'mentions', mediaFields, commentFields },
  toRecord: recordOf(fields),
  // The extractor has omitted the published ones already.
  detectChanges: (records, { checkpoint }) => ({ records, checkpoint }),
});
