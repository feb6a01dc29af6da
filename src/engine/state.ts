import type { ErrorCode } from './errors.ts';
import type { StreamName } from './stream-name.ts';

/** Fingerprints by key number (`keyNumber`). */
export type Published = ReadonlyMap<string, bigint>;

/** The values of one day of user_insights; null where Meta reports none. */
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

/** The totals of one day of user_daily_totals or user_daily_breakdowns, as last published. */
export interface DayTotals {
  /** The end of the day, epoch milliseconds. */
  readonly dateMs: number;
  /** Field → total, or `<field>.<part>` → count of a breakdown; absent where Meta reports none. */
  readonly values: Readonly<Record<string, number>>;
}

/** An unfinished reading of a media's comments. */
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

/** A hashtag that an account has searched, which counts against its limit for a week. */
export interface SearchedHashtag {
  /** In lower case, without `#`. */
  readonly name: string;
  /** Meta's id; null where the search has not found one. */
  readonly id: string | null;
  /** The first search within the week, epoch milliseconds. */
  readonly countedMs: number;
}

/** Key numbers of the comments that were published, by the key number of their media. */
export type SeenComments = ReadonlyMap<string, ReadonlySet<string>>;

/** The last record of a story: a final one, or the reason why it cannot be final. */
export const storyOutcomes = ['final', 'too-few-viewers', 'deleted', 'no-insights'] as const;

export type StoryOutcome = (typeof storyOutcomes)[number];

/** A story of story_insights: its last values until it has a final record, then a marker. */
export interface RememberedStory {
  readonly id: string;
  /** Epoch milliseconds; null without a valid timestamp. */
  readonly createdMs: number | null;
  /** The time when its values were last read, epoch milliseconds; null while it has none. */
  readonly readMs: number | null;
  /** Metric → last value. */
  readonly values: Readonly<Record<string, number>>;
  /** Metric by action, such as `navigation_actions` → action → last count. */
  readonly actions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** True when the API has too few viewers to report values. */
  readonly fewViewers: boolean;
  /** Its last record; null while that is not published. */
  readonly outcome: StoryOutcome | null;
  /** The time until which it is kept after its last record, epoch milliseconds. */
  readonly untilMs: number | null;
}

/** The checkpoint of a stream, kept from one poll to the next. */
export interface Checkpoint {
  /** The newest date published, epoch milliseconds; null before the first, and for full streams. */
  readonly cursorMs: number | null;
  /** The end of the requested time range, with data or without; epoch milliseconds. */
  readonly coveredUntilMs: number | null;
  /** The days that may still change, oldest first. */
  readonly days: readonly DayValues[];
  /** The totals of days that may still change, oldest first. */
  readonly totals: readonly DayTotals[];
  /** The start of the last completed poll, epoch milliseconds; null before the first. */
  readonly polledMs: number | null;
  /** Last published: key number (`keyNumber`) → fingerprint; `nothing` for a key without data. */
  readonly published: Published;
  /** The time and the listed counts of each media's last reading of insights (`packReading`). */
  readonly insightsRead: Published;
  /** Published comments, as far as their ids are kept. */
  readonly seen: SeenComments;
  /** Comments published by webhooks that no reading of their media has listed yet. */
  readonly delivered: SeenComments;
  /** The unfinished reading of a media's comments; null when there is none. */
  readonly reading: CommentsReading | null;
  /** Fingerprints of dead letters, so that each is written once; the latest at the end. */
  readonly deadLetters: readonly bigint[];
  /** Requests that the API rejects, and the time until which they are not repeated. */
  readonly rejections: readonly Rejection[];
  /** Media up to this date have no insights: they are older than the business account. */
  readonly convertedMs: number | null;
  /** The time of a list scan that looked truncated; null when the last one looked whole. */
  readonly truncationSuspectedMs: number | null;
  /** The stories that are live, wait for their final record, or had it lately. */
  readonly stories: readonly RememberedStory[];
  /** The hashtags that the account has searched, first searched first. */
  readonly hashtags: readonly SearchedHashtag[];
}

