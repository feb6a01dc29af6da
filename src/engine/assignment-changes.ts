import type { Account } from './account.ts';
import { partitionOf } from './partition.ts';

/** The difference between two assignments. */
export interface AssignmentChange {
  readonly gained: readonly number[];
  readonly lost: readonly number[];
}

/** Compares the partitions assigned before with those assigned now. */
export function diffAssignments(before: Iterable<number>, now: Iterable<number>): AssignmentChange {
  const [had, has] = [new Set(before), new Set(now)];
  return {
    gained: [...has].filter((partition) => !had.has(partition)),
    lost: [...had].filter((partition) => !has.has(partition)),
  };
}

/** The facts that decide which accounts this instance polls. */
export interface Polling {
  /** The accounts polled now, by id. */
  readonly running: ReadonlyMap<string, Account>;
  /** All accounts of the tokens, whichever instance polls them. */
  readonly accounts: readonly Account[];
  /** The partitions that are assigned to this instance and restored. */
  readonly held: ReadonlySet<number>;
  /** The number of partitions. */
  readonly partitions: number;
}

/** The accounts whose pollers to start and to stop. */
export interface PollingChange {
  readonly start: readonly Account[];
  readonly stop: readonly Account[];
}

/** Plans to poll the listed accounts of the held partitions, and no others. */
export function planPolling({ running, accounts, held, partitions }: Polling): PollingChange {
  const assigned = new Map(
    accounts
      .filter(({ id }) => held.has(partitionOf(id, partitions)))
      .map((account) => [account.id, account]),
  );
  return {
    start: [...assigned.values()].filter(({ id }) => !running.has(id)),
    stop: [...running.values()].filter(({ id }) => !assigned.has(id)),
  };
}
