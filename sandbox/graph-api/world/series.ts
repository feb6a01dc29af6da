import type { Draw } from './draws.ts';
import { reportedFraction } from './growth.ts';
import type { Day } from './model.ts';
import { DAY_MS, formatTime, pacificMidnights } from './pacific.ts';

/** Insights that need a hundred followers are absent below. */
export const FOLLOWERS_FOR_DETAIL = 100;
/** History of `follower_count` and `online_followers`. */
const SHORT_MEMORY_MS = 30 * DAY_MS;
const FINAL_AFTER_MS = 2 * DAY_MS;

/** The parameters of a daily series. */
export interface SeriesOptions {
  readonly draw: Draw;
  readonly followers: number;
  /** Start of the values: earlier days have none. */
  readonly fromMs: number;
}

/** The daily values of an account. */
export interface Series {
  daysAt(window: { sinceMs: number; untilMs: number }, nowMs: number): Day[];
  /** Returns the net followers gained in (sinceMs, untilMs]; unfinished days count in part. */
  gained(sinceMs: number, untilMs: number): number;
}

/** Creates a series: weekly rhythm, noise, corrections until 48 hours after the day's end. */
export function createSeries({ draw, followers, fromMs }: SeriesOptions): Series {
  const reachByEndTime = new Map<number, number>();
  const finalReach = (endTimeMs: number): number => {
    const known = reachByEndTime.get(endTimeMs);
    if (known !== undefined) return known;
    const weekend = [0, 6].includes(new Date(endTimeMs - DAY_MS / 2).getUTCDay()) ? 1.25 : 1;
    const noise = 0.6 + 0.8 * draw(`reach/${formatTime(endTimeMs)}`);
    const reach = followers * 0.12 * weekend * noise;
    reachByEndTime.set(endTimeMs, reach);
    return reach;
  };
  const finalGain = (endTimeMs: number): number =>
    Math.floor(followers * 0.004 * draw(`gain/${formatTime(endTimeMs)}`) + 0.4);
  const reportedReach = (endTimeMs: number, nowMs: number): number =>
    Math.round(finalReach(endTimeMs) * reportedFraction(nowMs - endTimeMs));
  const over = (count: number, endTimeMs: number, nowMs: number): number => {
    const ends = pacificMidnights(endTimeMs - (count - 1) * DAY_MS - DAY_MS / 2, endTimeMs);
    const values = ends.map((end) => reportedReach(end, nowMs));
    const most = Math.max(...values);
    const sum = values.reduce((total, value) => total + value, 0);
    return Math.round(most + 0.55 * (sum - most));
  };
  const detail = (endTimeMs: number, nowMs: number): Partial<Day> => {
    if (followers < FOLLOWERS_FOR_DETAIL) return {};
    const gained = Math.round(finalGain(endTimeMs) * reportedFraction(nowMs - endTimeMs));
    return nowMs - endTimeMs > SHORT_MEMORY_MS
      ? { gained }
      : {
          gained,
          followerCount: gained,
          onlineFollowers: onlineAt({ draw, followers }, endTimeMs, nowMs),
        };
  };
  return {
    daysAt: ({ sinceMs, untilMs }, nowMs) =>
      pacificMidnights(Math.max(sinceMs, fromMs), Math.min(untilMs, nowMs)).map((endTimeMs) => ({
        endTimeMs,
        reach: reportedReach(endTimeMs, nowMs),
        reachWeek: over(7, endTimeMs, nowMs),
        reachDays28: over(28, endTimeMs, nowMs),
        ...detail(endTimeMs, nowMs),
      })),
    gained: (sinceMs, untilMs) => gainedBetween(finalGain, sinceMs, untilMs),
  };
}

function gainedBetween(gain: (endMs: number) => number, sinceMs: number, untilMs: number): number {
  let total = 0;
  for (const end of pacificMidnights(sinceMs, untilMs + DAY_MS + 1)) {
    const start = Math.max(sinceMs, end - DAY_MS);
    const share = Math.max(0, Math.min(untilMs, end) - start) / DAY_MS;
    total += gain(end) * 0.6 * share;
  }
  return Math.floor(total);
}

/** Returns the followers online by hour; occasionally empty, more often in the last two days. */
function onlineAt(
  { draw, followers }: { draw: Draw; followers: number },
  endTimeMs: number,
  nowMs: number,
): Record<string, number> {
  const day = formatTime(endTimeMs);
  const fresh = nowMs - endTimeMs < FINAL_AFTER_MS;
  const hourOfWorld = Math.floor(nowMs / 3_600_000);
  const empty = fresh ? draw(`online/${day}/${hourOfWorld}`) < 0.4 : draw(`online/${day}`) < 0.1;
  const hours: Record<string, number> = {};
  for (let hour = 0; !empty && hour < 24; hour += 1) {
    const wave = 0.3 + 0.25 * Math.sin(((hour - 9) / 24) * 2 * Math.PI);
    const noise = 0.85 + 0.3 * draw(`online/${day}/at/${hour}`);
    hours[String(hour)] = Math.round(followers * wave * noise);
  }
  return hours;
}
