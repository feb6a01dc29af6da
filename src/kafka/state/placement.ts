import { StopProcessError } from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import { isStreamName } from '../../engine/stream-name.ts';
import type { Layout } from '../layout.ts';
import type { StateEntry } from './topic-reader.ts';

const shownKeys = 3;

/**
 * Returns the partition that a state's key belongs to; undefined for a key that is not a state's.
 *
 * @param partitions - the state topic's partition count
 */
export function placeOf(key: string, partitions: number): number | undefined {
  const [stream = '', account = ''] = key.split('/', 2);
  return isStreamName(stream) && account !== '' ? partitionOf(account, partitions) : undefined;
}

/** True when a state lies in a partition that its account does not belong to. */
export function isMisplaced(
  { key, partition }: Pick<StateEntry, 'key' | 'partition'>,
  partitions: number,
): boolean {
  const place = placeOf(key, partitions);
  return place !== undefined && place !== partition;
}

/**
 * Verifies that every state lies in the partition of its account. After partitions were added, states in
 * their old partitions would be missed and every record published again (Invariant 2).
 *
 * @throws StopProcessError `kafka.topic-invalid`
 */
export function checkPlacement(entries: readonly StateEntry[], layout: Layout): void {
  const { statePartitions } = layout;
  const misplaced = entries.filter((entry) => isMisplaced(entry, statePartitions));
  if (misplaced.length === 0) return;
  const keys = misplaced
    .slice(0, shownKeys)
    .map(({ key, partition }) => `${key} (in ${partition}, not ${placeOf(key, statePartitions)})`);
  throw new StopProcessError(
    'kafka.topic-invalid',
    `${layout.topic('state').name} has ${statePartitions} partitions, and at least ${misplaced.length} ` +
      `states lie in partitions that their accounts do not belong to: ${keys.join(', ')}` +
      `${misplaced.length > shownKeys ? ', …' : ''}. Were partitions added to the topic? Nothing was ` +
      'published. Stop all instances, run "instagram-kafka state move-partitions", which shows what it ' +
      'would move, then the same with --apply, and start the instances again.',
    { exitCode: 3 },
  );
}
