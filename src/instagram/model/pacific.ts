/** Meta's day: from one midnight US Pacific to the next, 23 to 25 hours. */
export interface PacificDay {
  /** The calendar date, `2026-05-11`. */
  readonly date: string;
  readonly startMs: number;
  readonly endMs: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Returns the days that end after `afterMs` and not after `untilMs`, oldest first. */
export function pacificDays(afterMs: number, untilMs: number): readonly PacificDay[] {
  const days: PacificDay[] = [];
  // A date's midnight comes 7 or 8 hours later in California than in UTC.
  const firstMs = Math.floor(afterMs / dayMs) * dayMs - dayMs;
  for (let utcMs = firstMs; utcMs < untilMs; utcMs += dayMs) {
    const endMs = midnightOf(utcMs + dayMs);
    if (endMs <= afterMs || endMs > untilMs) continue;
    const date = new Date(utcMs).toISOString().slice(0, 10);
    days.push({ date, startMs: midnightOf(utcMs), endMs });
  }
  return days;
}

/**
 * Returns midnight US Pacific of the date that begins in UTC at `utcMs`. Daylight time lasts from
 * the second Sunday of March to the first of November, since 2007; both changes are at 2:00.
 * @see https://www.law.cornell.edu/uscode/text/15/260a (read 2026-11)
 */
function midnightOf(utcMs: number): number {
  const year = new Date(utcMs).getUTCFullYear();
  const daylight = utcMs > sundayOf(year, 2, 2) && utcMs <= sundayOf(year, 10, 1);
  return utcMs + (daylight ? 7 : 8) * hourMs;
}

/** @param month - from 0 @param nth - from 1 */
function sundayOf(year: number, month: number, nth: number): number {
  const firstMs = Date.UTC(year, month, 1);
  const daysToSunday = (7 - new Date(firstMs).getUTCDay()) % 7;
  return firstMs + (daysToSunday + (nth - 1) * 7) * dayMs;
}
