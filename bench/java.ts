import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { ensureArtifacts, ensureKafkaTools } from '../sandbox/cluster/artifacts.ts';
import { runCommand } from '../sandbox/cluster/child-process.ts';
import { artifactOptionsOf } from '../sandbox/cluster/java.ts';
import type { KafkaBenchOptions, KafkaBenchResult } from './kafka.ts';
import { mediaValue } from './media.ts';

/**
 * Java's own transactional producer on the same broker, by the program's records per transaction.
 */
export interface JavaResult {
  readonly records_per_s: Readonly<Record<string, number>>;
  /** The program's records a second as a share of Java's. */
  readonly share: Readonly<Record<string, number>>;
}

/** The number of Java's records for each batch size of the program; some seconds each. */
const plan: readonly (readonly [size: string, records: number])[] = [
  ['500', 500_000],
  ['10000', 1_000_000],
];
const partitions = 3;
const payloadCount = 2000;

/** Options of the run of Java's producer. */
export interface JavaBenchOptions {
  readonly brokers: readonly string[];
  /** Size of a record, with its key and headers. */
  readonly recordBytes: number;
  readonly compression: KafkaBenchOptions['compression'];
}

interface Run extends JavaBenchOptions {
  readonly classPath: string;
  readonly topic: string;
  /** A file of records, one a line. */
  readonly payloads: string;
}

/**
 * Measures `org.apache.kafka.tools.ProducerPerformance` with a transactional id: media as JSON, cut
 * to records of the same size, to as many partitions, committed at the program's pace. Its records
 * exist in advance; the program encodes its own.
 *
 * @throws Error when Java or Maven is missing
 */
export async function benchJava(
  options: JavaBenchOptions,
  ours: KafkaBenchResult,
): Promise<JavaResult> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'bench-java-'));
  const payloads = join(directory.path, 'payloads');
  await writePayloads(payloads, options.recordBytes);
  const run = {
    ...options,
    classPath: await findClassPath(),
    topic: await createTopic(options.brokers),
    payloads,
  };
  const perSecond: Record<string, number> = {};
  const share: Record<string, number> = {};
  for (const [size, records] of plan) {
    const measured = await measure(run, { records, durationMs: ours.tx_ms_p50[size] ?? 10 });
    perSecond[size] = Math.round(measured);
    share[size] = Number(((ours.records_per_s[size] ?? 0) / measured).toFixed(2));
  }
  return { records_per_s: perSecond, share };
}

async function writePayloads(path: string, recordBytes: number): Promise<void> {
  const lines = Array.from({ length: payloadCount }, (_, n) =>
    JSON.stringify(mediaValue(n)).slice(0, recordBytes),
  );
  await writeFile(path, lines.join('\n'));
}

async function findClassPath(): Promise<string> {
  const options = await artifactOptionsOf({
    env: process.env,
    log: (line) => {
      console.log(line);
    },
    signal: undefined,
  });
  const { kafkaLibrary } = await ensureArtifacts(options);
  return [join(kafkaLibrary, '*'), await ensureKafkaTools(options)].join(delimiter);
}

async function createTopic(brokers: readonly string[]): Promise<string> {
  const topic = `bench-java-${randomUUID().slice(0, 8)}`;
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: partitions }],
    waitForLeaders: true,
  });
  await admin.disconnect();
  return topic;
}

/** Returns the records a second over the whole run, from the last line of the tool's output. */
async function measure(
  { classPath, brokers, topic, payloads, compression }: Run,
  { records, durationMs }: { readonly records: number; readonly durationMs: number },
): Promise<number> {
  const { exitCode, output } = await runCommand(
    'java',
    [
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      ...['-cp', classPath, 'org.apache.kafka.tools.ProducerPerformance'],
      ...['--topic', topic, '--num-records', String(records), '--payload-file', payloads],
      ...['--throughput', '-1', '--transactional-id', `${topic}-${randomUUID().slice(0, 8)}`],
      ...['--transaction-duration-ms', String(Math.max(1, Math.round(durationMs)))],
      ...['--producer-props', `bootstrap.servers=${brokers.join(',')}`, 'acks=all'],
      `compression.type=${compression}`,
    ],
    { env: process.env },
  );
  const [, said] = /^\d+ records sent, ([\d.]+) records\/sec.*99\.9th/m.exec(output) ?? [];
  if (exitCode !== 0 || said === undefined) {
    throw new Error(`ProducerPerformance ended with ${String(exitCode)}: ${output.slice(-500)}`);
  }
  return Number(said);
}
