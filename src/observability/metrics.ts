import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { webhookOutcomes } from '../engine/events.ts';
import { priorities } from '../engine/rate-limit/quota.ts';
import type { PollResult, Telemetry } from '../engine/ports.ts';
import { type EventHandlers, type EventOf, handle } from './event-handlers.ts';
import { type GaugeSources, prefix, registerGauges } from './gauges.ts';

/** The counters by name. Every label has few values; no label is an account. */
const counters = {
  polls_total: { help: 'Polls that ended, by how', labels: ['stream', 'result'] },
  poll_errors_total: {
    help: 'Polls and tries that failed, by error code',
    labels: ['stream', 'code'],
  },
  records_published_total: { help: 'Records committed to Kafka', labels: ['stream'] },
  skipped_total: { help: 'What could not be had, by error code', labels: ['stream', 'reason'] },
  dead_letters_total: { help: 'Records sent to the dead letters', labels: ['stream'] },
  unknown_fields_total: { help: 'Undeclared field names met by polls', labels: ['stream'] },
  requests_total: {
    help: 'Graph API requests; code "ok" or an error code',
    labels: ['endpoint', 'code'],
  },
  api_calls_total: { help: 'Graph API calls as Meta counts them', labels: ['endpoint', 'code'] },
  poll_calls_total: {
    help: 'Calls of polls, by the age of the media and by whether they led to a published record',
    labels: ['stream', 'age', 'found'],
  },
  token_renewals_total: { help: 'Tries to renew a token, by outcome', labels: ['outcome'] },
  quota_wait_seconds_total: {
    help: 'How long Graph API requests waited for a quota before they were made',
    labels: ['priority'],
  },
  rebalances_total: { help: 'Rebalances of the group that were taken part in', labels: [] },
  fenced_total: { help: 'Partitions that another producer has taken over', labels: [] },
  throttled_seconds_total: {
    help: 'How long Kafka had this client wait because of its quotas',
    labels: [],
  },
  notifications_total: {
    help: 'Notifications by target and outcome; "failed" counts tries',
    labels: ['target', 'outcome'],
  },
  webhook_requests_total: {
    help: 'Requests to the receiver of webhooks, by the answer',
    labels: ['outcome'],
  },
  webhook_changes_total: {
    help: 'Changes in accepted webhooks; "accepted", or why they have no effect',
    labels: ['field', 'outcome'],
  },
  transactions_total: { help: 'Kafka transactions, by outcome', labels: ['outcome'] },
} as const;

