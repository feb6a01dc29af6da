import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { int16, int32, text } from '../support/kafka-bytes.ts';
import { apiKeys } from '../support/kafka-frames.ts';
import { ask } from '../support/kafka-request.ts';

const TIMEOUT_MS = 3_000;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/**
 * Makes the next replica of every partition the preferred one, Kafka's own topics included, and has
 * Kafka elect the preferred leaders. A partition whose preferred replica is not in sync keeps its leader.
 *
 * @throws Error when no broker has done so for a minute
 */
export async function electLeaders(brokers: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  let rotated: readonly Assignment[] | undefined;
  for (let attempt = 0; ; attempt += 1) {
    try {
      // A repeated attempt assigns the same, because the one before may have done so.
      rotated ??= await withAdmin(brokers, rotate);
      await assign(brokers, rotated);
      await elect(brokers[attempt % brokers.length] ?? '');
      return;
    } catch (error) {
      // One broker may be away, and the controllers may be electing.
      if (performance.now() > deadlineMs) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

interface Assignment {
  readonly topic: string;
  readonly partitionAssignment: { partition: number; replicas: number[] }[];
}

/** Returns the replicas of all partitions with the first one moved behind the others. */
async function rotate(admin: Admin): Promise<readonly Assignment[]> {
  const { topics } = await admin.fetchTopicMetadata();
  return topics.map(({ name, partitions }) => ({
    topic: name,
    partitionAssignment: partitions.map(({ partitionId, replicas }) => ({
      partition: partitionId,
      replicas: [...replicas.slice(1), ...replicas.slice(0, 1)],
    })),
  }));
}

function assign(brokers: readonly string[], assignments: readonly Assignment[]): Promise<unknown> {
  return withAdmin(brokers, (admin) =>
    admin.alterPartitionReassignments({ topics: [...assignments], timeout: TIMEOUT_MS }),
  );
}

async function withAdmin<T>(
  brokers: readonly string[],
  act: (admin: Admin) => Promise<T>,
): Promise<T> {
  const kafka = new Kafka({
    brokers: [...brokers],
    connectionTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    retry: { retries: 2 },
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}

/** ElectLeaders 0, which kafkajs does not have: the preferred ones, of all partitions. */
async function elect(broker: string): Promise<void> {
  const header = [int16(apiKeys.electLeaders), int16(0), int32(1), text('chaos')];
  const all = int32(-1);
  await ask(broker, Buffer.concat([...header, all, int32(TIMEOUT_MS)]), TIMEOUT_MS);
}
