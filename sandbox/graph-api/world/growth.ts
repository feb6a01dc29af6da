const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Share of its final number that a post still gains every day for ever after. */
const TAIL_PER_DAY = 0.0003;

/** A number that grows towards `final` with the age, and a little for ever after. */
export function grow(final: number, ageMs: number, halfLifeHours: number): number {
  if (ageMs <= 0) {
    return 0;
  }
  const reached = 1 - 2 ** (-ageMs / (halfLifeHours * HOUR_MS));
  return Math.floor(final * reached + final * TAIL_PER_DAY * (ageMs / DAY_MS));
}

/** Daily values are corrected every six hours and settle 48 hours after the day's end. */
export function settledShare(ageMs: number): number {
  const steps = Math.min(8, Math.max(0, Math.floor(ageMs / (6 * HOUR_MS))));
  return 0.8 + (0.2 * steps) / 8;
}
