/** A member of the group, as it presents itself when it joins. */
export interface Member {
  /** The broker's id for it. */
  readonly id: string;
  /** The partitions that it has now and would like to keep. */
  readonly owned: readonly number[];
  /** These it wants for a moment, and no others; absent for one that is here to work. */
  readonly borrows?: readonly number[];
}

/**
 * Deals partitions 0 to `count` - 1 out to those who work, less what others borrow: each partition to
 * one of them.
 *
 * @returns each member's partitions in ascending order, by its id
 */
export function assignPartitions(
  members: readonly Member[],
  count: number,
): ReadonlyMap<string, readonly number[]> {
  const lent = new Map<string, readonly number[]>();
  const gone = new Set<number>();
  for (const { id, borrows = [] } of members.toSorted((a, b) => compare(a.id, b.id))) {
    const got = borrows.filter((partition) => partition < count && !gone.has(partition));
    for (const partition of got) gone.add(partition);
    lent.set(
      id,
      got.toSorted((one, other) => one - other),
    );
  }
  const working = members.filter(({ borrows }) => borrows === undefined);
  const dealt = dealOut(working, count);
  return new Map(
    members.map(({ id }) => [
      id,
      dealt.get(id)?.filter((partition) => !gone.has(partition)) ?? lent.get(id) ?? [],
    ]),
  );
}

/**
 * Deals partitions 0 to `count` - 1 out to the members: evenly, to within one, and so that as few as
 * possible change hands. The same members give the same answer, in whatever order they come.
 */
function dealOut(
  members: readonly Member[],
  count: number,
): ReadonlyMap<string, readonly number[]> {
  // Who has most comes first: it keeps one more where the numbers do not come out even.
  const ranked = members.toSorted(
    (left, right) => right.owned.length - left.owned.length || compare(left.id, right.id),
  );
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  const fairShare = (rank: number): number =>
    Math.floor(count / ranked.length) + (rank < count % ranked.length ? 1 : 0);
  const shares = ranked.map(({ id, owned }, rank) => {
    // What two members claim, of which one is behind the times, is the first one's.
    const kept = [...new Set(owned)].filter((partition) => free.has(partition));
    const share = kept.toSorted((left, right) => left - right).slice(0, fairShare(rank));
    for (const partition of share) free.delete(partition);
    return { id, share, missing: fairShare(rank) - share.length };
  });
  const left = [...free];
  return new Map(
    shares.map(({ id, share, missing }) => [
      id,
      [...share, ...left.splice(0, missing)].toSorted((one, other) => one - other),
    ]),
  );
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
