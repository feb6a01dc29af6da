import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { findFreePorts } from '../sandbox/cluster/free-port.ts';
import type { Cluster } from '../sandbox/cluster/start.ts';
import { startProgram } from '../sandbox/program.ts';
import { partitionOf } from '../src/engine/partition.ts';
import { emptyCheckpoint, stateKey } from '../src/engine/state.ts';
import { topicName, type StreamName } from '../src/engine/stream-name.ts';
import type { StateCodec } from '../src/engine/ports.ts';

/** A start on the states of many media: until every partition is restored. */
export interface LargeStatesResult {
  readonly accounts: number;
  readonly mediaEach: number;
  readonly megabytes: number;
  readonly readyMs: number;
  readonly emptyReadyMs: number;
  /** The longest block of the event loop meanwhile. */
  readonly stallMs: number;
  readonly rssMb: number;
  /** The CPU time, which is independent of a busy machine. */
  readonly cpuS: number;
}

/** The duration of a start, from the start of the process to the end of its first poll. */
export interface RestoreResult {
  readonly keys: number;
  readonly emptyMs: number;
  readonly fullMs: number;
}

const large = { accounts: 1000, mediaEach: 2000 };
/** The streams whose state lists every media. */
const largeStreams = ['media', 'media_insights', 'comments'] as const;
const largeKeysASend = 30;

const keys = 100_000;
/** Number of published fingerprints in each state. */
const publishedEach = 20;
/** kafkajs groups records in quadratic time per partition. */
const keysASend = 5000;

/**
 * Starts the real program on a state topic without a key, and again when it has 100,000.
 *
 * @param env - the addresses of Kafka, registry and API; a topic template of its own
 */
export async function benchRestore(
  cluster: Cluster,
  codec: StateCodec,
  env: Readonly<Record<string, string>>,
): Promise<RestoreResult> {
  const emptyMs = await startOnce(env);
  const messageAt = (index: number) => messageOf('media', accountAt(index), publishedEach, codec);
  await fill(cluster, stateTopicOf(env), { count: keys, aSend: keysASend, messageAt });
  return { keys, emptyMs, fullMs: await startOnce(env) };
}

/**
 * Starts the real program on a state topic without a key, and again when it has three states of
 * 2,000 media for each of 1,000 accounts.
 *
 * @param env - as of `benchRestore`
 */
export async function benchLargeStates(
  cluster: Cluster,
  codec: StateCodec,
  env: Readonly<Record<string, string>>,
): Promise<LargeStatesResult> {
  const empty = await startUntilReady(env);
  let bytes = 0;
  const messageAt = (index: number): StateMessage => {
    const stream = largeStreams[index % largeStreams.length] ?? 'media';
    const accountId = accountAt(Math.floor(index / largeStreams.length));
    const message = messageOf(stream, accountId, large.mediaEach, codec);
    bytes += message.value.length;
    return message;
  };
  const count = large.accounts * largeStreams.length;
  await fill(cluster, stateTopicOf(env), { count, aSend: largeKeysASend, messageAt });
  const { readyMs, stallMs, rssMb, cpuS } = await startUntilReady(env);
  const megabytes = Math.round(bytes / 1_000_000);
  return {
    ...large,
    megabytes,
    readyMs,
    emptyReadyMs: empty.readyMs,
    stallMs,
    rssMb,
    cpuS: Number((cpuS - empty.cpuS).toFixed(1)),
  };
}

async function startUntilReady(env: Readonly<Record<string, string>>) {
  const [port = 0] = await findFreePorts(1);
  const url = `http://127.0.0.1:${String(port)}`;
  const startedMs = performance.now();
  await using program = startProgram({
    command: 'run',
    env: { ...env, STREAMS: 'users', HTTP_PORT: String(port) },
    onLine: () => undefined,
  });
  const over = new AbortController();
  void program.ended.then(() => {
    over.abort(new Error('the program ended before it was ready'));
  });
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.status === 200) break;
    over.signal.throwIfAborted();
    await sleep(20);
  }
  const readyMs = Math.round(performance.now() - startedMs);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const valueOf = (name: string) =>
    Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics)?.[1] ?? NaN);
  return {
    readyMs,
    stallMs: Math.round(valueOf('nodejs_eventloop_lag_max_seconds') * 1000),
    rssMb: Math.round(valueOf('process_resident_memory_bytes') / 2 ** 20),
    cpuS: valueOf('process_cpu_seconds_total'),
  };
}

function stateTopicOf(env: Readonly<Record<string, string>>): string {
  return topicName(env['KAFKA_TOPIC_TEMPLATE'] ?? '', 'state');
}

function accountAt(index: number): string {
  return String(17_841_400_000_000_000 + index);
}

async function startOnce(env: Readonly<Record<string, string>>): Promise<number> {
  const startedMs = performance.now();
  const polled = Promise.withResolvers<number>();
  await using program = startProgram({
    command: 'run',
    // The start with states finds the poll of the other one in the state: its next poll must be due.
    env: { ...env, STREAMS: 'users', STREAM_USERS_INTERVAL: '1s', HTTP_PORT: '0' },
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

interface StateMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly accountId: string;
}

interface StateFill {
  readonly count: number;
  readonly aSend: number;
  readonly messageAt: (index: number) => StateMessage;
}

/** Writes states of accounts that are not polled, each in the partition of its account. */
async function fill(cluster: Cluster, topic: string, filling: StateFill): Promise<void> {
  const { count, aSend, messageAt } = filling;
  const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  const partitions = topics[0]?.partitions.length ?? 0;
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let start = 0; start < count; start += aSend) {
    const messages = Array.from({ length: Math.min(aSend, count - start) }, (_, index) => {
      const { accountId, ...message } = messageAt(start + index);
      return { ...message, partition: partitionOf(accountId, partitions) };
    });
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

function messageOf(
  stream: StreamName,
  accountId: string,
  mediaEach: number,
  codec: StateCodec,
): StateMessage {
  const numbers = Array.from({ length: mediaEach }, (_, index) => BigInt(index + 1));
  const published = new Map(
    numbers.map((number) => [String(18_000_000_000_000_000n + number), number]),
  );
  const value = codec.encode({
    ...emptyCheckpoint,
    published,
    insightsRead: stream === 'media_insights' ? published : new Map(),
    stream,
    accountId,
    sequence: 1,
    writtenAtMs: 1_700_000_000_000,
    writtenBy: 'bench',
    pause: null,
  });
  return { key: stateKey(stream, accountId), value, accountId };
}
