import { keyNumber } from './fingerprint.ts';
import { parseGraphTime } from './graph-time.ts';
import type { Node } from './json.ts';
import type { Published } from './published.ts';

/** What is remembered of a media whose comments were read. */
export interface CommentsRead {
  /** What the media counted then; null when it must be read again, whatever it counts. */
  readonly count: number | null;
  /** When the newest comment that was published had been written; null where there was none. */
  readonly newestMs: number | null;
}

const secondBits = 40n;
/** Of 24 bits; stands for null. */
const noCount = 0xff_ff_ff;

/** In 64 bits, to be kept beside the media's id: the count, and the newest comment in seconds. */
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

/** What is remembered of a media; undefined for one that was never read. */
export function readOf(mediaId: string, published: Published): CommentsRead | undefined {
  const packed = published.get(keyNumber(mediaId));
  return packed === undefined ? undefined : unpackRead(packed);
}

/** What a listed media counts; undefined where the list does not say, or what is no count. */
export function countOf(listed: Node): number | undefined {
  const count = listed['comments_count'];
  return Number.isSafeInteger(count) && Number(count) >= 0 ? Number(count) : undefined;
}

/** Whether there may be comments that were not read: the media counts others than it did. */
export function isChanged(listed: Node, before: CommentsRead | undefined): boolean {
  const count = countOf(listed);
  if (count === undefined) return false;
  if (before === undefined) return count > 0;
  return (
    before.count === null ||
    packRead({ count, newestMs: null }) !== packRead({ count: before.count, newestMs: null })
  );
}

/** A comment as a node of its own: with its media, and with the comment that it replies to. */
export function placed(comment: Node, mediaId: string, parent?: Node): Node {
  return {
    ...Object.fromEntries(Object.entries(comment).filter(([name]) => name !== 'replies')),
    media_id: mediaId,
    ...(parent?.['id'] !== undefined && { parent_id: parent['id'] }),
  };
}

/** Comments that are younger wait for the next poll: the API may list an earlier one later. */
export const settlingMs = 60_000;

/** When a comment was written, epoch milliseconds; undefined where it does not say. */
export function writtenAt({ timestamp }: Node): number | undefined {
  return typeof timestamp === 'string' ? parseGraphTime(timestamp) : undefined;
}

/** A reading of a media's comments that is not at its end yet: what is published, and where it goes on. */
export interface CommentsReading {
  readonly mediaId: string;
  /** The cursor before the page in hand; null for the first page. */
  readonly after: string | null;
  /** Key numbers of what was published of the page in hand. */
  readonly published: readonly string[];
  /** When the newest and the oldest comment published in this reading were written, epoch milliseconds. */
  readonly newestMs: number | null;
  readonly oldestMs: number | null;
}

/** Key numbers of the comments that were published, by the key number of their media. */
export type SeenComments = ReadonlyMap<string, ReadonlySet<string>>;

/** So many comments of one media, and of all, are remembered by their ids. */
const seenOfMedia = 2000;
const seenInAll = 25_000;

/**
 * Remembers the comments of a media by their ids, the media read last at the end; of one that has
 * too many, and of those read longest ago, only the time of the newest is remembered.
 */
export function withSeen(
  seen: SeenComments,
  mediaKey: string,
  ids: ReadonlySet<string> | null,
): SeenComments {
  const left = new Map(seen);
  left.delete(mediaKey);
  if (ids !== null && ids.size <= seenOfMedia) left.set(mediaKey, ids);
  let total = 0;
  for (const group of left.values()) total += group.size;
  for (const [key, group] of left) {
    if (total <= seenInAll) break;
    left.delete(key);
    total -= group.size;
  }
  return left;
}

/** Whether a media may have more comments than are remembered by their ids. */
export function isTooMany(ids: ReadonlySet<string>): boolean {
  return ids.size > seenOfMedia;
}

/** What decides whether a comment was published before. */
export interface KnownComments {
  /** Those that were, where all are remembered. */
  readonly ids: ReadonlySet<string> | undefined;
  /** The media's last whole reading. */
  readonly before: CommentsRead | undefined;
}

/**
 * Whether a comment was published before: by its id where all ids are remembered, else by its time.
 * One whose time is not said is not known by it.
 */
export function isKnown(comment: Node, key: string, known: KnownComments): boolean {
  const { ids, before } = known;
  if (ids !== undefined) return ids.has(key);
  return (writtenAt(comment) ?? Infinity) <= (before?.newestMs ?? -Infinity);
}

/** Oldest first; those without a time last. */
export function byTime(a: Node, b: Node): number {
  return (writtenAt(a) ?? Infinity) - (writtenAt(b) ?? Infinity) || 0;
}
