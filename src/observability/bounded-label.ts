/** What stands for every value after the first `most` ones. */
const otherValues = 'other';

/**
 * Bounds the values of a label that the program does not list: the first `most` are let through, all
 * others are one. A series is kept by whoever scrapes for weeks, so no label may grow for ever.
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
