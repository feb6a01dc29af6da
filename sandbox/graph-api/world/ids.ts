import { type Draw, drawDigits } from './draws.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Instagram's own epoch: its 64-bit ids carry the milliseconds since 2011-08-24T21:07:01.721Z. */
const EPOCH_MS = 1_314_220_021_721n;

/** Draws a Graph id of a media: 17 digits that begin with 17 or 18. */
export function mediaId(draw: Draw): string {
  return `${draw('id/prefix') < 0.5 ? '17' : '18'}${drawDigits(draw, 'id', 15)}`;
}

const COMMENT_PREFIX = '179';

/** Draws a Graph id of a comment: like those of media, from a range of its own. */
export function commentId(draw: Draw): string {
  return `${COMMENT_PREFIX}${drawDigits(draw, 'id', 14)}`;
}

/** True when an id may be that of a comment, which avoids a search of all comments. */
export function mayBeComment(id: string): boolean {
  return id.startsWith(COMMENT_PREFIX);
}

/** Draws Instagram's own id of a media (`ig_id`, 19 digits), which orders by time of creation. */
export function instagramId(draw: Draw, createdAtMs: number): string {
  const shard = BigInt(Math.floor(draw('ig/shard') * 2 ** 23));
  return (((BigInt(Math.floor(createdAtMs)) - EPOCH_MS) << 23n) + shard).toString();
}

/** Returns the short code of a permalink: the `ig_id` in base 64. */
export function shortcode(igId: string): string {
  let rest = BigInt(igId);
  let text = '';
  while (rest > 0n) {
    text = ALPHABET.charAt(Number(rest & 63n)) + text;
    rest >>= 6n;
  }
  return text;
}
