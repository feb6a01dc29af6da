/** A member of the group, as described by its member metadata. */
export interface Member {
  /** The member id that the broker gave it. */
  readonly id: string;
  /** The partitions that it has now and keeps if possible. */
  readonly owned: readonly number[];
  /** The partitions of a temporary assignment, its only ones; absent for a polling instance. */
  readonly temporary?: readonly number[];
}

/**
 * Assigns each of the partitions 0 to `count` - 1 to one polling instance, except those assigned
 * temporarily; returns each member's partitions in ascending order, by its id.
 */
export function assignPartitions(
  members: readonly Member[],
  count: number,
): ReadonlyMap<string, readonly number[]> {
  const granted = new Map<string, readonly number[]>();
  const taken = new Set<number>();
  for (const { id, temporary = [] } of members.toSorted((a, b) => compare(a.id, b.id))) {
    const own = temporary.filter((partition) => partition < count && !taken.has(partition));
    for (const partition of own) taken.add(partition);
    granted.set(id, ascending(own));
  }
  const polling = members.filter(({ temporary }) => temporary === undefined);
  const permanent = assignEvenly(polling, count);
  return new Map(
    members.map(({ id }) => [
      id,
      permanent.get(id)?.filter((partition) => !taken.has(partition)) ?? granted.get(id) ?? [],
    ]),
  );
}

/**
 * Assigns the partitions evenly, to within one, moving as few as possible; any order of members.
 */
function assignEvenly(members: readonly Member[], count: number) {
  // The member with most partitions comes first: it keeps one more where the division is uneven.
  const ranked = members.toSorted(
    (left, right) => right.owned.length - left.owned.length || compare(left.id, right.id),
  );
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  const quotaOf = (rank: number): number =>
    Math.floor(count / ranked.length) + (rank < count % ranked.length ? 1 : 0);
  const assignments = ranked.map(({ id, owned }, rank) => {
    // A partition that two members list, one of them with stale metadata, stays with the first.
    const kept = [...new Set(owned)].filter((partition) => free.has(partition));
    const assigned = ascending(kept).slice(0, quotaOf(rank));
    for (const partition of assigned) free.delete(partition);
    return { id, assigned, missing: quotaOf(rank) - assigned.length };
  });
  const left = [...free];
  return new Map(
    assignments.map(({ id, assigned, missing }) => [
      id,
      ascending([...assigned, ...left.splice(0, missing)]),
    ]),
  );
}

function ascending(partitions: readonly number[]): readonly number[] {
  return partitions.toSorted((a, b) => a - b);
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
