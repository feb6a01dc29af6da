import { setImmediate } from 'node:timers/promises';
import {
  isClassifiedError,
  messageOf,
  StopProcessError,
  StopStreamError,
} from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import { accountOfKey, stateKey } from '../../engine/state.ts';
import type { Restored, StateCodec, StateStore } from '../../engine/ports.ts';
import { unlessAborted } from '../client/deadline.ts';
import type { AcquiringPublisher } from '../producer/publisher.ts';
import { stateLimitBytes } from '../producer/produce-requests.ts';
import type { Layout, KafkaShared, StateEntry } from '../shared.ts';

function unreadable(key: string, reason: string): Restored {
  const message =
    `The state ${key} cannot be read: ${reason}. To start it over: stop the program, run ` +
    `"instagram-kafka state reset '${key}' --apply", start it again.`;
  return { kind: 'unreadable', error: new StopStreamError('state.unreadable', message) };
}

/** Decodes one entry; returns an unreadable state as such instead of throwing. */
export async function decodeEntry(
  codec: StateCodec,
  { key, value }: StateEntry,
): Promise<Restored> {
  if (accountOfKey(key) === undefined) {
    return unreadable(key, 'the key is not <stream>/<account id>');
  }
  try {
    const state = await codec.decode(key, value);
    const belongsTo = stateKey(state.stream, state.accountId);
    if (belongsTo !== key) return unreadable(key, `it holds the state of ${belongsTo}`);
    return { kind: 'state', state };
  } catch (error) {
    // An unavailable registry does not make the state unreadable: the restore is retried.
    if (isClassifiedError(error) && error.disposition !== 'stop-stream') throw error;
    return { kind: 'unreadable', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Creates the state store; a restore first acquires the partition from every other instance. */
export function createStateStore(shared: KafkaShared, publisher: AcquiringPublisher): StateStore {
  const { health } = shared;
  const checkAll = createPlacementCheck(shared);
  let last: Promise<unknown> = Promise.resolve();
  /** Decodes one partition after another. */
  const decode = (entries: readonly StateEntry[], signal: AbortSignal) => {
    const result = last.then(() => decodeAll(entries, shared, signal));
    last = result.catch(() => undefined);
    return result;
  };
  const restore: StateStore['restore'] = async (partition, signal) => {
    // Invariant 4: after the acquisition no transaction of an earlier owner can commit behind the read.
    const end = await publisher.acquire(partition, signal);
    // Invariant 2: read to the restore marker, or fail.
    const entries = await shared.readState(partition, end, signal);
    const layout = shared.layout();
    checkPlacement(entries, layout);
    checkKeyFormat(entries, layout);
    const isCountConfirmed = entries.some((one) => one.partitionCount === layout.statePartitions);
    // Without a known count, states of its accounts may lie in partitions that other instances restore.
    if (!isCountConfirmed) await unlessAborted(checkAll(), signal);
    return await decode(entries, signal);
  };
  return {
    async restore(partition, signal) {
      const part = `the state in partition ${partition}`;
      try {
        const restored = await restore(partition, signal);
        health.up(part);
        return restored;
      } catch (error) {
        signal.throwIfAborted();
        health.down(part, messageOf(error));
        throw error;
      } finally {
        if (signal.aborted) health.up(part);
      }
    },
    release: (partition) => publisher.release(partition),
  };
}

/** Decoding time before it yields to heartbeats and polls; one state of 10,000 media takes 15 ms. */
const decodeSliceMs = 20;

/** Decodes states, and yields to other work in between; an unreadable state is returned as such. */
export async function decodeAll(
  entries: readonly StateEntry[],
  shared: KafkaShared,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Restored>> {
  const { codec } = shared.dependencies;
  const limitBytes = stateLimitBytes(shared.layout());
  const restored = new Map<string, Restored>();
  let startedMs = performance.now();
  for (const entry of entries) {
    if (performance.now() - startedMs > decodeSliceMs) {
      await setImmediate();
      signal.throwIfAborted();
      startedMs = performance.now();
    }
    const decoded = await decodeEntry(codec, entry);
    const size = { bytes: entry.value.length, limitBytes };
    restored.set(entry.key, decoded.kind === 'state' ? { ...decoded, size } : decoded);
  }
  return restored;
}

/** Number of partitions that the check reads at once, which bounds its memory. */
const partitionsPerCheck = 4;

/** Creates the check of all placements: once per process, again after a failure. Ends with the reader. */
function createPlacementCheck(shared: KafkaShared): () => Promise<void> {
  let checking: Promise<void> | undefined;
  const check = async (): Promise<void> => {
    const layout = shared.layout();
    const { partitions } = layout;
    const never = new AbortController().signal;
    for (let start = 0; start < partitions.length; start += partitionsPerCheck) {
      const chunk = partitions.slice(start, start + partitionsPerCheck);
      const read = await Promise.all(chunk.map((one) => shared.readState(one, 'now', never)));
      checkPlacement(read.flat(), layout);
    }
  };
  return () => {
    const current = (checking ??= check());
    current.catch(() => {
      if (checking === current) checking = undefined;
    });
    return current;
  };
}

/** Returns the partition that a state's key belongs to; undefined for a key that is not a state's. */
export function placeOf(key: string, partitions: number): number | undefined {
  const account = accountOfKey(key);
  return account === undefined ? undefined : partitionOf(account, partitions);
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
 * Verifies that the earlier records of each stream have keys of the configured format.
 * Otherwise compaction, and tables by key, would keep an entity under its old and its new key.
 * @throws StopProcessError `kafka.topic-invalid`
 */
export function checkKeyFormat(entries: readonly StateEntry[], layout: Layout): void {
  const { keyFormat: configured } = layout;
  const other = entries.find(
    ({ key, keyFormat = 'string' }) => accountOfKey(key) !== undefined && keyFormat !== configured,
  );
  if (other === undefined) return;
  const { key, keyFormat: written = 'string' } = other;
  throw new StopProcessError(
    'kafka.topic-invalid',
    `KAFKA_KEY_FORMAT is ${configured}, and the records of ${key} were published with keys of the ` +
      `format ${written}. No record was published; subjects of keys may have been registered. Set ` +
      `KAFKA_KEY_FORMAT=${written} again, or give all ` +
      'topics new names (KAFKA_TOPIC_TEMPLATE) to publish everything anew with the other keys.',
    { exitCode: 3 },
  );
}

/**
 * Verifies that every state lies in the partition of its account. After partitions were added,
 * states in their old partitions would be missed and every record published again (Invariant 2).
 * @throws StopProcessError `kafka.topic-invalid`
 */
export function checkPlacement(entries: readonly StateEntry[], layout: Layout): void {
  const { statePartitions: count } = layout;
  const misplaced = entries.filter((entry) => isMisplaced(entry, count));
  if (misplaced.length === 0) return;
  const keys = misplaced.map(
    ({ key, partition }) => `${key} (in ${partition}, not ${placeOf(key, count)})`,
  );
  throw new StopProcessError(
    'kafka.topic-invalid',
    `${layout.topic('state').name} has ${count} partitions, and at least ${misplaced.length} ` +
      'states lie in partitions that their accounts do not belong to: ' +
      `${keys.slice(0, 3).join(', ')}${keys.length > 3 ? ', …' : ''}. Were partitions added to the topic? Nothing was ` +
      'published. Stop all instances, run "instagram-kafka state move-partitions", which shows what it ' +
      'would move, then the same with --apply, and start the instances again.',
    { exitCode: 3 },
  );
}
