import {
  type Fields,
  flag,
  id,
  list,
  long,
  object,
  required,
  text,
  time,
  url,
} from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';

/** The fields that a media and an album's child have in common. */
export const mediaFields: Fields = {
  id: required(id),
  ig_id: id,
  media_type: text,
  // Signed anew on every call; `_nc_rid` names the request.
  media_url: url('_nc_rid'),
  owner: object({ id: required(id) }),
  permalink: text,
  shortcode: text,
  thumbnail_url: text,
  timestamp: time,
  username: text,
};

/** The counts added in 2026, on all API versions; Facebook Login only. */
export const facebookFields: Fields = {
  reposts_count: long,
  saved_count: long,
  shares_count: long,
  total_like_count: long,
  total_comments_count: long,
  total_views_count: long,
};

const fields: Fields = {
  ...mediaFields,
  caption: text,
  comments_count: long,
  is_comment_enabled: flag,
  like_count: long,
  media_product_type: text,
  alt_text: text,
  media_audio_type: text,
  is_ai_generated: flag,
  is_shared_to_feed: flag,
  legacy_instagram_media_id: id,
  ...facebookFields,
  children: list(mediaFields),
};

/** @see https://developers.facebook.com/docs/instagram-platform/reference/instagram-media (read 2026-11) */
export const media = declareStream({
  name: 'media',
  isDefault: true,
  interval: '1h',
  publish: 'changes',
  isCompacted: true,
  doc: 'Posts, reels and albums with their children.',
  eventTime: 'timestamp',
  key: ['id'],
  request: { kind: 'list', edge: 'media', fields, facebookOnly: Object.keys(facebookFields) },
  toRecord: recordOf(fields),
});
