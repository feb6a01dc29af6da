import { type Fields, flag, id, long, object, required, text, time } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';
import { facebookCounts, listedCounts, listFields } from './media-insights.ts';

const commentFields: Fields = {
  id: required(id),
  timestamp: time,
  text,
  like_count: long,
  hidden: flag,
  username: text,
  from: object({ id: required(id), username: text }),
};

const fields: Fields = {
  ...commentFields,
  // Set by the extractor from the comment's place in the answer.
  media_id: required(id),
  parent_id: id,
};

/** @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-comment (read 2026-11) */
export const comments = declareStream({
  name: 'comments',
  interval: '12h',
  priority: 'backfill',
  isCompacted: true,
  readsPeople: true,
  mode: 'incremental',
  webhookFields: ['comments', 'live_comments'],
  doc: "Comments and replies under the account's media, each when it is new; personal data.",
  author: { username: ['username', 'from.username'], id: ['from.id'] },
  eventTime: 'timestamp',
  key: ['id'],
  request: {
    kind: 'comments',
    listFields: { ...listFields, ...listedCounts },
    facebookOnly: facebookCounts,
    fields: commentFields,
  },
  toRecord: recordOf(fields),
  // The extractor has detected new comments already, media by media.
  detectChanges: (records, { checkpoint }) => ({ records, checkpoint }),
});
