/** The nearest of `names`, if at most a third of it differs from `name`. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  const lower = name.toLowerCase();
  for (const candidate of names) {
    const most = Math.ceil(candidate.length / 3);
    // The distance is at least the difference of the lengths.
    if (Math.abs(name.length - candidate.length) > most) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < least && distance <= most) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** The number of letters to insert, delete, replace or swap with their neighbour. */
export function editDistance(from: string, to: string): number {
  const isSwap = (row: number, column: number): boolean =>
    row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
  let beforeLast: readonly number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const deleted = (previous[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      const swapped = isSwap(row, column) ? (beforeLast[column - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(replaced, deleted, inserted, swapped));
    }
    beforeLast = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}
