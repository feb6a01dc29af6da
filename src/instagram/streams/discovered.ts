import { type Fields, flag, id, long, required, text, time, url } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream, publicContent } from './stream.ts';

/** The fields of an account that Meta shows to others. */
const userFields: Fields = {
  id: required(id),
  username: text,
  name: text,
  biography: text,
  website: text,
  followers_count: long,
  follows_count: long,
  media_count: long,
  // Signed anew on every call; `ccb` alone differs between equal pictures.
  profile_picture_url: url('ccb'),
};

/**
 * Business and creator accounts of others, by their user names. Age-gated accounts are not returned.
 * @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/business_discovery (updated 2026-08-12, read 2026-11)
 */
export const discoveredUsers = declareStream({
  ...publicContent,
  name: 'discovered_users',
  doc: 'Public profiles and counts of listed accounts of others; personal data.',
  author: { username: ['username'], id: ['id'] },
  key: ['id'],
  request: { kind: 'public', of: 'users', fields: userFields },
  toRecord: recordOf(userFields),
});

/** The fields that Meta marks as public, and `like_count`, which is absent where it is hidden. */
const mediaFields: Fields = {
  id: required(id),
  media_type: text,
  media_product_type: text,
  // Signed anew on every call; `_nc_rid` names the request.
  media_url: url('_nc_rid'),
  permalink: text,
  shortcode: text,
  thumbnail_url: text,
  timestamp: time,
  username: text,
  caption: text,
  alt_text: text,
  media_audio_type: text,
  is_shared_to_feed: flag,
  comments_count: long,
  like_count: long,
  view_count: long,
  reposts_count: long,
  total_comments_count: long,
  total_like_count: long,
};

/**
 * Media of business and creator accounts of others.
 * @see https://developers.facebook.com/docs/instagram-platform/reference/instagram-media (updated 2026-06-22, read 2026-11)
 */
export const discoveredMedia = declareStream({
  ...publicContent,
  name: 'discovered_media',
  doc: 'Recent public media of listed accounts of others; personal data.',
  author: { username: ['username'], id: ['user_id'] },
  eventTime: 'timestamp',
  key: ['id'],
  request: { kind: 'public', of: 'media', fields: mediaFields },
  // The extractor adds the id of the account that published the media.
  toRecord: recordOf({ ...mediaFields, user_id: required(id) }),
});
