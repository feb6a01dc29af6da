import { Temporal } from 'temporal-polyfill';

const ZONE = 'America/Los_Angeles';
export const DAY_MS = 86_400_000;

/** A cache: days are requested repeatedly, and a time zone lookup is slow. */
const midnights = new Map<number, number>();

/** Returns midnight US Pacific of the calendar date that the UTC day of `atMs` carries. */
function midnightOfUtcDate(atMs: number): number {
  const day = Math.floor(atMs / DAY_MS);
  const known = midnights.get(day);
  if (known !== undefined) {
    return known;
  }
  const date = Temporal.Instant.fromEpochMilliseconds(day * DAY_MS)
    .toZonedDateTimeISO('UTC')
    .toPlainDate();
  const midnight = date.toZonedDateTime(ZONE).epochMilliseconds;
  midnights.set(day, midnight);
  return midnight;
}

/** Returns every midnight US Pacific in [sinceMs, untilMs], oldest first. */
export function pacificMidnights(sinceMs: number, untilMs: number): number[] {
  const found: number[] = [];
  for (let atMs = sinceMs - DAY_MS; atMs <= untilMs + DAY_MS; atMs += DAY_MS) {
    const midnight = midnightOfUtcDate(atMs);
    if (midnight >= sinceMs && midnight <= untilMs) {
      found.push(midnight);
    }
  }
  return found;
}

/** Formats a time as the API does: `2026-05-12T05:26:06+0000`. */
export function formatTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}+0000`;
}
