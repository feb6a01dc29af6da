import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { HealthSnapshot } from '../core/readiness.ts';

const prefix = 'instagram_kafka_';

const requestBucketsS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const transactionBucketsS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const pollBucketsS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

/** What is counted and timed; every label has few values, and no account is one of them. */
export type Instruments = ReturnType<typeof createInstruments>;

/** Makes what is counted and timed, in `registry`. */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `${prefix}${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(
    named: { name: string; help: string },
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ ...named, name: `${prefix}${named.name}`, labelNames, buckets, registers });
  return {
    polls: counter('polls_total', 'Polls that ended, by how', ['stream', 'result']),
    published: counter('records_published_total', 'Records committed to Kafka', ['stream']),
    skipped: counter('skipped_total', 'What could not be had, by error code', ['stream', 'reason']),
    deadLetters: counter('dead_letters_total', 'Records sent to the dead letters', ['stream']),
    unknownFields: counter('unknown_fields_total', 'Undeclared field names met by polls', [
      'stream',
    ]),
    requests: counter('requests_total', 'Graph API requests; code "ok" or an error code', [
      'endpoint',
      'code',
    ]),
    requestIds: counter('request_ids_total', 'Ids asked for in Graph API requests', ['endpoint']),
    quotaWaits: counter(
      'quota_wait_seconds_total',
      'How long Graph API requests waited for a quota before they were made',
      ['priority'],
    ),
    requestDuration: histogram(
      { name: 'request_duration_seconds', help: 'How long Graph API requests took' },
      ['endpoint'],
      requestBucketsS,
    ),
    rebalances: counter('rebalances_total', 'Rebalances of the group that were taken part in', []),
    fenced: counter('fenced_total', 'Partitions that another producer has taken over', []),
    transactions: counter('transactions_total', 'Kafka transactions, by outcome', ['outcome']),
    transactionDuration: histogram(
      { name: 'transaction_duration_seconds', help: 'How long Kafka transactions took' },
      [],
      transactionBucketsS,
    ),
    pollDuration: histogram(
      { name: 'poll_duration_seconds', help: 'How long successful polls took' },
      ['stream'],
      pollBucketsS,
    ),
  };
}

/** Makes gauges that are read off something when metrics are asked for. */
export function createGauges(registry: Registry) {
  return <Label extends string>(
    named: { name: string; help: string },
    labelNames: Label[],
    collect: (gauge: Gauge<Label>) => void,
  ): void => {
    const made = new Gauge<Label>({
      name: `${prefix}${named.name}`,
      help: named.help,
      labelNames,
      registers: [registry],
      collect: () => {
        made.reset();
        collect(made);
      },
    });
  };
}

/** Adds what is read off the health when metrics are asked for, and the build's version. */
export function registerGauges(
  registry: Registry,
  health: () => HealthSnapshot,
  version: string,
): void {
  const gauge = createGauges(registry);
  gauge({ name: 'accounts', help: 'Accounts being polled' }, [], (accounts) => {
    accounts.set(health().accounts.size);
  });
  gauge(
    { name: 'partitions_owned', help: 'Partitions of the state topic that this instance owns' },
    [],
    (owned) => {
      owned.set(health().partitions.length);
    },
  );
  gauge(
    { name: 'dependency_up', help: '1 when the dependency can be used, 0 when not' },
    ['name'],
    (up) => {
      for (const [name, { ready }] of Object.entries(health().dependencies)) {
        up.set({ name }, ready ? 1 : 0);
      }
    },
  );
  gauge(
    {
      name: 'last_success_timestamp_seconds',
      help: 'When the account that waits longest was last polled with success; 0 for never',
    },
    ['stream'],
    (lastSuccess) => {
      for (const [stream, ms] of oldestSuccesses(health())) lastSuccess.set({ stream }, ms / 1000);
    },
  );
  gauge({ name: 'build_info', help: 'Always 1; the version is the label' }, ['version'], (info) => {
    info.set({ version }, 1);
  });
}

function oldestSuccesses({ streams, accounts }: HealthSnapshot): [string, number][] {
  if (accounts.size === 0) return [];
  return (Object.keys(streams) as (keyof typeof streams)[]).map((stream) => {
    let oldestMs = Infinity;
    for (const { succeededAtMs } of accounts.values()) {
      oldestMs = Math.min(oldestMs, succeededAtMs[stream] ?? 0);
    }
    return [stream, oldestMs];
  });
}
