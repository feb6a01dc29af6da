import type { ErrorCode } from './errors.ts';
import type { Published } from './published.ts';
import type { StreamName } from './stream-name.ts';

/** The values of one day of user_insights; null where Meta has said nothing. */
export interface DayValues {
  /** Meta's `end_time`, epoch milliseconds. */
  readonly dateMs: number;
  readonly followerCount: number | null;
  readonly reach: number | null;
  readonly reachWeek: number | null;
  readonly reachDays28: number | null;
  /** Hour → followers online. */
  readonly onlineFollowers: Readonly<Record<string, number>> | null;
}

/** The totals of one day of user_daily_totals, as last published. */
export interface DayTotals {
  /** The end of the day, epoch milliseconds. */
  readonly dateMs: number;
  /** Field → total; absent where Meta has said nothing. */
  readonly values: Readonly<Record<string, number>>;
}

/** An unfinished reading of a media's comments: what is published, and where to continue. */
export interface CommentsReading {
  readonly mediaId: string;
  /** The cursor before the current page; null for the first page. */
  readonly after: string | null;
  /** Key numbers of the published comments of the current page. */
  readonly published: readonly string[];
  /** Times of the newest and the oldest comment published in this reading, epoch milliseconds. */
  readonly newestMs: number | null;
  readonly oldestMs: number | null;
}

/** Key numbers of the comments that were published, by the key number of their media. */
export type SeenComments = ReadonlyMap<string, ReadonlySet<string>>;

/** What a stream remembers from one poll to the next. */
export interface Checkpoint {
  /** The newest date published, epoch milliseconds; null before the first, and for full streams. */
  readonly cursorMs: number | null;
  /** Everything up to here was asked for, whether there was data or not; epoch milliseconds. */
  readonly coveredUntilMs: number | null;
  /** The days that may still change, oldest first. */
  readonly days: readonly DayValues[];
  /** The totals of days that may still change, oldest first. */
  readonly totals: readonly DayTotals[];
  /** Beginning of the last poll that came to its end, epoch milliseconds; null before the first. */
  readonly polledMs: number | null;
  /** What was last published: key number (`keyNumber`) → fingerprint; `nothing` where there was none. */
  readonly published: Published;
  /** The last reading of each media's insights: its time, and the listed counts then (`packReading`). */
  readonly insightsRead: Published;
  /** Comments that were published, as far as their ids are remembered. */
  readonly seen: SeenComments;
  /** The reading of a media's comments that goes on; null when none does. */
  readonly reading: CommentsReading | null;
  /** Fingerprints of what was dead-lettered, so that it is so once; the latest at the end. */
  readonly deadLetters: readonly bigint[];
  /** What the API refuses, and until when it is not asked again. */
  readonly refusals: readonly Refusal[];
  /** Media up to this date have no insights: they are older than the business account. */
  readonly convertedMs: number | null;
  /** When a whole list was not believed, for what it lacked; null when the last one was. */
  readonly doubtedMs: number | null;
}

/** Something that the API refuses to answer. */
export interface Refusal {
  /** A media's id, a child's (`childOf`), a kind as `FEED/IMAGE`, those of it up to a date (`olderOf`), or `*`. */
  readonly subject: string;
  /** The metric or field that is refused; null when nothing of the subject is answered. */
  readonly metric: string | null;
  readonly reason: ErrorCode;
  /** When it is asked again, epoch milliseconds; null is never. */
  readonly untilMs: number | null;
  /** Of daily metrics: from when on the days lack it, epoch milliseconds; absent where none do. */
  readonly missingFromMs?: number;
}

/** The memory of a stream that has never been polled. */
export const emptyCheckpoint: Checkpoint = {
  cursorMs: null,
  coveredUntilMs: null,
  days: [],
  totals: [],
  polledMs: null,
  published: new Map(),
  insightsRead: new Map(),
  seen: new Map(),
  reading: null,
  deadLetters: [],
  refusals: [],
  convertedMs: null,
  doubtedMs: null,
};

/** What a state remembers, without whose and which it is. */
export function checkpointOf(checkpoint: Checkpoint): Checkpoint {
  const { cursorMs, coveredUntilMs, days, totals, polledMs, published, insightsRead } = checkpoint;
  const { seen, reading } = checkpoint;
  const { deadLetters, refusals, convertedMs, doubtedMs } = checkpoint;
  return {
    cursorMs,
    coveredUntilMs,
    days,
    totals,
    polledMs,
    published,
    insightsRead,
    seen,
    reading,
    deadLetters,
    refusals,
    convertedMs,
    doubtedMs,
  };
}

/**
 * The memory with half of what can be learned again: the latest rejections, which cost a call each, and
 * the latest fingerprints of dead letters, without which one may be written twice.
 *
 * @returns undefined when nothing is left to leave out
 */
export function shed(checkpoint: Checkpoint): Checkpoint | undefined {
  const { refusals, deadLetters } = checkpoint;
  if (refusals.length + deadLetters.length === 0) return undefined;
  return { ...checkpoint, refusals: laterHalf(refusals), deadLetters: laterHalf(deadLetters) };
}

function laterHalf<T>(list: readonly T[]): readonly T[] {
  return list.slice(Math.ceil(list.length / 2));
}

/** The newest format that this program writes; it reads every older one. */
export const stateFormatVersion = 5;

/** The value of the state topic, one per (stream, account). */
export interface StreamState extends Checkpoint {
  readonly stream: StreamName;
  readonly accountId: string;
  /** Counts the transactions of this (stream, account); tells whether an unacknowledged commit landed. */
  readonly sequence: number;
  readonly writtenAtMs: number;
  /** The instance that wrote it. */
  readonly writtenBy: string;
}

/** The state topic's key. */
export function stateKey(stream: StreamName, accountId: string): string {
  return `${stream}/${accountId}`;
}
