import type { Account } from './account.ts';
import { partitionOf } from './partition.ts';

/** What a new share changes. */
export interface AssignmentChange {
  readonly gained: readonly number[];
  readonly lost: readonly number[];
}

/** Compares the partitions that were owned before with those that are owned now. */
export function diffAssignments(before: Iterable<number>, now: Iterable<number>): AssignmentChange {
  const [had, has] = [new Set(before), new Set(now)];
  return {
    gained: [...has].filter((partition) => !had.has(partition)),
    lost: [...had].filter((partition) => !has.has(partition)),
  };
}

/** What pollers are decided from. */
export interface Polling {
  /** The accounts that are polled now, by id. */
  readonly running: ReadonlyMap<string, Account>;
  /** All accounts of the token, whoever polls them. */
  readonly accounts: readonly Account[];
  /** The partitions that this instance has and whose state it knows. */
  readonly held: ReadonlySet<number>;
  /** How many partitions there are. */
  readonly partitions: number;
}

/** Which accounts' pollers to begin and which to end. */
export interface PollingChange {
  readonly start: readonly Account[];
  readonly stop: readonly Account[];
}

/** An instance polls the listed accounts of the partitions that it holds, and no others. */
export function planPolling({ running, accounts, held, partitions }: Polling): PollingChange {
  const wanted = new Map(
    accounts
      .filter(({ id }) => held.has(partitionOf(id, partitions)))
      .map((account) => [account.id, account]),
  );
  return {
    start: [...wanted.values()].filter(({ id }) => !running.has(id)),
    stop: [...running.values()].filter(({ id }) => !wanted.has(id)),
  };
}
