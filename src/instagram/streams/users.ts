import { type Fields, flag, id, long, required, text, url } from '../model/fields.ts';
import { decode } from '../model/decode.ts';
import { provenance } from '../../engine/stream.ts';
import { declareStream } from './stream.ts';

const fields: Fields = {
  id: required(id),
  ig_id: id,
  biography: text,
  followers_count: long,
  follows_count: long,
  media_count: long,
  name: text,
  // Signed anew on every call; `ccb` alone differs between equal pictures.
  profile_picture_url: url('ccb'),
  username: text,
  website: text,
  has_profile_pic: flag,
  is_published: flag,
};

/** @see https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user (read 2026-11) */
export const users = declareStream({
  name: 'users',
  isDefault: true,
  interval: '1h',
  publish: 'always',
  doc: "The account's profile and counts, one snapshot per poll.",
  key: ['id'],
  request: { kind: 'object', fields },
  toRecord(node, origin) {
    const { value, ...besides } = decode(fields, node);
    // With Instagram Login the node's `id` is different: scoped to the app.
    const record = { ...provenance(origin), ...value, id: origin.account.id };
    return { kind: 'record', record, ...besides };
  },
});
