import { setImmediate } from 'node:timers/promises';
import { isConnectorError, messageOf, StopStreamError } from '../../engine/errors.ts';
import { stateKey } from '../../engine/state.ts';
import { isStreamName } from '../../engine/stream-name.ts';
import type { Restored, StateCodec, StateStore } from '../../engine/ports.ts';
import { unlessAborted } from '../client/deadline.ts';
import type { AcquiringPublisher } from '../producer/publisher.ts';
import { stateLimitBytes } from '../producer/produce-requests.ts';
import type { KafkaShared } from '../shared.ts';
import type { StateEntry } from './topic-reader.ts';
import { checkPlacement } from './placement.ts';

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
  const slash = key.indexOf('/');
  if (slash < 0 || !isStreamName(key.slice(0, slash))) {
    return unreadable(key, 'the key is not <stream>/<account id>');
  }
  try {
    const state = await codec.decode(key, value);
    const belongsTo = stateKey(state.stream, state.accountId);
    if (belongsTo !== key) return unreadable(key, `it holds the state of ${belongsTo}`);
    return { kind: 'state', state };
  } catch (error) {
    // An unavailable registry does not make the state unreadable: the restore is retried.
    if (isConnectorError(error) && error.disposition !== 'stop-stream') throw error;
    return { kind: 'unreadable', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Creates the state store; a restore first acquires the partition from every other instance. */
export function createStateStore(shared: KafkaShared, publisher: AcquiringPublisher): StateStore {
  const checkAll = createPlacementCheck(shared);
  let last: Promise<unknown> = Promise.resolve();
  const serialize = <T>(task: () => Promise<T>): Promise<T> => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    async restore(partition, signal) {
      const part = `the state in partition ${partition}`;
      try {
        const restored = await restorePartition(partition, {
          shared,
          publisher,
          checkAll,
          serialize,
          signal,
        });
        shared.health.up(part);
        return restored;
      } catch (error) {
        signal.throwIfAborted();
        shared.health.down(part, messageOf(error));
        throw error;
      } finally {
        if (signal.aborted) shared.health.up(part);
      }
    },
    release: (partition) => publisher.release(partition),
  };
}

async function restorePartition(
  partition: number,
  context: {
    shared: KafkaShared;
    publisher: AcquiringPublisher;
    checkAll: () => Promise<void>;
    serialize: <T>(task: () => Promise<T>) => Promise<T>;
    signal: AbortSignal;
  },
): Promise<ReadonlyMap<string, Restored>> {
  const { shared, publisher, checkAll, serialize, signal } = context;
  // Invariant 4: after the acquisition no transaction of an earlier owner can commit behind the read.
  const end = await publisher.acquire(partition, signal);
  // Invariant 2: read to the fence record, or fail.
  const entries = await shared.readState(partition, end, signal);
  const layout = shared.layout();
  checkPlacement(entries, layout);
  const isCountConfirmed = entries.some((entry) => entry.partitionCount === layout.statePartitions);
  // Without a known count, states of its accounts may lie in partitions that other instances restore.
  if (!isCountConfirmed) await unlessAborted(checkAll(), signal);
  return await serialize(() => decodeAll(entries, shared, signal));
}

/** Decoding time before it yields to heartbeats and polls; one state of 10,000 media takes 15 ms. */
const decodeSliceMs = 20;

async function decodeAll(
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
    const never = new AbortController().signal;
    const partitions = Array.from({ length: layout.statePartitions }, (_, partition) => partition);
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
