/** The largest of any number of values, at least `floor`; `Math.max` accepts some 125,000. */
export function largest(values: Iterable<number>, floor = -Infinity): number {
  let extreme = floor;
  for (const value of values) extreme = Math.max(extreme, value);
  return extreme;
}

/** The smallest of any number of values; Infinity when there is none. */
export function smallest(values: Iterable<number>): number {
  let extreme = Infinity;
  for (const value of values) extreme = Math.min(extreme, value);
  return extreme;
}
