import type { Group, OnAssignment, Restored, StateStore } from '../../src/engine/ports.ts';

/** A group that gives what the test says. */
export interface FakeGroup extends Group {
  /** Gives these partitions and no others. */
  give(owned: readonly number[]): void;
  /** Who is said to own what this instance does not. */
  owner: string | null;
  /** How often the group was left. */
  readonly left: number;
}

/** A group of `partitions`; who joins it gets `first`, all of them unless it is given. */
export function createFakeGroup(
  partitions = 1,
  { first, members = [] }: { first?: readonly number[]; members?: readonly string[] } = {},
): FakeGroup {
  let tell: OnAssignment | undefined;
  let left = 0;
  return {
    partitions,
    get left() {
      return left;
    },
    give(owned) {
      tell?.(owned);
    },
    async join(onAssignment, signal) {
      tell = onAssignment;
      onAssignment(first ?? Array.from({ length: partitions }, (_, partition) => partition));
      if (!signal.aborted) {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve, { once: true });
        });
      }
      left += 1;
    },
    members: () => Promise.resolve(members),
    owner: null,
    owners() {
      const { owner } = this;
      const all = Array.from({ length: partitions }, (_, partition) => partition);
      return Promise.resolve(
        new Map(all.flatMap((partition) => (owner === null ? [] : [[partition, owner] as const]))),
      );
    },
  };
}

/** A state store that keeps what was asked of it. */
export interface FakeStore extends StateStore {
  /** `restore 0`, `release 0`, in order. */
  readonly journal: readonly string[];
}

/** Every partition holds `restored`, unless `restore` says otherwise. */
export function createFakeStore(
  restored: ReadonlyMap<string, Restored> = new Map(),
  restore: StateStore['restore'] = () => Promise.resolve(restored),
): FakeStore {
  const journal: string[] = [];
  return {
    journal,
    restore(partition, signal) {
      journal.push(`restore ${partition}`);
      return restore(partition, signal);
    },
    release(partition) {
      journal.push(`release ${partition}`);
      return Promise.resolve();
    },
  };
}
