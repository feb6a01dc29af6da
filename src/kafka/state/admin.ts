import { isClassifiedError, StopProcessError } from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import type { StreamState } from '../../engine/state.ts';
import { topicName, type TopicRole } from '../../engine/stream-name.ts';
import type { Restored } from '../../engine/ports.ts';
import { needsOf } from '../client/acls.ts';
import { asAdmin } from '../client/admin-call.ts';
import type { PlacedBatch } from '../producer/partition-producer.ts';
import { findOwners } from '../group/membership.ts';
import { createPartitionProducer } from '../producer/publisher.ts';
import { placeAt, placeStateAt } from '../producer/produce-requests.ts';
import type { KafkaShared, StateEntry } from '../shared.ts';
import type { TailedRecord } from '../tail.ts';
import { checkKeyFormat, decodeAll, decodeEntry } from './store.ts';

export interface StoredState {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
  readonly restored: Restored;
}

/** A state to be written, with the stored value on which the decision was based. */
export interface StateWrite {
  readonly key: string;
  readonly partition: number;
  /** Null is a tombstone; a buffer is a stored value that is written unchanged. */
  readonly state: StreamState | Buffer | null;
  /** The value that the topic must still have; null for none. */
  readonly expected: Buffer | null;
  /** Records whose keys are deleted in the same transaction. */
  readonly deletions?: readonly TopicRecord[];
  /** The partition from which the key is deleted in the same transaction, and its value there. */
  readonly movedFrom?: { readonly partition: number; readonly expected: Buffer };
}

/** A record of a stream as it is in its topic. */
export interface TopicRecord extends Pick<TailedRecord, 'partition' | 'headers'> {
  readonly topic: string;
  readonly role: TopicRole;
  /** The text of its key. */
  readonly key: string;
  /** The key as stored. */
  readonly keyBytes: Buffer;
}

export function partitionsOfWrite({ partition, movedFrom }: StateWrite): readonly number[] {
  return movedFrom === undefined ? [partition] : [partition, movedFrom.partition];
}

/** Administration of the state topic: reads without affecting instances; writes all states or none. */
export type StateAdmin = ReturnType<typeof createStateAdmin>;

/** Creates the state administration; its use requires prepared topics. */
export function createStateAdmin(shared: KafkaShared) {
  return {
    /** True when the topic exists; may be called before the topics are prepared. */
    async exists(): Promise<boolean> {
      const topic = topicName(shared.options.topicTemplate, 'state');
      const operation = { doing: 'listing the topics', needs: needsOf.listing(topic) };
      return (await asAdmin(shared, (admin) => admin.listTopics(), operation)).includes(topic);
    },
    /** Reads all states, ordered by key; a key in two partitions appears twice. */
    async read(signal: AbortSignal): Promise<readonly StoredState[]> {
      const ends = new Map(shared.layout().partitions.map((id) => [id, 'now' as const]));
      const entries = await readPartitions(shared, ends, signal);
      const stored = await Promise.all(
        entries.map(async (entry) => ({
          ...entry,
          restored: await decodeEntry(shared.dependencies.codec, entry),
        })),
      );
      return stored.sort((a, b) => compare(a.key, b.key) || a.partition - b.partition);
    },
    verifySchemas: (signal: AbortSignal) => verifySchemas(shared, signal),
    /** Reads the current owners of partitions. */
    owners: () => findOwners(shared),
    partitionOf: (accountId: string) => partitionOf(accountId, shared.layout().statePartitions),
    write: (writes: readonly StateWrite[], signal: AbortSignal) => writeAll(shared, writes, signal),
  };
}

/**
 * Verifies that the registry knows the schemas of the states. Reads one partition after another,
 * and none that has no record, so a new topic takes no consumer.
 * @throws StopProcessError `registry.mismatch`; errors of the registry and of `readState`
 */
async function verifySchemas(shared: KafkaShared, signal: AbortSignal): Promise<void> {
  const { partitions, topic } = shared.layout();
  const { name } = topic('state');
  const operation = { doing: `looking for records of ${name}`, needs: needsOf.listing(name) };
  const spans = await asAdmin(shared, (admin) => admin.fetchTopicOffsets(name), operation);
  const isEmpty = (id: number) =>
    spans.some(({ partition, low, high }) => partition === id && low === high);
  for (const partition of partitions.filter((id) => !isEmpty(id))) {
    const entries = await shared.readState(partition, 'now', signal);
    for (const found of (await decodeAll(entries, shared, signal)).values()) {
      if (found.kind === 'state' || !isClassifiedError(found.error)) continue;
      const { code, message } = found.error;
      if (code === 'registry.mismatch') throw new StopProcessError(code, message, { exitCode: 3 });
    }
  }
}

