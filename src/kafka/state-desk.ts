import { isConnectorError, StopProcessError } from '../core/errors.ts';
import { partitionOf } from '../core/partition.ts';
import type { StreamState } from '../core/state.ts';
import { topicName } from '../core/stream-name.ts';
import type { Restored, StateCodec } from '../runtime/ports.ts';
import { asAdmin } from './admin-call.ts';
import { Lane } from './lane.ts';
import { findOwners, type Owner } from './owners.ts';
import { createTools } from './publisher.ts';
import { placeStateAt } from './sends.ts';
import type { KafkaShared } from './shared.ts';
import type { StateEntry } from './partition-read.ts';
import { decodeEntry } from './state-store.ts';

export type { Owner } from './owners.ts';

/** A state as it lies in the topic. */
export interface StoredState {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
  readonly restored: Restored;
}

/** A state to be written, and what was in its place when that was decided. */
export interface StateWrite {
  readonly key: string;
  readonly partition: number;
  /** Null is a tombstone. */
  readonly state: StreamState | null;
  /** Goes on from the one before. */
  readonly sequence: number;
  /** The value that the topic must still have; null for none. */
  readonly expected: Buffer | null;
}

/** The state topic for people: read without disturbing anybody, written only as a whole. */
export interface StateDesk {
  /** Whether the topic is there; asked before the topics are prepared. */
  exists(): Promise<boolean>;
  /** Everything in the topic, by key; a key that is in two partitions comes twice. */
  read(signal: AbortSignal): Promise<readonly StoredState[]>;
  /** Which partitions are somebody's now. */
  owners(): Promise<readonly Owner[]>;
  /** The partition that an account's states belong to. */
  partitionOf(accountId: string): number;
  /**
   * Takes the partitions over, looks whether everything is still as expected, then writes each
   * partition's states in one transaction.
   *
   * @throws StopProcessError `state.owned` when something was changed meanwhile (nothing is
   * written then); StopStreamError `kafka.fenced`, RetryError `kafka.unavailable`,
   * StopProcessError `kafka.unauthorized`
   */
  write(writes: readonly StateWrite[], signal: AbortSignal): Promise<void>;
}

const closeLimitMs = 3000;

/** Makes the desk; the topics must have been prepared before it is used. */
export function createStateDesk(shared: KafkaShared): StateDesk {
  return {
    exists: () => topicExists(shared),
    async read(signal) {
      const partitions = Array.from({ length: shared.layout().statePartitions }, (_, id) => id);
      const entries = await readPartitions(shared, partitions, signal);
      const stored = await Promise.all(
        entries.map(async (entry) => ({
          ...entry,
          restored: await decodeEntry(shared.dependencies.codec, entry),
        })),
      );
      return stored.sort((a, b) => compare(a.key, b.key) || a.partition - b.partition);
    },
    owners: () => findOwners(shared),
    partitionOf: (accountId) => partitionOf(accountId, shared.layout().statePartitions),
    write: (writes, signal) => writeAll(shared, writes, signal),
  };
}

async function readPartitions(
  shared: KafkaShared,
  partitions: readonly number[],
  signal: AbortSignal,
): Promise<readonly StateEntry[]> {
  const reading = partitions.map((partition) => shared.readState(partition, signal));
  return (await Promise.all(reading)).flat();
}

async function topicExists(shared: KafkaShared): Promise<boolean> {
  const topic = topicName(shared.options.topicTemplate, 'state');
  const topics = await asAdmin(shared, (admin) => admin.listTopics(), {
    doing: 'listing the topics',
    needs: [{ operation: 'Read', resource: 'topic', name: topic }],
  });
  return topics.includes(topic);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

async function writeAll(
  shared: KafkaShared,
  writes: readonly StateWrite[],
  signal: AbortSignal,
): Promise<void> {
  const partitions = [...new Set(writes.map(({ partition }) => partition))];
  const lanes = new Map(
    partitions.map((partition) => [partition, new Lane(toolsOf(shared, partition))]),
  );
  try {
    // Invariant 4: once claimed, nobody else's transaction can land behind what is read now.
    for (const lane of lanes.values()) await lane.claim(signal);
    await checkUnchanged(shared, { writes, partitions }, signal);
    for (const [partition, lane] of lanes) {
      const mine = writes.filter((write) => write.partition === partition);
      await lane.deliver(deliveryOf(shared, mine), signal);
    }
  } finally {
    await Promise.all([...lanes.values()].map((lane) => lane.close(closeLimitMs)));
  }
}

/** A tombstone may be for what cannot be read: then any sequence is older than ours. */
function toolsOf(shared: KafkaShared, partition: number) {
  const tools = createTools(shared, partition);
  return {
    ...tools,
    sequenceOf: (key: string, value: Buffer) =>
      sequenceOrNone(shared.dependencies.codec, key, value),
  };
}

async function sequenceOrNone(codec: StateCodec, key: string, value: Buffer): Promise<number> {
  try {
    return (await codec.decode(key, value)).sequence;
  } catch (error) {
    if (isConnectorError(error) && error.code === 'state.unreadable') return 0;
    throw error;
  }
}

async function checkUnchanged(
  shared: KafkaShared,
  { writes, partitions }: { writes: readonly StateWrite[]; partitions: readonly number[] },
  signal: AbortSignal,
): Promise<void> {
  const entries = await readPartitions(shared, partitions, signal);
  for (const { key, partition, expected } of writes) {
    const found = entries.find((entry) => entry.key === key && entry.partition === partition);
    const value = found?.value ?? null;
    const same = value === null || expected === null ? value === expected : value.equals(expected);
    if (same) continue;
    throw new StopProcessError(
      'state.owned',
      `The state ${key} was changed while this command ran: an instance, or another command, writes ` +
        'it. Nothing was written. Stop the instance and run the command again.',
      { exitCode: 3 },
    );
  }
}

/** Records are committed together; the last of them, as a lane knows it, stands for all. */
function deliveryOf(shared: KafkaShared, writes: readonly StateWrite[]) {
  const layout = shared.layout();
  const placed = writes.map((write) => ({
    sequence: write.sequence,
    record: placeStateAt(write.partition, layout, {
      key: write.key,
      value: write.state === null ? null : shared.dependencies.codec.encode(write.state),
      headers: headersOf(write.key),
    }),
  }));
  const last = placed.at(-1);
  if (last === undefined) throw new Error('a partition without writes has no transaction');
  const records = placed.map(({ record }) => record);
  return { records, state: last.record, sequence: last.sequence };
}

function headersOf(key: string): Readonly<Record<string, string>> {
  const [stream = '', account = ''] = key.split('/');
  return { stream, account };
}
