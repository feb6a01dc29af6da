/** The largest of any number of values, and no less than `floor`; `Math.max` takes some 125,000. */
export function largest(values: Iterable<number>, floor = -Infinity): number {
  let found = floor;
  for (const value of values) found = Math.max(found, value);
  return found;
}

/** The smallest of any number of values; Infinity when there is none. */
export function smallest(values: Iterable<number>): number {
  let found = Infinity;
  for (const value of values) found = Math.min(found, value);
  return found;
}
