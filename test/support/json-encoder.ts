import type { Value } from '../../src/engine/json.ts';
import type { TopicRole } from '../../src/engine/stream-name.ts';
import type { Batch, Encoder, OutgoingRecord } from '../../src/engine/ports.ts';

/** An encoder without a registry: JSON. `refuse` may name an error for a value. */
export function createJsonEncoder(
  refuse: (role: TopicRole, value: Value) => Error | undefined = () => undefined,
): Encoder {
  return {
    schemaId: (role) => (role === 'dead_letters' ? 2 : 1),
    encodeKey: () => undefined,
    encode(role, value) {
      const error = refuse(role, value);
      if (error !== undefined) throw error;
      return Buffer.from(JSON.stringify(value));
    },
  };
}

/** The value that a record carries. */
export function valueOf(record: OutgoingRecord | undefined): Value {
  return JSON.parse(record?.value?.toString('utf8') ?? '{}') as Value;
}

/** `role key` of every record of some batches, in order. */
export function keysOf(batches: readonly Batch[]): readonly string[] {
  return batches.flatMap(({ records }) => records.map(({ role, key }) => `${role} ${key}`));
}
