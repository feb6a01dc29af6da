const dayMs = 86_400_000;

/** Formats an end date, as `until 2026-11-30 (3 days)`. */
export function daysText(untilMs: number | null, nowMs: number): string {
  if (untilMs === null) return 'for ever';
  const days = Math.floor((untilMs - nowMs) / dayMs);
  const left = days < 0 ? 'over' : `${days} ${days === 1 ? 'day' : 'days'}`;
  return `until ${new Date(untilMs).toISOString().slice(0, 10)} (${left})`;
}
