import { isMisplaced, partitionsOfWrite, placeOf, type StoredState } from '../../kafka/index.ts';
import { type Plan, type PlannedWrite, tombstoneOf } from './plan.ts';
import type { StateSession } from './session.ts';

/**
 * Plans `state move-partitions`: moves each state to the partition of its account, after partitions
 * were added to the topic. Of a key with two states the newest is kept.
 */
export function planMove({ stored, partitions }: StateSession): Plan {
  const misplaced = stored.filter((one) => isMisplaced(one, partitions));
  const writes: PlannedWrite[] = [];
  const notes: string[] = [];
  for (const [key, found] of Map.groupBy(misplaced, (one) => one.key)) {
    const partition = placeOf(key, partitions) ?? 0;
    const there = stored.find((one) => one.key === key && one.partition === partition);
    const [newest = there, ...older] = found.toSorted((a, b) => writtenMs(b) - writtenMs(a));
    if (newest === undefined) continue;
    const isKept = there !== undefined && writtenMs(there) >= writtenMs(newest);
    writes.push(isKept ? tombstoneOf(newest) : moveOf(newest, partition, there));
    older.forEach((one) => writes.push(tombstoneOf(one)));
    if (there !== undefined || older.length > 0) {
      const last = isKept ? there : newest;
      notes.push(
        `${key} has several states: the one in partition ${last.partition}, written last, is kept`,
      );
    }
  }
  return { writes: writes.toSorted((a, b) => pairOf(a) - pairOf(b)), notes };
}

/** Returns the time of the write; an unreadable state counts as the oldest. */
function writtenMs({ restored }: StoredState): number {
  return restored.kind === 'state' ? restored.state.writtenAtMs : -Infinity;
}

function pairOf(write: PlannedWrite): number {
  const [to = 0, from = 0] = partitionsOfWrite(write);
  return from * 1e6 + to;
}

function moveOf(
  { key, partition, value, restored }: StoredState,
  to: number,
  there: StoredState | undefined,
): PlannedWrite {
  const state = restored.kind === 'state' ? restored.state : null;
  return {
    key,
    partition: to,
    state: value,
    expected: there?.value ?? null,
    movedFrom: { partition, expected: value },
    change: { key, before: state, after: state },
    unreadable: restored.kind === 'state' ? null : restored.error.message,
  };
}
