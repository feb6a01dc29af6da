import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from '../sandbox/cluster/free-port.ts';

/** The program's memory after a garbage collection. */
export interface MemorySample {
  readonly polls: number;
  readonly heapMb: number;
  /** Buffers outside of the heap. */
  readonly externalMb: number;
  readonly rssMb: number;
}

/**
 * The change over a thousand polls, by linear regression of the samples, and in an hour of the
 * program at its usual intervals, which has fewer polls.
 */
export interface MemoryResult {
  readonly samples: readonly MemorySample[];
  /** Hours of polls that the samples represent. */
  readonly hours: number;
  readonly memory_slope_mb_per_hour: { readonly heap: number; readonly rss: number };
  readonly heapMbPer1000Polls: number;
  readonly externalMbPer1000Polls: number;
  readonly rssMbPer1000Polls: number;
}

/** Polls between two samples. */
const every = 100;
/** The first polls fill caches and pools and include compilation; they are not measured. */
const warmUpSamples = 20;
const measuredSamples = 11;

const program = fileURLToPath(new URL('memory-program.ts', import.meta.url));

/**
 * Runs the real program against the sandbox, every stream each second, for 1,000 polls and a
 * warm-up.
 *
 * @param env - the addresses of Kafka, registry and API
 * @param pollsPerHour - polls of the same accounts and streams in an hour at their usual intervals
 */
export async function benchMemory(
  env: Readonly<Record<string, string>>,
  pollsPerHour: number,
): Promise<MemoryResult> {
  const all = await sampleMemory(env, { every, samples: warmUpSamples + measuredSamples });
  const samples = all.slice(warmUpSamples);
  const perHour = (pick: (sample: MemorySample) => number) =>
    Number((slope(samples, pick) * pollsPerHour).toFixed(3));
  return {
    samples,
    hours: ((measuredSamples - 1) * every) / pollsPerHour,
    memory_slope_mb_per_hour: {
      heap: perHour(({ heapMb }) => heapMb),
      rss: perHour(({ rssMb }) => rssMb),
    },
    heapMbPer1000Polls: slope(samples, ({ heapMb }) => heapMb) * 1000,
    externalMbPer1000Polls: slope(samples, ({ externalMb }) => externalMb) * 1000,
    rssMbPer1000Polls: slope(samples, ({ rssMb }) => rssMb) * 1000,
  };
}

/**
 * Runs the real program and samples its memory at a fixed interval of polls, a fixed number of
 * times.
 */
export async function sampleMemory(
  env: Readonly<Record<string, string>>,
  { every, samples }: { readonly every: number; readonly samples: number },
): Promise<readonly MemorySample[]> {
  const [port = 0] = await findFreePorts(1);
  const child = fork(program, [String(every), String(samples)], {
    execArgv: ['--expose-gc', '--disable-warning=TimeoutNegativeWarning'],
    env: { PATH: process.env['PATH'], HTTP_PORT: String(port), LOG_LEVEL: 'error', ...env },
  });
  const taken: MemorySample[] = [];
  child.on('message', (sample) => taken.push(sample as MemorySample));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the program ended with ${String(code)}`);
  return taken;
}

/** Computes the least-squares slope, per poll. */
function slope(samples: readonly MemorySample[], pick: (sample: MemorySample) => number): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const meanX = mean(samples.map(({ polls }) => polls));
  const meanY = mean(samples.map(pick));
  let over = 0;
  let under = 0;
  for (const sample of samples) {
    over += (sample.polls - meanX) * (pick(sample) - meanY);
    under += (sample.polls - meanX) ** 2;
  }
  return over / under;
}
