import type { Account } from './account.ts';
import { partitionOf } from './partition.ts';

/** Compares the partitions assigned before with those assigned now. */
export function diffAssignments(
  before: Iterable<number>,
  now: Iterable<number>,
): { readonly gained: readonly number[]; readonly lost: readonly number[] } {
  const [had, has] = [new Set(before), new Set(now)];
  return {
    gained: [...has].filter((partition) => !had.has(partition)),
    lost: [...had].filter((partition) => !has.has(partition)),
  };
}

/**
 * Plans the accounts whose pollers start and stop, so that exactly the `accounts` in `active`
 * partitions run; an account whose streams or intervals changed stops and starts. `running` has the
 * accounts polled now, by id; `partitions` is the topic's count.
 */
export function planPolling(
  running: ReadonlyMap<string, Account>,
  accounts: readonly Account[],
  active: Pick<ReadonlySet<number>, 'has'>,
  partitions: number,
): { readonly start: readonly Account[]; readonly stop: readonly Account[] } {
  const owned = accounts.filter(({ id }) => active.has(partitionOf(id, partitions)));
  const assigned = new Map(owned.map((account) => [account.id, account]));
  return {
    start: [...assigned.values()].filter((account) => !isSame(account, running.get(account.id))),
    stop: [...running.values()].filter((account) => !isSame(account, assigned.get(account.id))),
  };
}

/** True for the same account with the same streams and intervals. */
function isSame(one: Account, other: Account | undefined): boolean {
  return other !== undefined && JSON.stringify(one.polling) === JSON.stringify(other.polling);
}
