import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const prefix = 'instagram_kafka_';

const requestBucketsS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const encodeBucketsS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5];
const transactionBucketsS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const pollBucketsS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

/** The counters and histograms. Every label has few values; no label is an account. */
export type Instruments = ReturnType<typeof createInstruments>;

/** Creates the counters and histograms in `registry`. */
export function createInstruments(registry: Registry) {
  const make = factoriesFor(registry);
  return { ...createPollInstruments(make), ...createDependencyInstruments(make) };
}

type Factories = ReturnType<typeof factoriesFor>;

function factoriesFor(registry: Registry) {
  const registers = [registry];
  return {
    counter: <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Counter({ name: `${prefix}${name}`, help, labelNames, registers }),
    histogram: <Label extends string>(
      named: { name: string; help: string },
      labelNames: Label[],
      buckets: number[],
    ) =>
      new Histogram({ ...named, name: `${prefix}${named.name}`, labelNames, buckets, registers }),
  };
}

/** Creates the instruments of polls. */
function createPollInstruments({ counter, histogram }: Factories) {
  return {
    polls: counter('polls_total', 'Polls that ended, by how', ['stream', 'result']),
    errors: counter('poll_errors_total', 'Polls and tries that failed, by error code', [
      'stream',
      'code',
    ]),
    published: counter('records_published_total', 'Records committed to Kafka', ['stream']),
    skipped: counter('skipped_total', 'What could not be had, by error code', ['stream', 'reason']),
    deadLetters: counter('dead_letters_total', 'Records sent to the dead letters', ['stream']),
    unknownFields: counter('unknown_fields_total', 'Undeclared field names met by polls', [
      'stream',
    ]),
    pollDuration: histogram(
      { name: 'poll_duration_seconds', help: 'How long successful polls took' },
      ['stream'],
      pollBucketsS,
    ),
    encodeDuration: histogram(
      { name: 'encode_duration_seconds', help: 'How long writing the records of a page took' },
      ['stream'],
      encodeBucketsS,
    ),
  };
}

/** Creates the instruments of the API and of Kafka. */
function createDependencyInstruments({ counter, histogram }: Factories) {
  return {
    requests: counter('requests_total', 'Graph API requests; code "ok" or an error code', [
      'endpoint',
      'code',
    ]),
    apiCalls: counter('api_calls_total', 'Graph API calls as Meta counts them', [
      'endpoint',
      'code',
    ]),
    tokenRenewals: counter('token_renewals_total', 'Tries to renew a token, by outcome', [
      'outcome',
    ]),
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
    throttled: counter(
      'throttled_seconds_total',
      'How long Kafka had this client wait because of its quotas',
      [],
    ),
    transactions: counter('transactions_total', 'Kafka transactions, by outcome', ['outcome']),
    transactionDuration: histogram(
      { name: 'transaction_duration_seconds', help: 'How long Kafka transactions took' },
      [],
      transactionBucketsS,
    ),
  };
}

/** Creates gauges that are collected at each scrape. */
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
