import type { CapacityResult } from './capacity.ts';
import type { KafkaBenchResult } from './kafka.ts';
import type { HandoverResult } from './handover.ts';
import type { IdleResult } from './idle.ts';
import type { JavaResult } from './java.ts';
import type { MemoryResult } from './memory.ts';
import type { PollCost, RequestsResult } from './requests.ts';
import type { LargeStatesResult, RestoreResult } from './restore.ts';
import type { WebhooksResult } from './webhooks.ts';

const targetMedianMs = 12;
/** Ten times the rate of the Graph API. */
const targetRecordsPerSecond = 5000;
/** After a crash the other instances wait for the session to expire, and no longer than this. */
const targetAfterSessionS = 3;
const targetAfterStopS = 3;
/** Noise of garbage collection and page sizes, in either direction. */
const flatHeapMb = 2;
const flatRssMb = 8;

function line(text: string): void {
  console.log(text);
}

/** Prints a line a batch size, and the distance to the targets. */
export function reportKafka(result: KafkaBenchResult): void {
  for (const [size, perSecond] of Object.entries(result.records_per_s)) {
    const medianMs = String(result.tx_ms_p50[size]);
    const cpuMicros = String(result.cpu_us_per_record[size]);
    line(
      `${size.padStart(6)} a batch: ${perSecond} records/s, ${medianMs} ms, ${cpuMicros} µs CPU a record`,
    );
  }
  const medianMs = result.tx_ms_p50['1'] ?? NaN;
  const perSecond = result.records_per_s['10000'] ?? NaN;
  line(
    `targets: 1 a batch ${medianMs} ms of at most ${targetMedianMs} ms (${ratio(medianMs, targetMedianMs)}), ` +
      `10000 a batch ${perSecond}/s of at least ${targetRecordsPerSecond}/s (${ratio(perSecond, targetRecordsPerSecond)})`,
  );
}

/** Prints Java's figures beside the program's. */
export function reportJava(java: JavaResult): void {
  for (const [size, perSecond] of Object.entries(java.records_per_s)) {
    const share = java.share[size] ?? NaN;
    line(
      `${size.padStart(6)} a batch: Java ${perSecond} records/s without encoding; the program ${share} of that, ` +
        'encoding included',
    );
  }
}

/** Prints the duration of a start. */
export function reportRestore({ keys, emptyMs, fullMs }: RestoreResult): void {
  line(
    `from the start of the process to the end of its first poll: ${seconds(fullMs)} with ${keys} keys in the state topic, ${seconds(emptyMs)} with none`,
  );
}

/** Prints the duration of a restore of large states, and the longest block of the event loop. */
export function reportLargeStates(result: LargeStatesResult): void {
  const { accounts, mediaEach, megabytes, readyMs, emptyReadyMs, stallMs, rssMb, cpuS } = result;
  line(
    `${accounts} accounts with ${mediaEach} media each (3,000 states, ${megabytes} MB): ready after ` +
      `${seconds(readyMs)}, ${seconds(emptyReadyMs)} with no state; ${cpuS} s of CPU more; the event loop stood still for ` +
      `${stallMs} ms at most; RSS ${rssMb} MB`,
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function ratio(measured: number, target: number): string {
  return `${(measured / target).toFixed(2)} times`;
}

/** Prints the program's memory, sample by sample, and whether it is flat. */
export function reportMemory(result: MemoryResult): void {
  for (const { polls, heapMb, externalMb, rssMb } of result.samples) {
    line(
      `${String(polls).padStart(6)} polls: heap ${heapMb.toFixed(2)} MB, buffers ${externalMb.toFixed(2)} MB, RSS ${rssMb.toFixed(1)} MB`,
    );
  }
  const compare = (subject: string, mb: number, flatMb: number) => {
    const outcome = mb <= flatMb ? 'flat' : 'GROWS';
    line(
      `${subject}: ${signed(mb)} MB per 1,000 polls, ${outcome} (flat: at most ${signed(flatMb)})`,
    );
  };
  compare('heap after a collection', result.heapMbPer1000Polls, flatHeapMb);
  compare('buffers after a collection', result.externalMbPer1000Polls, flatHeapMb);
  compare('RSS', result.rssMbPer1000Polls, flatRssMb);
  const { heap, rss } = result.memory_slope_mb_per_hour;
  line(
    `at the usual intervals that is ${result.hours.toFixed(1)} hours of polls: heap ${signed(heap)}, RSS ${signed(rss)} MB an hour`,
  );
}

function signed(mb: number): string {
  return `${mb < 0 ? '' : '+'}${mb.toFixed(2)}`;
}

/** Prints the memory that accounts and media add to the program. */
export function reportCapacity({ small, kb_per_account, bytes_per_media }: CapacityResult): void {
  const { heapMb, externalMb, rssMb } = small;
  line(
    `10 accounts with 100 media each: heap ${heapMb.toFixed(1)} MB, buffers ${externalMb.toFixed(1)} MB, RSS ${rssMb.toFixed(0)} MB`,
  );
  line(`each further account with 100 media: ${kb_per_account} KB`);
  line(`each further media of an account: ${bytes_per_media} bytes`);
}

/** Prints the cost of the polls beside Airbyte's formula. */
export function reportRequests({ first, second, airbyte, world }: RequestsResult): void {
  const { accounts, media, children, stories } = world;
  line(`world: ${accounts} accounts, ${media} media, ${children} children, ${stories} stories`);
  reportPoll('first poll', first, airbyte.first);
  reportPoll('second poll, at once', second, airbyte.later);
}

function reportPoll(
  name: string,
  { requests, calls, byEndpoint }: PollCost,
  airbyte: number,
): void {
  line(
    `${name}: ${calls} calls, ${requests} requests; Airbyte by its formula: ${airbyte}, ${(airbyte / calls).toFixed(1)} times as many calls`,
  );
  line(byEndpoint.map(([endpoint, count]) => `  ${endpoint} ${count}`).join('\n'));
}

/**
 * Prints the time that accounts are without an owner that publishes, and the distance to the
 * targets.
 */
export function reportHandover(result: HandoverResult): void {
  const crashS = result.session_timeout_s + targetAfterSessionS;
  const compare = (subject: string, tookS: number, targetS: number) => {
    line(`${subject}: ${tookS} s of at most ${targetS} s (${ratio(tookS, targetS)})`);
  };
  compare(`kill -9, sessions of ${result.session_timeout_s} s`, result.handover_crash_s, crashS);
  compare('SIGTERM', result.handover_stop_s, targetAfterStopS);
  line(`an instance joins: ${result.handover_join_s} s from its asking to its first record`);
}

/** Prints the latency of webhooks beside that of polls. */
export function reportWebhooks(result: WebhooksResult): void {
  const { comments, webhook_median_ms: medianMs, webhook_p99_ms: p99Ms } = result;
  line(`${comments} comments by webhook: median ${medianMs} ms, 99th percentile ${p99Ms} ms`);
  line(`a poll at the default interval: median ${ratio(result.poll_median_ms, medianMs)} as long`);
}

/** Prints the cost of waiting. */
export function reportIdle({ idle_cpu_percent }: IdleResult): void {
  line(`idle: ${idle_cpu_percent} % of a core`);
}
