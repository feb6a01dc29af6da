import { keyNumber } from './fingerprint.ts';
import { parseGraphTime } from './graph-time.ts';
import type { Node } from './json.ts';
import type { Published } from './state.ts';

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

/** A comment, and each of its replies with the comment's id as `parent_id`, all with their media's. */
export function flattened(
  mediaId: string,
  comment: Node,
  replies: readonly Node[],
): readonly Node[] {
  const { id } = comment;
  return [
    placed(comment, { media_id: mediaId }),
    ...replies.map((reply) =>
      placed(reply, { media_id: mediaId, ...(id !== undefined && { parent_id: id }) }),
    ),
  ];
}

function placed(comment: Node, place: Node): Node {
  return {
    ...Object.fromEntries(Object.entries(comment).filter(([name]) => name !== 'replies')),
    ...place,
  };
}

/** Comments that are younger wait for the next poll: Meta may show one that was written before them later. */
export const settlingMs = 60_000;

/** What one media's comments come to. */
export interface CommentNews {
  readonly news: readonly Node[];
  readonly read: CommentsRead;
}

/**
 * The comments that were written after the newest one that was published. Those that cannot be
 * judged, because they say no time, are news each time that they are read.
 *
 * @param found - every comment and reply that is there
 */
export function newsOf(
  found: readonly Node[],
  { count, before, nowMs }: { count: number; before: CommentsRead | undefined; nowMs: number },
): CommentNews {
  const knownMs = before?.newestMs ?? -Infinity;
  const fresh = found.filter((comment) => (writtenAt(comment) ?? Infinity) > knownMs);
  const news = fresh.filter((comment) => (writtenAt(comment) ?? 0) <= nowMs - settlingMs);
  const times = news.map((comment) => writtenAt(comment) ?? -Infinity);
  const newestMs = times.reduce((newest, time) => Math.max(newest, time), knownMs);
  return {
    news,
    read: {
      // Some are left to the next poll, which must come back for them.
      count: news.length < fresh.length ? null : count,
      newestMs: newestMs === -Infinity ? null : newestMs,
    },
  };
}

function writtenAt({ timestamp }: Node): number | undefined {
  return typeof timestamp === 'string' ? parseGraphTime(timestamp) : undefined;
}
