import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { createReader, int16, int32, text } from '../support/kafka-bytes.ts';
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
  let reassignments: readonly Reassignment[] | undefined;
  for (let attempt = 0; ; attempt += 1) {
    try {
      // Every attempt sends the same reassignment: an earlier one may have succeeded without a response.
      reassignments ??= await withAdmin(brokers, planReassignments);
      await reassignReplicas(brokers, reassignments);
      await elect(brokers[attempt % brokers.length] ?? '');
      return;
    } catch (error) {
      // One broker may be away, and the controllers may be electing.
      if (performance.now() > deadlineMs) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

interface Reassignment {
  readonly topic: string;
  readonly partitionAssignment: { partition: number; replicas: number[] }[];
}

/** Returns a reassignment of every partition that moves its first replica behind the others. */
async function planReassignments(admin: Admin): Promise<readonly Reassignment[]> {
  const { topics } = await admin.fetchTopicMetadata();
  return topics.map(({ name, partitions }) => ({
    topic: name,
    partitionAssignment: partitions.map(({ partitionId, replicas }) => ({
      partition: partitionId,
      replicas: [...replicas.slice(1), ...replicas.slice(0, 1)],
    })),
  }));
}

function reassignReplicas(
  brokers: readonly string[],
  reassignments: readonly Reassignment[],
): Promise<unknown> {
  return withAdmin(brokers, (admin) =>
    admin.alterPartitionReassignments({ topics: [...reassignments], timeout: TIMEOUT_MS }),
  );
}

async function withAdmin<T>(
  brokers: readonly string[],
  request: (admin: Admin) => Promise<T>,
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
    return await request(admin);
  } finally {
    await admin.disconnect();
  }
}

/**
 * Elects the preferred leaders of all partitions by ElectLeaders 1, which kafkajs does not have.
 * Version 0 lacks the error of the whole request (Kafka's protocol guide, ElectLeaders).
 *
 * @throws Error when the controller has elected nobody, for example because it was too slow
 */
async function elect(broker: string): Promise<void> {
  const header = [int16(apiKeys.electLeaders), int16(1), int32(1), text('chaos')];
  const preferred = Buffer.from([0]);
  const all = int32(-1);
  const request = Buffer.concat([...header, preferred, all, int32(TIMEOUT_MS)]);
  // The code follows the length, the correlation id and the throttle time.
  const code = createReader(await ask(broker, request, TIMEOUT_MS), 3 * 4).int16();
  if (code !== 0) throw new Error(`${broker}: the election ended with error ${code}`);
}
