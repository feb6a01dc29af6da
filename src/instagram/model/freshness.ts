import { hash64, spreadOf } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';

export interface Tier {
  /** The tier ends at this age, milliseconds; infinite for the last one. */
  readonly untilAgeMs: number;
  /** The period, milliseconds; 0 for every poll. */
  readonly everyMs: number;
}

/** The times of a poll and of the one before it, epoch milliseconds. */
interface PollTimes {
  readonly nowMs: number;
  /** Beginning of the last completed poll; null before the first. */
  readonly lastMs: number | null;
}

interface Aged {
  readonly id: string;
  /** Epoch milliseconds; null without a valid timestamp, which counts as old. */
  readonly createdMs: number | null;
}

/**
 * True when an entity is due: once in its tier's period, at a moment derived from its id, so that
 * requests are spread evenly over the polls. A missed moment is caught up.
 * @param tiers - by ascending age; the last one applies to everything older
 */
export function isDue(aged: Aged, times: PollTimes, tiers: readonly Tier[]): boolean {
  const ageMs = times.nowMs - (aged.createdMs ?? -Infinity);
  const tier = tiers.find(({ untilAgeMs }) => ageMs < untilAgeMs) ?? tiers.at(-1);
  return isPeriodOver(aged.id, tier?.everyMs ?? 0, times);
}

/** Returns the ages of entities by the tiers that they are in; whatever follows the second is old. */
export function agesOf(
  entities: readonly Aged[],
  nowMs: number,
  tiers: readonly Tier[],
): ReadonlyMap<string, 'new' | 'recent' | 'old'> {
  const isIn = (tier: number, ageMs: number): boolean => ageMs < (tiers[tier]?.untilAgeMs ?? 0);
  return new Map(
    entities.map(({ id, createdMs }) => {
      const ageMs = nowMs - (createdMs ?? -Infinity);
      return [id, isIn(0, ageMs) ? 'new' : isIn(1, ageMs) ? 'recent' : 'old'];
    }),
  );
}

/** True once in each period, at a moment derived from the id; a missed moment is caught up. */
export function isPeriodOver(id: string, everyMs: number, { nowMs, lastMs }: PollTimes): boolean {
  // The last poll is in the future after the clock was set back.
  if (lastMs === null || everyMs === 0 || lastMs > nowMs) return true;
  const offsetMs = spreadOf(id, everyMs);
  return Math.floor((nowMs - offsetMs) / everyMs) > Math.floor((lastMs - offsetMs) / everyMs);
}

/** The time after which a story ends. */
export const storyLifeMs = 24 * 3_600_000;
/** The allowance for clock skew between Meta and us. */
export const clockSkewMs = 5 * 60_000;

/** The time for which a story is surely listed. */
export const storyListedMs = storyLifeMs - clockSkewMs;

/** The shortest period between two requests for a media's parts. */
export const partsEveryMs = 3_600_000;

/** The counts of a listed media that show a change; each list scan requests all of them. */
export const movingCounts: readonly string[] = [
  'like_count',
  'comments_count',
  'saved_count',
  'shares_count',
  'reposts_count',
  'total_views_count',
];

const minuteMs = 60_000;
const countsBits = 32n;
const countsMask = (1n << countsBits) - 1n;

/** Packs the time of a media's reading, in minutes, and a hash of its counts into 64 bits. */
export function packReading(listed: Node, nowMs: number): bigint {
  return (BigInt(Math.floor(nowMs / minuteMs)) << countsBits) | countsOf(listed);
}

function countsOf(listed: Node): bigint {
  return hash64(JSON.stringify(movingCounts.map((name) => listed[name] ?? null))) & countsMask;
}

/** The part of its age after which a changed media is read again; old media are read rarely. */
export const movedAfter = 1 / 8;

interface ReadMedia {
  readonly node: Node;
  readonly media: Aged;
  /** The reading, packed by `packReading`; undefined when it is unknown. */
  readonly reading: bigint | undefined;
}

/**
 * True when the insights of a media are to be read: its tier was due since the last reading, or its
 * counts have changed and at least an eighth of its age has passed since.
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
