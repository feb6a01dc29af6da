import type { Batch, Publisher } from '../../src/engine/ports.ts';

/** What becomes of a batch: committed, or refused with an error. */
export type CommitState = Error | undefined;

/** A publisher that keeps what was committed. */
export interface FakePublisher extends Publisher {
  /** The batches committed, oldest first. */
  readonly batches: readonly Batch[];
  /** Every batch that was tried, committed or not. */
  readonly tried: readonly Batch[];
}

/** Commits by a rule; `index` counts the tries from 0. Nothing is kept of a batch that is refused. */
export function createFakePublisher(
  decide: (batch: Batch, index: number) => CommitState | Promise<CommitState> = () => undefined,
): FakePublisher {
  const batches: Batch[] = [];
  const tried: Batch[] = [];
  return {
    batches,
    tried,
    async publish(batch, signal) {
      signal.throwIfAborted();
      // A copy, because the caller may go on with its list.
      const kept = { ...batch, records: [...batch.records] };
      tried.push(kept);
      assertIntegers(batch.state, 'state');
      const commit = await decide(kept, tried.length - 1);
      if (commit !== undefined) throw commit;
      batches.push(kept);
    },
  };
}

/** The state's Avro schema has whole numbers only: a fraction would fail every poll. */
function assertIntegers(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new TypeError(`${path} is ${value}, expected a whole number`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) assertIntegers(part, `${path}.${name}`);
}
