import { isConnectorError, StopStreamError } from '../core/errors.ts';
import { stateKey } from '../core/state.ts';
import { isStreamName } from '../core/stream-name.ts';
import type { Restored, StateCodec, StateStore } from '../runtime/ports.ts';
import type { ClaimingPublisher } from './publisher.ts';
import type { KafkaShared } from './shared.ts';
import { readState } from './state-reader.ts';
import type { StateEntry } from './state-topic.ts';

function unreadable(key: string, why: string): Restored {
  const message =
    `The state ${key} cannot be read: ${why}. To start it over: stop the program, run ` +
    `"instagram-kafka state reset '${key}' --apply", start it again.`;
  return { kind: 'unreadable', error: new StopStreamError('state.unreadable', message) };
}

/** Reads one entry; what cannot be read is told, not thrown. */
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
    // A registry that is away says nothing about the state: the restore is tried again.
    if (isConnectorError(error) && error.code !== 'state.unreadable') throw error;
    return { kind: 'unreadable', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** When the topic was given more partitions a key may be in two: the later sequence counts. */
function newer(known: Restored | undefined, found: Restored): Restored {
  if (known?.kind !== 'state' || found.kind !== 'state') return found;
  return known.state.sequence > found.state.sequence ? known : found;
}

/** Makes the state store; a restore takes the partitions over from any other instance first. */
export function createStateStore(shared: KafkaShared, publisher: ClaimingPublisher): StateStore {
  return {
    async restore(signal) {
      try {
        const restored = await restoreAll(shared, publisher, signal);
        shared.health.up('state');
        return restored;
      } catch (error) {
        shared.health.down('state', error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
  };
}

async function restoreAll(
  shared: KafkaShared,
  publisher: ClaimingPublisher,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Restored>> {
  // Invariant 4: once claimed, no transaction of a former instance can land behind the read.
  await publisher.claim(signal);
  const partitions = Array.from({ length: shared.layout().statePartitions }, (_, id) => id);
  const restored = new Map<string, Restored>();
  for (const entry of await readState(shared, partitions, signal)) {
    const found = await decodeEntry(shared.dependencies.codec, entry);
    restored.set(entry.key, newer(restored.get(entry.key), found));
  }
  return restored;
}
