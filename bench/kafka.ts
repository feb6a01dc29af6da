import { randomUUID } from 'node:crypto';
import { openKafka, type KafkaAdapter } from '../src/kafka/index.ts';
import { emptyCheckpoint } from '../src/engine/state.ts';
import type { KafkaOptions } from '../src/kafka/options.ts';
import type { Batch, OutgoingRecord, StateCodec } from '../src/engine/ports.ts';
import { createShutdownBudget } from '../src/engine/shutdown-budget.ts';

/** Options of the benchmark. */
export interface KafkaBenchOptions {
  readonly brokers: readonly string[];
  readonly codec: StateCodec;
  readonly compression: KafkaOptions['compression'];
  /** Creates and encodes the n-th media record; the encoding counts. */
  readonly encodeMedia: (n: number) => OutgoingRecord;
}

/** Results by batch size: `1`, `100`, `500`, `10000`. */
export interface KafkaBenchResult {
  readonly records_per_s: Readonly<Record<string, number>>;
  /** Median milliseconds of a batch, from encoding to commit. */
  readonly tx_ms_p50: Readonly<Record<string, number>>;
  /** Microseconds of this process's CPU time, user and system, a record. */
  readonly cpu_us_per_record: Readonly<Record<string, number>>;
  readonly peak_rss_mb: number;
}

interface Measurement {
  readonly recordsPerSecond: number;
  readonly medianMs: number;
  readonly cpuMicrosPerRecord: number;
}

/** Number of measured batches of each size; they take about the same time. */
const plan: readonly (readonly [size: number, batches: number])[] = [
  [1, 500],
  [100, 200],
  [500, 100],
  [10_000, 20],
];

const accountId = '17841400000000000';
const never = new AbortController().signal;

function open(options: KafkaBenchOptions): KafkaAdapter {
  const id = `bench-${randomUUID().slice(0, 8)}`;
  return openKafka(
    {
      brokers: options.brokers,
      security: { tls: null, sasl: null, principal: () => 'User:ANONYMOUS' },
      clientId: id,
      topicTemplate: `${id}.{stream}`,
      transactionalIdPrefix: id,
      transactionTimeoutMs: 30_000,
      sendDeadlineMs: 20_000,
      connectionTimeoutMs: 5000,
      compression: options.compression,
      group: { sessionTimeoutMs: 10_000, heartbeatMs: 1000, rebalanceTimeoutMs: 30_000 },
      instance: id,
      topics: {
        create: true,
        partitions: 3,
        statePartitions: 4,
        replicationFactor: -1,
        minInSyncReplicas: -1,
        deadLetterRetentionMs: 2_592_000_000,
      },
      roles: ['media', 'state'],
      compacted: ['media'],
      topicSettings: {},
      eventTimed: [],
      keyFormat: 'string',
    },
    {
      codec: options.codec,
      telemetry: { report: () => undefined },
      log: () => undefined,
      shutdown: createShutdownBudget(25_000, () => performance.now()),
    },
  );
}

/** Numbers the batches of one run. */
function createBatches(encodeMedia: KafkaBenchOptions['encodeMedia']): (size: number) => Batch {
  let sequence = 0;
  let count = 0;
  return (size) => {
    sequence += 1;
    return {
      account: { id: accountId, pageId: null, username: null },
      records: Array.from({ length: size }, () => encodeMedia((count += 1))),
      state: {
        ...emptyCheckpoint,
        stream: 'media',
        accountId,
        sequence,
        writtenAtMs: 1_700_000_000_000,
        writtenBy: 'bench',
        pause: null,
      },
    };
  };
}

async function measure(
  run: () => Promise<void>,
  size: number,
  batches: number,
): Promise<Measurement> {
  const durationsMs: number[] = [];
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  for (let batch = 0; batch < batches; batch += 1) {
    const batchStartedMs = performance.now();
    await run();
    durationsMs.push(performance.now() - batchStartedMs);
  }
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  durationsMs.sort((left, right) => left - right);
  return {
    recordsPerSecond: Math.round((size * batches * 1000) / elapsedMs),
    medianMs: Number((durationsMs[Math.floor(batches / 2)] ?? 0).toFixed(2)),
    cpuMicrosPerRecord: Number(((user + system) / (size * batches)).toFixed(1)),
  };
}

/** Encodes and commits batches of each size, one after another, to separate topics. */
export async function benchKafka(options: KafkaBenchOptions): Promise<KafkaBenchResult> {
  await using kafka = open(options);
  await kafka.prepareTopics(never);
  await Promise.all(
    Array.from({ length: kafka.group.partitions }, (_, id) => kafka.stateStore.restore(id, never)),
  );
  const nextBatch = createBatches(options.encodeMedia);
  const publish = (size: number): Promise<void> => kafka.publisher.publish(nextBatch(size), never);
  // The first batches include compilation.
  for (const size of [1, 1, 1, 100, 500, 10_000, 10_000, 10_000]) await publish(size);

  const measurements: (readonly [string, Measurement])[] = [];
  for (const [size, batches] of plan) {
    measurements.push([String(size), await measure(() => publish(size), size, batches)]);
  }
  const pick = (figure: keyof Measurement): Record<string, number> =>
    Object.fromEntries(measurements.map(([size, measurement]) => [size, measurement[figure]]));
  return {
    records_per_s: pick('recordsPerSecond'),
    tx_ms_p50: pick('medianMs'),
    cpu_us_per_record: pick('cpuMicrosPerRecord'),
    // maxRSS is in kibibytes.
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}