async function readPartitions(
  shared: KafkaShared,
  ends: ReadonlyMap<number, bigint | 'now'>,
  signal: AbortSignal,
): Promise<readonly StateEntry[]> {
  const reads = [...ends].map(([partition, end]) => shared.readState(partition, end, signal));
  return (await Promise.all(reads)).flat();
}

/**
 * Acquires the partitions, verifies that every state is still as expected, then writes the states
 * of each partition in one transaction. Moved states use one transaction per pair of partitions.
 * @throws StopProcessError `state.owned` when a state has changed meanwhile (nothing is written then);
 * StopStreamError `kafka.fenced`, RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
 */
async function writeAll(
  shared: KafkaShared,
  writes: readonly StateWrite[],
  signal: AbortSignal,
): Promise<void> {
  const partitions = [...new Set(writes.flatMap(partitionsOfWrite))];
  const producers = new Map(
    partitions.map((partition) => [partition, createPartitionProducer(shared, partition)]),
  );
  try {
    // Invariant 4: after the acquisition no other producer's transaction can commit behind this read.
    const ends = new Map<number, bigint>();
    for (const [partition, producer] of producers)
      ends.set(partition, await producer.acquire(signal));
    const entries = await readPartitions(shared, ends, signal);
    checkUnchanged(writes, entries);
    checkKeyFormat(entries, shared.layout());
    const pairs = Map.groupBy(writes, (write) => partitionsOfWrite(write).join('/'));
    for (const transaction of pairs.values()) {
      const producer = producers.get(transaction[0]?.partition ?? -1);
      await producer?.commit(batchOf(shared, transaction), signal);
    }
  } finally {
    await Promise.all([...producers.values()].map((producer) => producer.close()));
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function checkUnchanged(writes: readonly StateWrite[], entries: readonly StateEntry[]): void {
  const expectations = writes.flatMap(({ key, partition, expected, movedFrom }) => [
    { key, partition, expected },
    ...(movedFrom === undefined ? [] : [{ key, ...movedFrom }]),
  ]);
  for (const { key, partition, expected } of expectations) {
    const found = entries.find((entry) => entry.key === key && entry.partition === partition);
    if (isSame(found?.value, expected)) continue;
    throw new StopProcessError(
      'state.owned',
      `The state ${key} was changed while this command ran: an instance, or another command, writes ` +
        'it. Nothing was written. Stop the instance and run the command again.',
      { exitCode: 3 },
    );
  }
}

function isSame(found: Buffer | undefined, expected: Buffer | null): boolean {
  return expected === null ? found === undefined : found?.equals(expected) === true;
}

/**
 * Returns one batch of all writes, after their deletions; its last record serves as the state that
 * the producer verifies.
 */
function batchOf(shared: KafkaShared, writes: readonly StateWrite[]): PlacedBatch {
  const layout = shared.layout();
  const tombstones = writes.flatMap(({ deletions = [] }) =>
    deletions.map(({ partition, topic, ...record }) =>
      placeAt(partition, layout, { ...record, value: null }, topic),
    ),
  );
  const states = writes.flatMap(({ key, partition, state, movedFrom }) => {
    const [stream = '', account = ''] = key.split('/');
    const content = { key, headers: { stream, account } };
    const isEncoded = state === null || Buffer.isBuffer(state);
    const value = isEncoded ? state : shared.dependencies.codec.encode(state);
    const placed = placeStateAt(partition, layout, { ...content, value });
    if (movedFrom === undefined) return [placed];
    return [placeStateAt(movedFrom.partition, layout, { ...content, value: null }), placed];
  });
  const records = [...tombstones, ...states];
  const [last, state] = [writes.at(-1), states.at(-1)];
  if (last === undefined || state === undefined) {
    throw new Error('a partition without writes has no transaction');
  }
  return { records, state, isPrevious: (found) => Promise.resolve(isSame(found, last.expected)) };
}
