/** Describes a clock's offset from another one, for a person: `2 h 5 min ahead of`. */
export function describeOffset(aheadMs: number): string {
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  const parts = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ] as const;
  const words = parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`]));
  return `${words.join(' ') || '0 min'} ${aheadMs < 0 ? 'behind' : 'ahead of'}`;
}
