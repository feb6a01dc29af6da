import { hash64, spreadOf } from './fingerprint.ts';
import type { Node } from './json.ts';

/** How often what has an age is asked again. */
export interface Tier {
  /** The tier ends at this age, milliseconds; infinite for the last one. */
  readonly untilAgeMs: number;
  /** 0 is every poll. */
  readonly everyMs: number;
}

/** When a poll is and when the one before it was. */
export interface PollTimes {
  readonly nowMs: number;
  /** Beginning of the last poll that came to its end; null before the first. */
  readonly lastMs: number | null;
}

/** Something with an age. */
export interface Aged {
  readonly id: string;
  /** Epoch milliseconds; null where the API does not say, which counts as old. */
  readonly createdMs: number | null;
}

/**
 * Whether it is the turn of something in this poll. Each has its own moment in its tier's period,
 * drawn from its id, so that the polls share the work evenly; a moment that no poll came to is
 * caught up by the next.
 *
 * @param tiers - by ascending age; the last one is taken for everything older
 */
export function isDue(aged: Aged, { nowMs, lastMs }: PollTimes, tiers: readonly Tier[]): boolean {
  const everyMs = periodOf(nowMs - (aged.createdMs ?? -Infinity), tiers);
  // A last poll that lies ahead was by a clock that has been set back since.
  if (lastMs === null || everyMs === 0 || lastMs > nowMs) return true;
  const offsetMs = spreadOf(aged.id, everyMs);
  return turnAt(nowMs - offsetMs, everyMs) > turnAt(lastMs - offsetMs, everyMs);
}

function periodOf(ageMs: number, tiers: readonly Tier[]): number {
  const tier = tiers.find(({ untilAgeMs }) => ageMs < untilAgeMs) ?? tiers.at(-1);
  return tier?.everyMs ?? 0;
}

function turnAt(atMs: number, everyMs: number): number {
  return Math.floor(atMs / everyMs);
}

/** Counts of a listed media; whoever walks the list asks for all of them. */
export const movingCounts: readonly string[] = [
  'like_count',
  'comments_count',
  'saved_count',
  'shares_count',
  'reposts_count',
  'total_views_count',
];

/** The reading of a media's insights: when, and the listed counts of that moment, in 64 bits. */
export function packReading(listed: Node, nowMs: number): bigint {
  return (BigInt(Math.floor(nowMs / minuteMs)) << countsBits) | countsOf(listed);
}

const minuteMs = 60_000;
const countsBits = 32n;
const countsMask = (1n << countsBits) - 1n;

/** 32 bits that are equal while the listed counts of a media are. */
function countsOf(listed: Node): bigint {
  return hash64(JSON.stringify(movingCounts.map((name) => listed[name] ?? null))) & countsMask;
}

/** A media that has moved is read again after this part of its age: the older, the less it moves. */
const movedAfter = 1 / 8;

/** A listed media, and when its insights were last read. */
export interface ReadMedia {
  readonly node: Node;
  readonly media: Aged;
  /** As `packReading` has it; undefined where that is not known. */
  readonly reading: bigint | undefined;
}

/**
 * Whether the insights of a media are to be read: when its tier's turn has come since they were, or
 * when it has moved and was not read just before.
 */
export function isToBeRead(
  { node, media, reading }: ReadMedia,
  times: PollTimes,
  tiers: readonly Tier[],
): boolean {
  if (reading === undefined) return isDue(media, times, tiers);
  const readMs = Number(reading >> countsBits) * minuteMs;
  if (isDue(media, { ...times, lastMs: readMs }, tiers)) return true;
  const hasMoved = (reading & countsMask) !== countsOf(node);
  const sinceMs = times.nowMs - readMs;
  const ageMs = times.nowMs - (media.createdMs ?? -Infinity);
  return hasMoved && sinceMs >= ageMs * movedAfter;
}