/** A rejection: a subject or metric that the API does not answer. */
export interface Rejection {
  /**
   * An id of a media or a child (`childOf`), a kind such as `FEED/IMAGE`, a user as `@name`, a
   * hashtag as `#name`, or `*` for every object.
   */
  readonly subject: string;
  /** The rejected metric or field; null when the whole subject is rejected. */
  readonly metric: string | null;
  readonly reason: ErrorCode;
  /** The time when it is requested again, epoch milliseconds; null for never. */
  readonly untilMs: number | null;
  /** The first day without a daily metric, epoch milliseconds; absent where no day lacks it. */
  readonly missingFromMs?: number;
}

/** The checkpoint of a stream that was never polled. */
export const emptyCheckpoint: Checkpoint = {
  cursorMs: null,
  coveredUntilMs: null,
  days: [],
  totals: [],
  polledMs: null,
  published: new Map(),
  insightsRead: new Map(),
  seen: new Map(),
  delivered: new Map(),
  reading: null,
  deadLetters: [],
  rejections: [],
  convertedMs: null,
  truncationSuspectedMs: null,
  stories: [],
  hashtags: [],
};

/** Returns the checkpoint of a state, without the state's identity and sequence. */
export function checkpointOf(state: Checkpoint): Checkpoint {
  const names = Object.keys(emptyCheckpoint) as readonly (keyof Checkpoint)[];
  return Object.fromEntries(names.map((name) => [name, state[name]])) as unknown as Checkpoint;
}

/**
 * Halves the parts of a checkpoint that later polls restore, and keeps the latest of each;
 * undefined when no such part is left. A lost rejection costs a call, a lost fingerprint a second
 * dead letter.
 */
export function shed(checkpoint: Checkpoint): Checkpoint | undefined {
  const { rejections, deadLetters } = checkpoint;
  if (rejections.length + deadLetters.length === 0) return undefined;
  const laterHalf = <T>(list: readonly T[]) => list.slice(Math.ceil(list.length / 2));
  return { ...checkpoint, rejections: laterHalf(rejections), deadLetters: laterHalf(deadLetters) };
}

/** A pause of one stream of one account, by a person. */
export interface Pause {
  /** Its begin, epoch milliseconds. */
  readonly sinceMs: number;
  /** Its end, epoch milliseconds; null until the stream is resumed. */
  readonly untilMs: number | null;
}

/** Returns a pause while it is in effect; null once its end has passed. */
export function pauseAt<T extends Pause>(pause: T | null, nowMs: number): T | null {
  return pause?.untilMs != null && pause.untilMs <= nowMs ? null : pause;
}

export function isSamePause(a: Pause | null, b: Pause | null): boolean {
  return a?.sinceMs === b?.sinceMs && a?.untilMs === b?.untilMs;
}

/** The newest format; this program reads every older one. */
export const stateFormatVersion = 7;

/**
 * The format of a state: the oldest that has all of it, so that an older version of the program
 * continues from it. Format 6 has a pause, format 7 comments published by webhooks, and stories: a
 * version without them would poll a paused stream, publish the comments twice, or forget the
 * stories that wait for their final record.
 */
export function formatOf({
  pause,
  delivered,
  stories,
}: Pick<StreamState, 'pause' | 'delivered' | 'stories'>): number {
  if (delivered.size > 0 || stories.length > 0) return stateFormatVersion;
  return pause === null ? 5 : 6;
}

/** The value of the state topic, one per (stream, account). */
export interface StreamState extends Checkpoint {
  readonly stream: StreamName;
  readonly accountId: string;
  /**
   * The number of transactions of this (stream, account); it resolves an unknown commit outcome.
   */
  readonly sequence: number;
  readonly writtenAtMs: number;
  /** The instance that wrote it. */
  readonly writtenBy: string;
  /** Null for none; one whose end has passed may remain until the next write. */
  readonly pause: Pause | null;
}

/** Returns the state of a (stream, account) that has none in the topic. */
export function firstState(stream: StreamName, accountId: string): StreamState {
  const written = { sequence: 0, writtenAtMs: 0, writtenBy: '' };
  return { ...emptyCheckpoint, stream, accountId, ...written, pause: null };
}

/** The state topic's key: `<stream>/<account id>`. */
export function stateKey(stream: StreamName, accountId: string): string {
  return `${stream}/${accountId}`;
}

/** The account of a state's key; undefined for a key of another form. */
export function accountOfKey(key: string): string | undefined {
  return /^[a-z][a-z_]*\/(.+)$/s.exec(key)?.[1];
}
