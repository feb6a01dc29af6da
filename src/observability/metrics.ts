import { collectDefaultMetrics, Registry } from 'prom-client';
import { priorities } from '../engine/rate-limit/quota.ts';
import type { PollResult, Telemetry, TelemetryEvent } from '../engine/ports.ts';
import { isOneOf } from './event-kinds.ts';
import type { ServiceHealth } from './health.ts';
import { createBoundedLabel } from './bounded-label.ts';
import { registerHealthGauges } from './health-gauges.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { registerQuotaGauges } from './quota-gauges.ts';

/** Counts and times events, and renders the metrics for Prometheus. */
export interface Metrics extends Telemetry {
  readonly contentType: string;
  /** Renders all metrics in Prometheus' text format. */
  render(): Promise<string>;
}

/** The sources of the metrics. */
export interface MetricsOptions {
  /** Called at each scrape. */
  readonly health: () => ServiceHealth;
  readonly nowMs: () => number;
  readonly version: string;
  /** Redacts labels whose values come from outside the program. */
  readonly redact: (text: string) => string;
}

const results: readonly PollResult[] = ['ok', 'retry', 'wait', 'failed', 'stopped'];
const outcomes = ['committed', 'redone', 'failed', 'fenced'] as const;

/**
 * The limit on endpoint labels. The program has about a dozen endpoints; more would mean that a
 * path was not reduced to its template.
 */
const maxEndpoints = 40;

/** Registers every metric of this program. */
export function registerMetrics(
  registry: Registry,
  sources: Omit<MetricsOptions, 'redact'>,
): Instruments {
  registerHealthGauges(registry, sources);
  registerQuotaGauges(registry, sources.health, sources.nowMs);
  return createInstruments(registry);
}

/** Creates the metrics of this program and of the Node process in their own registry. */
export function createMetrics({ redact, ...sources }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = registerMetrics(registry, sources);
  // Counters start at 0: `rate()` misses the event with which a counter first appears.
  for (const stream of Object.keys(sources.health().streams)) {
    for (const result of results) instruments.polls.inc({ stream, result }, 0);
    instruments.errors.inc({ stream, code: 'internal.unexpected' }, 0);
    instruments.published.inc({ stream }, 0);
    instruments.deadLetters.inc({ stream }, 0);
    instruments.unknownFields.inc({ stream }, 0);
  }
  const endpoint = createBoundedLabel(maxEndpoints);
  for (const outcome of outcomes) instruments.transactions.inc({ outcome }, 0);
  for (const outcome of ['renewed', 'failed']) instruments.tokenRenewals.inc({ outcome }, 0);
  for (const priority of priorities) instruments.quotaWaits.inc({ priority }, 0);
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    report: (event) => {
      count(instruments, event, (path) => endpoint(redact(path)));
    },
  };
}

/** Events without a counter: they are collected from the health, or only shown on a terminal. */
const uncountedEvents = [
  'accounts',
  'dependency',
  'scope',
  'token',
  'token-refused',
  'api-version',
  'batch-refused',
  'contract-probed',
  'state',
  'state-size',
  'progress',
  'list-doubted',
  'paused',
  'poll-awaited',
  'interval',
] as const satisfies readonly TelemetryEvent['type'][];

function count(
  instruments: Instruments,
  event: TelemetryEvent,
  endpointOf: (path: string) => string,
): void {
  if (isOneOf(event, uncountedEvents)) return;
  if (isOneOf(event, otherEvents)) {
    countOther(instruments, event);
    return;
  }
  switch (event.type) {
    case 'poll-finished':
      countPoll(instruments, event);
      break;
    case 'committed':
      instruments.published.inc({ stream: event.stream }, event.records);
      instruments.deadLetters.inc({ stream: event.stream }, event.deadLetters);
      break;
    case 'poll-failed':
      instruments.polls.inc({ stream: event.stream, result: resultOf(event) });
      instruments.errors.inc({ stream: event.stream, code: event.code });
      break;
    case 'request': {
      const endpoint = endpointOf(event.endpoint);
      instruments.requests.inc({ endpoint, code: event.outcome });
      instruments.apiCalls.inc({ endpoint, code: event.outcome }, event.calls);
      instruments.requestDuration.observe({ endpoint }, event.durationMs / 1000);
      break;
    }
    case 'transaction':
      instruments.transactions.inc({ outcome: event.outcome });
      instruments.transactionDuration.observe(event.durationMs / 1000);
      break;
    case 'encoded':
      instruments.encodeDuration.observe({ stream: event.stream }, event.durationMs / 1000);
      break;
    case 'quota-wait':
      instruments.quotaWaits.inc({ priority: event.priority }, event.durationMs / 1000);
      break;
  }
}

const otherEvents = ['share', 'fenced', 'token-renewal', 'throttled'] as const;

/** Counts events outside of polls: rebalances, fencing, Kafka's quotas and token renewals. */
function countOther(
  instruments: Instruments,
  event: Extract<TelemetryEvent, { type: (typeof otherEvents)[number] }>,
): void {
  if (event.type === 'token-renewal') instruments.tokenRenewals.inc({ outcome: event.outcome });
  else if (event.type === 'fenced') instruments.fenced.inc();
  else if (event.type === 'throttled') instruments.throttled.inc(event.durationMs / 1000);
  else if (event.cause === 'rebalance') instruments.rebalances.inc();
}

function countPoll(
  instruments: Instruments,
  event: Extract<TelemetryEvent, { type: 'poll-finished' }>,
): void {
  const { stream } = event;
  instruments.polls.inc({ stream, result: 'ok' });
  instruments.unknownFields.inc({ stream }, event.unknownFields.length);
  instruments.pollDuration.observe({ stream }, event.durationMs / 1000);
  for (const [reason, times] of Object.entries(event.skipped)) {
    instruments.skipped.inc({ stream, reason }, times);
  }
}

function resultOf({
  disposition,
  retryInMs,
}: Extract<TelemetryEvent, { type: 'poll-failed' }>): PollResult {
  if (disposition.startsWith('stop-')) return 'stopped';
  if (disposition === 'wait') return 'wait';
  return disposition === 'retry' && retryInMs !== null ? 'retry' : 'failed';
}
