import { diffAssignments } from './assignment-changes.ts';
import type { Restored, StateStore } from './ports.ts';
import { type StartTools, untilAnswered } from './startup.ts';

// States of a partition in this instance:
// - unassigned: the group has not assigned it, or has revoked it.
// - leaving: revoked; its polls end and its producer is released. A new assignment waits for that.
// - restoring: assigned; its producer is acquired and its state is read from the state topic.
// - active: restored; its accounts are polled.
// - failed: the restore failed for good; the process ends.

/** An owned partition whose states are restored. */
export interface ActivePartition {
  readonly partition: number;
  /** The last state of each (stream, account); it outlives the runs of an account's pollers. */
  readonly known: Map<string, Restored>;
  /** Aborted when the partition is revoked. */
  readonly signal: AbortSignal;
  /** Polls, and writes of pauses, that must end before the partition is acquired again. */
  readonly polls: Set<Promise<unknown>>;
}

export interface ActivePartitionTools {
  readonly store: StateStore;
  readonly start: StartTools;
  readonly onChange: () => void;
  /** Called with the error that ends the process. */
  readonly onFatal: (error: unknown) => void;
}

/** One assignment of a partition: restoring until `active` is set. */
interface RestoreAttempt {
  readonly stop: AbortController;
  active?: ActivePartition;
}

/** The partitions of this instance, from their assignment until they are released. */
export class ActivePartitions {
  readonly #tools: ActivePartitionTools;
  readonly #attempts = new Map<number, RestoreAttempt>();
  /** The releases in progress; a new assignment of the same partition waits for its release. */
  readonly #leaving = new Map<number, Promise<unknown>>();
  #failure = '';
  #isEnded = false;

  constructor(tools: ActivePartitionTools) {
    this.#tools = tools;
  }

  /** Sets the assignment: acquires and restores new partitions, releases those not in it. */
  assign(partitions: readonly number[]): void {
    if (this.#isEnded) return;
    const { gained, lost } = diffAssignments(this.#attempts.keys(), partitions);
    for (const partition of lost) this.#release(partition);
    for (const partition of gained) this.#begin(partition);
    this.#reportRestores();
    if (lost.length > 0) this.#tools.onChange();
  }

  active(): ReadonlyMap<number, ActivePartition> {
    const all = [...this.#attempts.values()].flatMap(({ active = [] }) => active);
    return new Map(all.map((one) => [one.partition, one]));
  }

  /** Releases every partition; resolves when that is done. */
  async end(): Promise<void> {
    this.#isEnded = true;
    for (const partition of [...this.#attempts.keys()]) this.#release(partition);
    await Promise.all(this.#leaving.values());
  }

  #begin(partition: number): void {
    const attempt: RestoreAttempt = { stop: new AbortController() };
    this.#attempts.set(partition, attempt);
    this.#restore(partition, attempt).catch((error: unknown) => {
      if (!attempt.stop.signal.aborted) this.#tools.onFatal(error);
    });
  }

  async #restore(partition: number, attempt: RestoreAttempt): Promise<void> {
    const { store, start, onChange } = this.#tools;
    const { signal } = attempt.stop;
    const isOver = () => this.#attempts.get(partition) !== attempt;
    await this.#leaving.get(partition);
    if (isOver()) return;
    const run = () => store.restore(partition, signal);
    const restored = await untilAnswered(run, start, signal, (reason) => {
      this.#failure = `: ${reason}`;
      this.#reportRestores();
    });
    if (isOver()) return;
    attempt.active = { partition, known: new Map(restored), signal, polls: new Set() };
    this.#reportRestores();
    onChange();
  }

  #release(partition: number): void {
    const attempt = this.#attempts.get(partition);
    this.#attempts.delete(partition);
    attempt?.stop.abort(new Error(`partition ${partition} is not owned any more`));
    // The polls end by the abort; an open transaction ends with the partition's producer.
    const before = this.#leaving.get(partition) ?? Promise.resolve();
    const released = this.#tools.store.release(partition);
    const ending = [before, released, ...(attempt?.active?.polls ?? [])];
    this.#leaving.set(partition, Promise.allSettled(ending));
  }

  /** Reports the state as ready only when every partition is restored. */
  #reportRestores(): void {
    const missing = [...this.#attempts].filter(([, { active }]) => active === undefined);
    const ready = missing.length === 0;
    if (ready) this.#failure = '';
    const partitions = missing.map(([partition]) => partition).join(', ');
    const reason = ready ? '' : `restoring partitions ${partitions}${this.#failure}`;
    const isStarting = !ready && this.#failure === '';
    const { telemetry } = this.#tools.start;
    telemetry.report({ type: 'dependency', name: 'state', ready, reason, isStarting });
  }
}
