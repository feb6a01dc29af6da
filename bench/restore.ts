import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Cluster } from '../sandbox/cluster/start.ts';
import { startProgram } from '../sandbox/program.ts';
import { partitionOf } from '../src/core/partition.ts';
import { emptyMemory, stateKey } from '../src/core/state.ts';
import { topicName } from '../src/core/stream-name.ts';
import type { StateCodec } from '../src/runtime/ports.ts';

/** How long a start takes, from the start of the process to the end of its first poll. */
export interface RestoreResult {
  readonly keys: number;
  readonly emptyMs: number;
  readonly fullMs: number;
}

const keys = 100_000;
/** What each state remembers to have published. */
const publishedEach = 20;
/** kafkajs groups in quadratic time a partition. */
const keysASend = 5000;

/**
 * Starts the real program on a state topic without a key, and again when it has 100,000.
 *
 * @param env - where the program finds Kafka, registry and API; a topic template of its own
 */
export async function benchRestore(
  cluster: Cluster,
  codec: StateCodec,
  env: Readonly<Record<string, string>>,
): Promise<RestoreResult> {
  const emptyMs = await startOnce(env);
  await fill(cluster, codec, topicName(env['KAFKA_TOPIC_TEMPLATE'] ?? '', 'state'));
  return { keys, emptyMs, fullMs: await startOnce(env) };
}

async function startOnce(env: Readonly<Record<string, string>>): Promise<number> {
  const startedMs = performance.now();
  const polled = Promise.withResolvers<number>();
  await using program = startProgram({
    command: 'run',
    env: { ...env, STREAMS: 'users', HTTP_PORT: '0' },
    onLine: (line) => {
      const { msg } = JSON.parse(line) as { readonly msg: string };
      if (msg === 'poll finished') polled.resolve(performance.now() - startedMs);
    },
  });
  void program.ended.then((code) => {
    polled.reject(new Error(`the program ended with ${String(code)}`));
  });
  return Math.round(await polled.promise);
}

/** States of accounts that nobody polls, each in the partition of its account. */
async function fill(cluster: Cluster, codec: StateCodec, topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  const partitions = topics[0]?.partitions.length ?? 0;
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let start = 0; start < keys; start += keysASend) {
    const messages = Array.from({ length: keysASend }, (_, index) =>
      messageOf(String(17_841_400_000_000_000 + start + index), codec, partitions),
    );
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

function messageOf(accountId: string, codec: StateCodec, partitions: number) {
  const numbers = Array.from({ length: publishedEach }, (_, index) => BigInt(index + 1));
  const value = codec.encode({
    ...emptyMemory,
    published: new Map(numbers.map((number) => [String(18_000_000_000_000_000n + number), number])),
    stream: 'media',
    accountId,
    sequence: 1,
    writtenAtMs: 1_700_000_000_000,
    writtenBy: 'bench',
  });
  return {
    key: stateKey('media', accountId),
    value,
    partition: partitionOf(accountId, partitions),
  };
}
