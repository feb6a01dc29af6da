/** Local constants: in tests each access to a global costs more than the arithmetic. */
const { floor, max, min } = Math;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Share of its final number that a post gains every day after its growth. */
const TAIL_PER_DAY = 0.0003;

/** Returns a number that grows with the age towards `final`, then slowly for ever. */
export function grow(final: number, ageMs: number, halfLifeHours: number): number {
  if (ageMs <= 0) {
    return 0;
  }
  const reached = 1 - 2 ** (-ageMs / (halfLifeHours * HOUR_MS));
  return floor(final * reached + final * TAIL_PER_DAY * (ageMs / DAY_MS));
}

/**
 * Returns the reported fraction of a daily value: corrected every six hours, final 48 hours after the
 * day's end.
 */
export function reportedFraction(ageMs: number): number {
  const steps = min(8, max(0, floor(ageMs / (6 * HOUR_MS))));
  return 0.8 + (0.2 * steps) / 8;
}
