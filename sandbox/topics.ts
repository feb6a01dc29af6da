import { randomUUID } from 'node:crypto';
import avro, { type Schema, type Type } from 'avsc';
import { Kafka, logLevel, type EachBatchPayload } from 'kafkajs';

/** A record as a consumer receives it: committed, decoded with its writer schema. */
export interface DecodedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Readonly<Record<string, unknown>> | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes in Kafka. */
  readonly bytes: Buffer | null;
}

/** Addresses of the topics and their schemas. */
export interface TopicAddresses {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
}

/**
 * The key of the state topic's restore markers: tombstones that only prove to their writer that a
 * read is complete.
 */
const restoreMarkerKey = 'fence';

/**
 * Reads topics from their start to their current end, as a `read_committed` consumer, and decodes
 * every value; restore markers are left out. For people and tests; it shares no code with the
 * program.
 *
 * @returns the records by topic, each topic's in the order of partition and offset; a missing topic
 *   is left out
 */
export async function readTopics(
  at: TopicAddresses,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly DecodedRecord[]>> {
  const kafka = new Kafka({ brokers: [...at.brokers], logLevel: logLevel.NOTHING });
  const ends = await endsOf(kafka, topics);
  const found = new Map([...ends.keys()].map((topic) => [topic, [] as RawRecord[]]));
  const left = new Map(
    [...ends].flatMap(([topic, partitions]) =>
      partitions.map(({ partition, end }) => [`${topic} ${partition}`, end] as const),
    ),
  );
  if (left.size > 0) {
    await consume(kafka, { topics: [...ends.keys()], left }, (record) => {
      if (record.key !== restoreMarkerKey) found.get(record.topic)?.push(record);
    });
  }
  const decode = createDecoder(at.registryUrl);
  const decoded = new Map<string, readonly DecodedRecord[]>();
  for (const [topic, records] of found) {
    records.sort(
      (a, b) => a.partition - b.partition || Number(BigInt(a.offset) - BigInt(b.offset)),
    );
    decoded.set(
      topic,
      await Promise.all(records.map(async (r) => ({ ...r, value: await decode(r.bytes) }))),
    );
  }
  return decoded;
}

type RawRecord = Omit<DecodedRecord, 'value'>;

async function endsOf(kafka: Kafka, topics: readonly string[]) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const ends = new Map<string, readonly { partition: number; end: bigint }[]>();
    for (const topic of topics.filter((name) => existing.has(name))) {
      const offsets = await admin.fetchTopicOffsets(topic);
      const filled = offsets.filter(({ low, high }) => low !== high);
      ends.set(
        topic,
        filled.map(({ partition, high }) => ({ partition, end: BigInt(high) })),
      );
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}

async function consume(
  kafka: Kafka,
  goal: { readonly topics: string[]; readonly left: Map<string, bigint> },
  take: (record: RawRecord) => void,
): Promise<void> {
  const finished = Promise.withResolvers<undefined>();
  const groupId = `sandbox-reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  // Transaction markers take offsets: the last batch of a partition may hold nothing else.
  consumer.on('consumer.end_batch_process', ({ payload }) => {
    const name = `${payload.topic} ${payload.partition}`;
    const end = goal.left.get(name);
    if (end !== undefined && BigInt(payload.lastOffset) >= end - 1n) goal.left.delete(name);
    if (goal.left.size === 0) finished.resolve(undefined);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: goal.topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: (payload) => {
        toRecords(payload).forEach(take);
        return Promise.resolve();
      },
    });
    await finished.promise;
  } finally {
    await consumer.disconnect();
  }
}

function toRecords({ batch }: EachBatchPayload): RawRecord[] {
  return batch.messages.map(({ key, value, headers, offset }) => ({
    topic: batch.topic,
    partition: batch.partition,
    offset,
    key: key?.toString('utf8') ?? '',
    bytes: value,
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)]),
    ),
  }));
}

/** Creates a decoder that uses the values' writer schemas; bytes become base64. */
export function createDecoder(registryUrl: string) {
  const types = new Map<number, Promise<Type>>();
  const typeOf = async (id: number): Promise<Type> => {
    const response = await fetch(`${registryUrl}/schemas/ids/${id}`);
    if (!response.ok) throw new Error(`the registry has no schema ${id} (HTTP ${response.status})`);
    const { schema } = (await response.json()) as { schema: string };
    return avro.Type.forSchema(JSON.parse(schema) as Schema);
  };
  return async (bytes: Buffer | null): Promise<DecodedRecord['value']> => {
    if (bytes === null) return null;
    const id = bytes.readInt32BE(1);
    const known = types.get(id) ?? typeOf(id);
    types.set(id, known);
    // avsc returns objects of its own classes; plain objects print and compare in the usual way.
    const value: unknown = (await known).fromBuffer(bytes.subarray(5));
    return JSON.parse(JSON.stringify(value, bytesAsText)) as Readonly<Record<string, unknown>>;
  };
}

/** A buffer arrives here in its JSON form. */
function bytesAsText(_name: string, value: unknown): unknown {
  const isBytes =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBytes && 'data' in value
    ? Buffer.from(value.data as number[]).toString('base64')
    : value;
}
