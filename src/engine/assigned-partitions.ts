import { diffAssignments } from './assignment-changes.ts';
import type { Restored, StateStore } from './ports.ts';
import { type StartTools, untilReady } from './startup.ts';

// States of a partition in this instance:
// - unassigned: the group has not assigned it, or has revoked it.
// - leaving: revoked; its polls end and its producer is released. A new assignment waits for that.
// - restoring: assigned; its producer is acquired and its state is read from the state topic.
// - held: restored; its accounts are polled.
// - failed: the restore failed for good; the process ends.

/** A partition that is assigned to this instance and whose state is restored. */
export interface AssignedPartition {
  readonly partition: number;
  /** The last state of each (stream, account); it outlives the runs of an account's pollers. */
  readonly known: Map<string, Restored>;
  /** Aborted when the partition is revoked. */
  readonly signal: AbortSignal;
  /** Polls that must end before the partition is acquired again. */
  readonly polls: Set<Promise<void>>;
}

/** The partitions of this instance, from their assignment until they are released. */
export interface AssignedPartitions {
  /** Sets the assignment: acquires and restores new partitions, releases those not in it. */
  assign(partitions: readonly number[]): void;
  /** The partitions that are assigned and restored. */
  held(): ReadonlyMap<number, AssignedPartition>;
  /** Releases every partition; resolves when that is done. */
  end(): Promise<void>;
}

/** The dependencies of the assigned partitions. */
export interface AssignedPartitionTools {
  readonly store: StateStore;
  readonly start: StartTools;
  /** Called when the held partitions have changed. */
  readonly onChange: () => void;
  /** Called with the error that ends the process. */
  readonly onFatal: (error: unknown) => void;
}

/** One assignment of a partition: restoring until `assigned` is set. */
interface RestoreAttempt {
  readonly stop: AbortController;
  assigned: AssignedPartition | undefined;
}

/** Creates the assigned partitions; none is assigned yet. */
export function createAssignedPartitions(deps: AssignedPartitionTools): AssignedPartitions {
  const { store, start, onChange, onFatal } = deps;
  const attempts = new Map<number, RestoreAttempt>();
  /** The releases in progress; a new assignment of the same partition waits for its release. */
  const leaving = new Map<number, Promise<unknown>>();
  let ended = false;
  const tools = { ...start, telemetry: withStateOf(start, attempts) };
  const restore = async (partition: number, attempt: RestoreAttempt): Promise<void> => {
    const { signal } = attempt.stop;
    const isOver = () => attempts.get(partition) !== attempt;
    await leaving.get(partition);
    if (isOver()) return;
    const step = { name: 'state', run: (s: AbortSignal) => store.restore(partition, s) } as const;
    const restored = await untilReady(step, tools, signal);
    if (isOver()) return;
    attempt.assigned = { partition, known: new Map(restored), signal, polls: new Set() };
    tools.telemetry.reportRestores();
    onChange();
  };
  const begin = (partition: number): void => {
    const attempt: RestoreAttempt = { stop: new AbortController(), assigned: undefined };
    attempts.set(partition, attempt);
    restore(partition, attempt).catch((error: unknown) => {
      if (!attempt.stop.signal.aborted) onFatal(error);
    });
  };
  const release = (partition: number): void => {
    const attempt = attempts.get(partition);
    attempts.delete(partition);
    attempt?.stop.abort(new Error(`partition ${partition} is not owned any more`));
    // The polls end by the abort; an open transaction ends with the partition's producer.
    const before = leaving.get(partition) ?? Promise.resolve();
    const ending = [before, store.release(partition), ...(attempt?.assigned?.polls ?? [])];
    leaving.set(partition, Promise.allSettled(ending));
  };
  return {
    assign(partitions) {
      if (ended) return;
      const { gained, lost } = diffAssignments(attempts.keys(), partitions);
      lost.forEach(release);
      gained.forEach(begin);
      tools.telemetry.reportRestores();
      if (lost.length > 0) onChange();
    },
    held: () => heldOf(attempts),
    async end() {
      ended = true;
      [...attempts.keys()].forEach(release);
      await Promise.all(leaving.values());
    },
  };
}

function heldOf(
  attempts: ReadonlyMap<number, RestoreAttempt>,
): ReadonlyMap<number, AssignedPartition> {
  return new Map(
    [...attempts].flatMap(([partition, { assigned }]) =>
      assigned === undefined ? [] : [[partition, assigned] as const],
    ),
  );
}

/** Wraps the telemetry so that the state is ready only when every partition is restored. */
function withStateOf({ telemetry }: StartTools, attempts: ReadonlyMap<number, RestoreAttempt>) {
  let failure = '';
  const reportRestores = (): void => {
    const missing = [...attempts].filter(([, { assigned }]) => assigned === undefined);
    const ready = missing.length === 0;
    if (ready) failure = '';
    const partitions = missing.map(([partition]) => partition).join(', ');
    const reason = ready ? '' : `restoring partitions ${partitions}${failure}`;
    const isStarting = !ready && failure === '';
    telemetry.report({ type: 'dependency', name: 'state', ready, reason, isStarting });
  };
  return {
    reportRestores,
    report(event: Parameters<typeof telemetry.report>[0]) {
      if (event.type !== 'dependency' || event.name !== 'state') {
        telemetry.report(event);
      } else if (!event.ready) {
        failure = `: ${event.reason}`;
        reportRestores();
      }
    },
  };
}
