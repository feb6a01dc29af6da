import { type Fields, id, long, required, text, time, url } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream, publicContent } from './stream.ts';

/**
 * The different hashtags that an account may search in seven days. A hashtag counts for seven days
 * from its first search on; searching it again within them is free.
 * @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-hashtag-search (read 2026-11)
 */
export const maxHashtags = 30;

/** The fields of other users' media that the lists of a hashtag have; none names the user. */
const fields: Fields = {
  id: required(id),
  media_type: text,
  // Signed anew on every call; `_nc_rid` names the request.
  media_url: url('_nc_rid'),
  permalink: text,
  timestamp: time,
  caption: text,
  comments_count: long,
  like_count: long,
};

/**
 * Public media with a hashtag: the recent ones, of the last 24 hours, and the top ones. The app
 * needs the feature Instagram Public Content Access.
 * @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-hashtag (read 2026-11)
 */
export const hashtagMedia = declareStream({
  ...publicContent,
  name: 'hashtag_media',
  doc: 'Recent and top public media with listed hashtags, without their authors.',
  eventTime: 'timestamp',
  // A media can have several of the hashtags, and be in both lists of one.
  key: ['hashtag_id', 'list', 'id'],
  request: { kind: 'public', of: 'hashtags', fields },
  // The extractor adds the hashtag and its list.
  toRecord: recordOf({
    ...fields,
    hashtag_id: required(id),
    hashtag: required(text),
    list: required(text),
  }),
});
