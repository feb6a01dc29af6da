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

/** What a stream remembers from one poll to the next. */
export interface Memory {
  /** The newest date published, epoch milliseconds; null before the first, and for full streams. */
  readonly cursorMs: number | null;
  /** Everything up to here was asked for, whether there was data or not; epoch milliseconds. */
  readonly coveredUntilMs: number | null;
  /** The days that may still change, oldest first. */
  readonly days: readonly DayValues[];
}

/** The memory of a stream that has never been polled. */
export const emptyMemory: Memory = { cursorMs: null, coveredUntilMs: null, days: [] };

/** The newest format that this program writes; it reads every older one. */
export const stateFormatVersion = 1;

/** The value of the state topic, one per (stream, account). */
export interface StreamState extends Memory {
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