/** The histograms by name, in seconds. */
const histograms = {
  poll_duration_seconds: {
    help: 'How long successful polls took',
    labels: ['stream'],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
  },
  encode_duration_seconds: {
    help: 'How long writing the records of a page took',
    labels: ['stream'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5],
  },
  request_duration_seconds: {
    help: 'How long Graph API requests took',
    labels: ['endpoint'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  transaction_duration_seconds: {
    help: 'How long Kafka transactions took',
    labels: [],
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
} as const;

type LabelsOf<Row extends { readonly labels: readonly string[] }> = Readonly<
  Record<Row['labels'][number], string>
>;

export function registerMetrics(registry: Registry, sources: GaugeSources) {
  registerGauges(registry, sources);
  const registers = [registry];
  const counterOf = new Map<string, Counter>();
  for (const [name, { help, labels: labelNames }] of Object.entries(counters)) {
    counterOf.set(name, new Counter({ name: `${prefix}${name}`, help, labelNames, registers }));
  }
  const histogramOf = new Map<string, Histogram>();
  for (const [name, { labels: labelNames, buckets, ...row }] of Object.entries(histograms)) {
    const named = { ...row, name: `${prefix}${name}`, labelNames, buckets: [...buckets] };
    histogramOf.set(name, new Histogram({ ...named, registers }));
  }
  return {
    count: <Name extends keyof typeof counters>(
      name: Name,
      labels: LabelsOf<(typeof counters)[Name]>,
      by = 1,
    ) => counterOf.get(name)?.inc(labels, by),
    observe: <Name extends keyof typeof histograms>(
      name: Name,
      labels: LabelsOf<(typeof histograms)[Name]>,
      durationMs: number,
    ) => histogramOf.get(name)?.observe(labels, durationMs / 1000),
  };
}

type Instruments = ReturnType<typeof registerMetrics>;

/** Counts and times events, and renders the metrics for Prometheus. */
export interface Metrics extends Telemetry {
  readonly contentType: string;
  render(): Promise<string>;
}

/**
 * Creates the metrics of this program and of the Node process in their own registry.
 * @param redact - redacts labels whose values come from outside the program
 */
export function createMetrics(sources: GaugeSources, redact: (text: string) => string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = registerMetrics(registry, sources);
  startAtZero(instruments, Object.keys(sources.health().streams));
  const handlers = createHandlers(instruments, redact);
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    report: (event) => {
      handle(handlers, event);
    },
  };
}

const results: readonly PollResult[] = ['ok', 'retry', 'wait', 'failed', 'stopped'];

/** Starts counters at 0: `rate()` misses the event with which a counter first appears. */
function startAtZero({ count }: Instruments, streams: readonly string[]): void {
  for (const stream of streams) {
    for (const result of results) count('polls_total', { stream, result }, 0);
    count('poll_errors_total', { stream, code: 'internal.unexpected' }, 0);
    count('records_published_total', { stream }, 0);
    count('dead_letters_total', { stream }, 0);
    count('unknown_fields_total', { stream }, 0);
  }
  for (const outcome of ['committed', 'redone', 'failed', 'fenced']) {
    count('transactions_total', { outcome }, 0);
  }
  for (const target of ['topic', 'webhook']) {
    for (const outcome of ['delivered', 'failed', 'dropped']) {
      count('notifications_total', { target, outcome }, 0);
    }
  }
  for (const outcome of webhookOutcomes) count('webhook_requests_total', { outcome }, 0);
  for (const outcome of ['renewed', 'failed']) count('token_renewals_total', { outcome }, 0);
  for (const priority of priorities) count('quota_wait_seconds_total', { priority }, 0);
}

/** The fields of webhooks that are counted by name. */
const webhookFields = new Set(['comments', 'live_comments', 'mentions', 'story_insights']);

/** The events that are counted; gauges show the others, if any metric does. */
function createHandlers(
  instruments: Instruments,
  redact: (text: string) => string,
): Partial<EventHandlers> {
  const { count, observe } = instruments;
  const endpointOf = createBoundedLabel(maxEndpoints);
  return {
    ...createPollHandlers(instruments),
    ...createWebhookHandlers(instruments),
    committed: ({ stream, records, deadLetters }) => {
      count('records_published_total', { stream }, records);
      count('dead_letters_total', { stream }, deadLetters);
    },
    request: ({ endpoint: path, outcome: code, calls, durationMs }) => {
      const endpoint = endpointOf(redact(path));
      count('requests_total', { endpoint, code });
      count('api_calls_total', { endpoint, code }, calls);
      observe('request_duration_seconds', { endpoint }, durationMs);
    },
    transaction: ({ outcome, durationMs }) => {
      count('transactions_total', { outcome });
      observe('transaction_duration_seconds', {}, durationMs);
    },
    encoded: ({ stream, durationMs }) => {
      observe('encode_duration_seconds', { stream }, durationMs);
    },
    'quota-wait': ({ priority, durationMs }) => {
      count('quota_wait_seconds_total', { priority }, durationMs / 1000);
    },
    throttled: ({ durationMs }) => {
      count('throttled_seconds_total', {}, durationMs / 1000);
    },
    'token-renewal': ({ outcome }) => {
      count('token_renewals_total', { outcome });
    },
    notifications: ({ target, outcome, notifications }) => {
      const times = outcome === 'failed' ? 1 : notifications.length;
      count('notifications_total', { target, outcome }, times);
    },
    fenced: () => {
      count('fenced_total', {});
    },
    assignment: ({ cause }) => {
      if (cause === 'rebalance') count('rebalances_total', {});
    },
  };
}

function createWebhookHandlers({ count }: Instruments): Pick<EventHandlers, 'webhook-request'> {
  return {
    'webhook-request': ({ outcome, accepted, ignored }) => {
      count('webhook_requests_total', { outcome });
      for (const [field, times] of Object.entries(accepted)) {
        count('webhook_changes_total', { field, outcome: 'accepted' }, times);
      }
      for (const { field: name, reason, count: times } of ignored) {
        const field = webhookFields.has(name) ? name : 'other';
        count('webhook_changes_total', { field, outcome: reason }, times);
      }
    },
  };
}

function createPollHandlers({
  count,
  observe,
}: Instruments): Pick<EventHandlers, 'poll-finished' | 'poll-failed' | 'calls'> {
  return {
    'poll-finished': ({ stream, unknownFields, skipped, durationMs }) => {
      count('polls_total', { stream, result: 'ok' });
      count('unknown_fields_total', { stream }, unknownFields.length);
      observe('poll_duration_seconds', { stream }, durationMs);
      for (const [reason, times] of Object.entries(skipped)) {
        count('skipped_total', { stream, reason }, times);
      }
    },
    calls: ({ stream, results }) => {
      for (const [age, { found, nothing }] of Object.entries(results)) {
        count('poll_calls_total', { stream, age, found: 'yes' }, found);
        count('poll_calls_total', { stream, age, found: 'no' }, nothing);
      }
    },
    'poll-failed': (event) => {
      const { stream, code } = event;
      count('polls_total', { stream, result: resultOf(event) });
      count('poll_errors_total', { stream, code });
    },
  };
}

function resultOf({ disposition, retryInMs }: EventOf<'poll-failed'>): PollResult {
  if (disposition.startsWith('stop-')) return 'stopped';
  if (disposition === 'wait') return 'wait';
  return disposition === 'retry' && retryInMs !== null ? 'retry' : 'failed';
}

/**
 * The limit on endpoint labels. The program has about a dozen endpoints; more would mean that a
 * path was not reduced to its template.
 */
const maxEndpoints = 40;

/**
 * Limits a label's values: the first `maxValues` stay, all others become `other`. Prometheus keeps
 * each series for weeks, so no label may have an unlimited number of values.
 */
function createBoundedLabel(maxValues: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (!seen.has(value) && seen.size >= maxValues) return 'other';
    seen.add(value);
    return value;
  };
}
