import { setTimeout as sleep } from 'node:timers/promises';
import { array, createReader, int16, int32, int64, text } from './kafka-bytes.ts';
import { apiKeys, errorCodes } from './kafka-frames.ts';
import { ask } from './kafka-request.ts';

/** The end of a partition that is not there. */
const noEnd = -1n;

/** Where a partition ends. */
interface PartitionEnd {
  readonly partition: number;
  /** For who reads committed records only: before the first open transaction. */
  readonly stable: bigint;
  /** For who reads everything. */
  readonly high: bigint;
}

/**
 * Asks the leader of some partitions where they end, in Kafka's own words (ListOffsets 2), because
 * kafkajs tells the stable end alone. While the two differ a transaction is open.
 */
async function readEnds(
  broker: string,
  topic: string,
  partitions: readonly number[],
): Promise<readonly PartitionEnd[]> {
  const [stable, high] = await Promise.all([
    listOffsets(broker, { topic, partitions, isolation: 1 }),
    listOffsets(broker, { topic, partitions, isolation: 0 }),
  ]);
  return partitions.map((partition) => ({
    partition,
    stable: stable.get(partition) ?? noEnd,
    high: high.get(partition) ?? noEnd,
  }));
}

/**
 * Waits until every transaction with records in these topics has ended. The broker acknowledges a
 * commit before it writes the markers to every partition, as CONCURRENT_TRANSACTIONS at the next
 * transaction shows. Until then a read_committed consumer may see a transaction's records in one
 * topic and not yet in another.
 *
 * @param topics - the number of partitions by topic
 * @throws Error when a transaction is still open after ten seconds
 */
export async function awaitTransactionsEnd(
  broker: string,
  topics: Readonly<Record<string, number>>,
): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  for (const [topic, count] of Object.entries(topics)) {
    const partitions = Array.from({ length: count }, (_, index) => index);
    const targets = await readEnds(broker, topic, partitions);
    for (;;) {
      const now = await readEnds(broker, topic, partitions);
      const open = now.filter(({ stable }, index) => stable < (targets[index]?.high ?? noEnd));
      if (open.length === 0) break;
      if (performance.now() > deadlineMs) {
        const numbers = open.map(({ partition }) => partition).join(', ');
        throw new Error(
          `${topic}: a transaction is still open after 10 s in partition ${numbers}; look in the log for a producer that neither committed nor aborted`,
        );
      }
      await sleep(50);
    }
  }
}

interface Question {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly isolation: 0 | 1;
}

async function listOffsets(
  broker: string,
  { topic, partitions, isolation }: Question,
): Promise<ReadonlyMap<number, bigint>> {
  const latest = -1n;
  const wanted = partitions.map((partition) => Buffer.concat([int32(partition), int64(latest)]));
  const answer = await ask(
    broker,
    Buffer.concat([
      Buffer.concat([int16(apiKeys.listOffsets), int16(2), int32(1), text('partition-ends')]),
      Buffer.concat([int32(-1), Buffer.from([isolation])]),
      array([Buffer.concat([text(topic), array(wanted)])]),
    ]),
  );
  const body = createReader(answer, 4 + 4 + 4);
  const topics = body.list(() => {
    body.text();
    return body.list(() => {
      const partition = body.int32();
      const code = body.int16();
      body.int64();
      const offset = body.int64();
      if (code === 0) return [partition, offset] as const;
      if (code === errorCodes.unknownTopicOrPartition) return [partition, noEnd] as const;
      throw new Error(`${topic}/${String(partition)}: error ${String(code)}`);
    });
  });
  return new Map(topics.flat());
}
