import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type EachBatchPayload } from 'kafkajs';

/** A record as a read_committed consumer sees it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The key of the state topic's restore markers: tombstones that only prove to their writer that a
 * read is complete.
 */
const restoreMarkerKey = 'fence';

function toRecords({ batch }: EachBatchPayload): ReadRecord[] {
  const records = batch.messages.map(({ key, value, headers, offset }) => ({
    partition: batch.partition,
    offset,
    key: key?.toString('utf8') ?? '',
    value,
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)]),
    ),
  }));
  return records.filter(({ key }) => key !== restoreMarkerKey);
}

/**
 * Reads the committed records of a topic, without restore markers, from its start to its last stable
 * offset. kafkajs assumes that the broker's list of aborted transactions is sorted, so it may
 * return aborted records when aborted transactions of several producers overlap.
 */
async function readOnce(brokers: readonly string[], topic: string): Promise<readonly ReadRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic).finally(() => admin.disconnect());
  const ends = new Map(
    offsets
      .filter(({ low, high }) => low !== high)
      .map(({ partition, high }) => [partition, BigInt(high)]),
  );
  if (ends.size === 0) return [];

  const records: ReadRecord[] = [];
  const finish = Promise.withResolvers<undefined>();
  const consumer = kafka.consumer({
    groupId: `reader-${randomUUID()}`,
    maxWaitTimeInMs: 100,
    readUncommitted: false,
  });
  // Fires for batches of nothing but transaction markers, too.
  consumer.on('consumer.end_batch_process', ({ payload }) => {
    const end = ends.get(payload.partition);
    if (end !== undefined && BigInt(payload.lastOffset) >= end - 1n) ends.delete(payload.partition);
    if (ends.size === 0) finish.resolve(undefined);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: (payload) => {
        records.push(...toRecords(payload));
        return Promise.resolve();
      },
    });
    await finish.promise;
  } finally {
    await consumer.disconnect();
  }
  return records;
}

/**
 * Reads a topic, committed records only, from its start to its end.
 *
 * @param atLeast - how many records are awaited, for ten seconds: a commit is acknowledged a moment
 * before its markers are written and its records can be seen
 */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
  atLeast = 0,
): Promise<readonly ReadRecord[]> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const isLate = Date.now() > deadlineMs;
    const records = await readOnce(brokers, topic).catch((error: unknown) => {
      if (isLate || !isOfNewTopic(error)) throw error;
      return undefined;
    });
    if (records !== undefined && (records.length >= atLeast || isLate)) return records;
    await sleep(50);
  }
}

/** Of a topic that was created a moment ago not every broker knows whose it is. */
function isOfNewTopic(error: unknown): boolean {
  const { type = '' } = error as { readonly type?: string };
  return ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(type);
}
