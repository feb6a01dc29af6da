import { keyNumber } from '../../engine/fingerprint.ts';
import { parseGraphTime } from './graph-time.ts';
import type { Node } from '../../engine/json.ts';
import type { Published, SeenComments } from '../../engine/state.ts';

export interface CommentsRead {
  /** The media's `comments_count` at that time; null when it must be read again at any count. */
  readonly count: number | null;
  /** Time of the newest published comment, epoch milliseconds; null without one. */
  readonly newestMs: number | null;
}

const secondBits = 40n;
/** The largest count of 24 bits; it encodes null. */
const noCount = 0xff_ff_ff;

/** Packs a reading into 64 bits: the count, and the newest comment's time in epoch seconds. */
export function packRead({ count, newestMs }: CommentsRead): bigint {
  const counted = count === null ? noCount : Math.min(count, noCount - 1);
  const seconds = newestMs === null ? 0 : Math.floor(newestMs / 1000);
  return (BigInt(counted) << secondBits) | BigInt(seconds);
}

function unpackRead(packed: bigint): CommentsRead {
  const count = Number(packed >> secondBits);
  const seconds = Number(packed & ((1n << secondBits) - 1n));
  return {
    count: count === noCount ? null : count,
    newestMs: seconds === 0 ? null : seconds * 1000,
  };
}

/** Returns the last reading of a media; undefined when its comments were never read. */
export function readOf(mediaId: string, published: Published): CommentsRead | undefined {
  const packed = published.get(keyNumber(mediaId));
  return packed === undefined ? undefined : unpackRead(packed);
}

/** Reads a listed media's `comments_count`; undefined when it is missing or not a whole number. */
export function countOf(listed: Node): number | undefined {
  const count = listed['comments_count'];
  return Number.isSafeInteger(count) && Number(count) >= 0 ? Number(count) : undefined;
}

/**
 * True when there may be unread comments: `comments_count` differs from the last reading's.
 * @param delivered - the number of comments that webhooks have delivered since
 */
export function isChanged(
  listed: Node,
  before: CommentsRead | undefined,
  delivered: number,
): boolean {
  const count = countOf(listed);
  if (count === undefined) return false;
  const { count: read } = before ?? { count: 0 };
  if (read === null) return true;
  return Math.min(count, noCount - 1) !== Math.min(read + delivered, noCount - 1);
}

/** Returns a comment as its own node, with the ids of its media and of the comment above it. */
export function commentNode(comment: Node, mediaId: string, parent?: Node): Node {
  return {
    ...Object.fromEntries(Object.entries(comment).filter(([name]) => name !== 'replies')),
    media_id: mediaId,
    ...(parent?.['id'] !== undefined && { parent_id: parent['id'] }),
  };
}

/** The age below which comments wait for the next poll: the API may list earlier ones later. */
export const minCommentAgeMs = 60_000;

/** Reads the time of a comment, epoch milliseconds; undefined without a valid timestamp. */
export function writtenAt({ timestamp }: Node): number | undefined {
  return typeof timestamp === 'string' ? parseGraphTime(timestamp) : undefined;
}

/** The most comments that are remembered by id: of one media, and of all (Invariant 10). */
const seenOfMedia = 2000;
const seenInAll = 25_000;

/**
 * Remembers the comments of a media by their ids; the media read last is the last entry. Media with
 * too many comments, and media read longest ago, are dropped: only the time of their newest comment
 * is kept.
 */
export function withSeen(
  seen: SeenComments,
  mediaKey: string,
  ids: ReadonlySet<string> | null,
): SeenComments {
  const left = new Map(seen);
  left.delete(mediaKey);
  if (ids !== null && ids.size <= seenOfMedia) left.set(mediaKey, ids);
  return withinBound(left);
}

/** Drops the first media until the comments of the others are few enough. */
function withinBound(left: Map<string, ReadonlySet<string>>): SeenComments {
  let total = 0;
  for (const group of left.values()) total += group.size;
  for (const [key, group] of left) {
    if (total <= seenInAll) break;
    left.delete(key);
    total -= group.size;
  }
  return left;
}

export function isTooMany(ids: ReadonlySet<string>): boolean {
  return ids.size > seenOfMedia;
}

/**
 * Remembers the comments of a media that webhooks have delivered and no reading has listed; the
 * media becomes the last entry. Drops the first media when there are too many.
 */
export function withDelivered(
  delivered: SeenComments,
  mediaKey: string,
  ids: ReadonlySet<string>,
): SeenComments {
  const left = new Map(delivered);
  left.delete(mediaKey);
  if (ids.size > 0) left.set(mediaKey, ids);
  return withinBound(left);
}

export interface KnownComments {
  /** Key numbers of the published comments; undefined unless all are remembered. */
  readonly ids: ReadonlySet<string> | undefined;
  /** Key numbers of the comments that webhooks have delivered since; undefined for none. */
  readonly delivered: ReadonlySet<string> | undefined;
  /** The media's last whole reading. */
  readonly before: CommentsRead | undefined;
}

/**
 * True when a comment was published before: by its id when all are remembered, else by its time.
 */
export function isKnown(comment: Node, key: string, known: KnownComments): boolean {
  const { ids, delivered, before } = known;
  if (delivered?.has(key) === true) return true;
  if (ids !== undefined) return ids.has(key);
  return (writtenAt(comment) ?? Infinity) <= (before?.newestMs ?? -Infinity);
}

/** Compares comments for sorting: oldest first, those without a time last. */
export function byTime(a: Node, b: Node): number {
  return (writtenAt(a) ?? Infinity) - (writtenAt(b) ?? Infinity) || 0;
}
