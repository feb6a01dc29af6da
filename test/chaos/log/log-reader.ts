import { Kafka, logLevel } from 'kafkajs';
import { createDecoder } from '../../../sandbox/topics.ts';
import { BrokerReader } from './fetch.ts';
import { type CommittedRecord, type PartitionLog, createPartitionLog } from './partition-log.ts';
import { readBatches } from './record-batch.ts';

/** A record of a topic with its value decoded. */
export interface DecodedRecord extends CommittedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly decoded: Readonly<Record<string, unknown>> | null;
}

/** Reads topics from offset 0 and follows them. */
export interface LogReader {
  /** Reads what came since the last call; rejects while a partition has no leader. */
  catchUp(): Promise<void>;
  /** What a `read_committed` reader has seen of a topic by now, each partition by offset. */
  records(topic: string): readonly DecodedRecord[];
  /** Records of transactions that are still open. */
  open(): number;
}

/** Where the topics and their schemas are. */
export interface LogPlace {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly topics: readonly string[];
}

interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly log: PartitionLog;
  /** What of the committed is decoded, in the same order. */
  decoded: DecodedRecord[];
}

interface Leader {
  readonly topic: string;
  readonly partition: number;
  readonly address: string;
}

/** Makes a reader; it shares no code with the program. */
export function createLogReader({ brokers, registryUrl, topics }: LogPlace): LogReader {
  const decode = createDecoder(registryUrl);
  const known = new Map<string, DecodedRecord>();
  const parts = new Map<string, Part>();
  const partOf = ({ topic, partition }: Leader): Part => {
    const name = `${topic}/${partition}`;
    const part = parts.get(name) ?? { topic, partition, log: createPartitionLog(), decoded: [] };
    parts.set(name, part);
    return part;
  };
  const decodeAll = async (part: Part): Promise<void> => {
    const { topic, partition } = part;
    part.decoded = await Promise.all(
      part.log.committed().map(async (record) => {
        const name = `${topic}/${partition}/${record.offset}`;
        const found = known.get(name) ?? {
          ...record,
          topic,
          partition,
          decoded: await decode(record.value),
        };
        known.set(name, found);
        return found;
      }),
    );
  };
  return {
    async catchUp() {
      const leaders = await findLeaders(brokers, topics);
      for (const [address, led] of Map.groupBy(leaders, (leader) => leader.address)) {
        await using reader = await BrokerReader.open(address);
        for (const leader of led) await follow(reader, partOf(leader));
      }
      for (const part of parts.values()) await decodeAll(part);
    },
    records: (topic) =>
      [...parts.values()].filter((part) => part.topic === topic).flatMap((part) => part.decoded),
    open: () => [...parts.values()].reduce((sum, { log }) => sum + log.open(), 0),
  };
}

async function follow(reader: BrokerReader, { topic, partition, log }: Part): Promise<void> {
  for (;;) {
    const { highWatermark, batches } = await reader.fetch({
      topic,
      partition,
      offset: log.nextOffset,
    });
    log.append(readBatches(batches));
    if (log.nextOffset >= highWatermark) return;
  }
}

/** @throws Error when a partition has no leader */
async function findLeaders(brokers: readonly string[], topics: readonly string[]) {
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1 },
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const wanted = topics.filter((topic) => existing.has(topic));
    const { brokers: nodes } = await admin.describeCluster();
    const addresses = new Map(nodes.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
    const { topics: found } = await admin.fetchTopicMetadata({ topics: wanted });
    return found.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionId, leader }): Leader => {
        const address = addresses.get(leader);
        if (address === undefined) throw new Error(`${name}/${partitionId} has no leader`);
        return { topic: name, partition: partitionId, address };
      }),
    );
  } finally {
    await admin.disconnect();
  }
}
