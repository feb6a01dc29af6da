import type { OutgoingRecord, Publisher, StateStore } from '../../src/engine/ports.ts';
import { stateKey } from '../../src/engine/state.ts';
import { type KafkaAdapter, type openKafka, placeOf } from '../../src/kafka/index.ts';
import { decodeEntry } from '../../src/kafka/state/store.ts';
import { createFakeGroup } from './fake-group.ts';

type MemoryRecord = Pick<OutgoingRecord, 'key' | 'value' | 'headers'>;

/** The committed records by role, oldest first; `state` has those of the states. */
export type MemoryTopics = ReadonlyMap<string, readonly MemoryRecord[]>;

/** A Kafka without brokers that outlives its adapters; every batch is committed at once. */
export interface MemoryKafka {
  readonly topics: MemoryTopics;
  readonly open: typeof openKafka;
}

/** The adapters that it opens publish, restore states and own every partition, and no more. */
export function createMemoryKafka(): MemoryKafka {
  const topics = new Map<string, MemoryRecord[]>();
  const append = (role: string, record: MemoryRecord): void => {
    const records = topics.get(role) ?? [];
    topics.set(role, records);
    records.push(record);
  };
  return {
    topics,
    open({ topics: { statePartitions } }, { codec }) {
      const publisher: Publisher = {
        publish({ records, state }, signal) {
          signal.throwIfAborted();
          for (const record of records) append(record.role, record);
          const key = stateKey(state.stream, state.accountId);
          append('state', { key, value: codec.encode(state), headers: {} });
          return Promise.resolve();
        },
      };
      const stateStore: StateStore = {
        async restore(partition) {
          const latest = new Map((topics.get('state') ?? []).map(({ key, value }) => [key, value]));
          const own = [...latest].filter(([key]) => placeOf(key, statePartitions) === partition);
          const restored = own.map(async ([key, value]) => {
            const entry = { key, partition, value: value ?? Buffer.alloc(0) };
            return [key, await decodeEntry(codec, entry)] as const;
          });
          return new Map(await Promise.all(restored));
        },
        release: () => Promise.resolve(),
      };
      const adapter = {
        publisher,
        stateStore,
        group: createFakeGroup(statePartitions),
        stateAdmin: { verifySchemas: () => Promise.resolve() },
        prepareTopics: () => Promise.resolve(),
        prepareAccount: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
      return adapter as unknown as KafkaAdapter;
    },
  };
}
