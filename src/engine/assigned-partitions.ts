import { diffAssignments } from './assignment-changes.ts';
import type { Restored, StateStore } from './ports.ts';
import { type StartTools, untilReady } from './startup.ts';

/** A partition that this instance owns and whose state it knows. */
export interface AssignedPartition {
  readonly partition: number;
  /** The last state of each (stream, account); outlives an account that leaves and comes back. */
  readonly known: Map<string, Restored>;
  /** Aborted when the partition is not owned any more. */
  readonly signal: AbortSignal;
  /** Polls that must have ended before the partition is taken again. */
  readonly polls: Set<Promise<void>>;
}

/** The partitions of this instance, from when it is given them until it has given them up. */
export interface AssignedPartitions {
  /** Sets what is owned: takes over and restores what is new, gives up what is not in it. */
  own(partitions: readonly number[]): void;
  /** What is owned and restored. */
  held(): ReadonlyMap<number, AssignedPartition>;
  /** Gives everything up; resolves when that is done. */
  end(): Promise<void>;
}

/** What assigned partitions are kept with. */
export interface AssignedPartitionTools {
  readonly store: StateStore;
  readonly start: StartTools;
  /** Called when what is held has changed. */
  readonly onChange: () => void;
  /** Called with what ends the process. */
  readonly onFatal: (error: unknown) => void;
}

/** One try to hold a partition. */
interface Attempt {
  readonly stop: AbortController;
  assigned: AssignedPartition | undefined;
}

/** Owns nothing yet. */
export function createAssignedPartitions(given: AssignedPartitionTools): AssignedPartitions {
  const { store, start, onChange, onFatal } = given;
  const attempts = new Map<number, Attempt>();
  /** What is being given up; who is given the same again waits for it. */
  const leaving = new Map<number, Promise<unknown>>();
  let ended = false;
  const tools = { ...start, telemetry: withStateOf(start, attempts) };
  const take = async (partition: number, attempt: Attempt): Promise<void> => {
    const { signal } = attempt.stop;
    const isOver = () => attempts.get(partition) !== attempt;
    await leaving.get(partition);
    if (isOver()) return;
    const step = { name: 'state', run: (s: AbortSignal) => store.restore(partition, s) } as const;
    const restored = await untilReady(step, tools, signal);
    if (isOver()) return;
    attempt.assigned = { partition, known: new Map(restored), signal, polls: new Set() };
    tools.telemetry.tell();
    onChange();
  };
  const begin = (partition: number): void => {
    const attempt: Attempt = { stop: new AbortController(), assigned: undefined };
    attempts.set(partition, attempt);
    take(partition, attempt).catch((error: unknown) => {
      if (!attempt.stop.signal.aborted) onFatal(error);
    });
  };
  const give = (partition: number): void => {
    const attempt = attempts.get(partition);
    attempts.delete(partition);
    attempt?.stop.abort(new Error(`partition ${partition} is not owned any more`));
    // The polls end by the abort; an open transaction ends with the partition's producer.
    const before = leaving.get(partition) ?? Promise.resolve();
    const ending = [before, store.release(partition), ...(attempt?.assigned?.polls ?? [])];
    leaving.set(partition, Promise.allSettled(ending));
  };
  return {
    own(partitions) {
      if (ended) return;
      const { gained, lost } = diffAssignments(attempts.keys(), partitions);
      lost.forEach(give);
      gained.forEach(begin);
      tools.telemetry.tell();
      if (lost.length > 0) onChange();
    },
    held: () => heldOf(attempts),
    async end() {
      ended = true;
      [...attempts.keys()].forEach(give);
      await Promise.all(leaving.values());
    },
  };
}

function heldOf(attempts: ReadonlyMap<number, Attempt>): ReadonlyMap<number, AssignedPartition> {
  return new Map(
    [...attempts].flatMap(([partition, { assigned }]) =>
      assigned === undefined ? [] : [[partition, assigned] as const],
    ),
  );
}

/** The state is ready when every partition's is; that of one says nothing of the others. */
function withStateOf({ telemetry }: StartTools, attempts: ReadonlyMap<number, Attempt>) {
  let trouble = '';
  const tell = (): void => {
    const missing = [...attempts].filter(([, { assigned }]) => assigned === undefined);
    const ready = missing.length === 0;
    if (ready) trouble = '';
    const partitions = missing.map(([partition]) => partition).join(', ');
    const reason = ready ? '' : `restoring partitions ${partitions}${trouble}`;
    const isStarting = !ready && trouble === '';
    telemetry.report({ type: 'dependency', name: 'state', ready, reason, isStarting });
  };
  return {
    tell,
    report(event: Parameters<typeof telemetry.report>[0]) {
      if (event.type !== 'dependency' || event.name !== 'state') {
        telemetry.report(event);
      } else if (!event.ready) {
        trouble = `: ${event.reason}`;
        tell();
      }
    },
  };
}
