/** The label value that replaces every value after the first `maxValues`. */
const otherValues = 'other';

/**
 * Limits a label's values: the first `maxValues` stay, all others become one. Prometheus keeps each
 * series for weeks, so no label may have an unlimited number of values.
 */
export function createBoundedLabel(maxValues: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= maxValues) return otherValues;
    seen.add(value);
    return value;
  };
}
