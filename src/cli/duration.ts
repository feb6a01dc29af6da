const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** Formats milliseconds as the configuration does: in the largest unit without a remainder. */
export function durationText(ms: number): string {
  const found = units.find(([, unitMs]) => ms >= unitMs && ms % unitMs === 0);
  return found === undefined ? `${ms}ms` : `${ms / found[1]}${found[0]}`;
}
