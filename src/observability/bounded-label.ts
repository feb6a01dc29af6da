/** The label value that replaces every value after the first `most`. */
const otherValues = 'other';

/**
 * Limits a label's values: the first `most` stay, all others become one. Prometheus keeps each
 * series for weeks, so no label may have an unlimited number of values.
 */
export function createBoundedLabel(most: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= most) return otherValues;
    seen.add(value);
    return value;
  };
}
