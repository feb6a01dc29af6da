import { streamNames, type StreamName } from '../core/stream-name.ts';
import type { Config, StreamConfig } from './config.ts';
import { isLeaf, type Group, type Values } from './leaf.ts';
import { schema } from './schema.ts';

type ParsedConfig = Values<typeof schema>;

/** The program's view of the parsed fields: durations and dates say their unit, streams are switched. */
export function assembleConfig(values: ReadonlyMap<string, unknown>): Config {
  // The schema that types the tree is the one that it is built from, each value by its leaf's format.
  const parsed = nest(schema, '', values) as ParsedConfig;
  const { instagram, kafka, schemaRegistry, polling } = parsed;
  const { startDate, requestTimeout, accountsRefresh, ...instagramRest } = instagram;
  const { transactionTimeout, sendDeadline, connectionTimeout, ...kafkaRest } = kafka;
  const { timeout, ...registryRest } = schemaRegistry;
  const { lookback, retryBase, retryMax, onceTimeout, shutdownGrace, ...pollingRest } = polling;
  return {
    instagram: {
      ...instagramRest,
      startDateMs: startDate,
      requestTimeoutMs: requestTimeout,
      accountsRefreshMs: accountsRefresh,
    },
    kafka: {
      ...kafkaRest,
      transactionTimeoutMs: transactionTimeout,
      sendDeadlineMs: sendDeadline,
      connectionTimeoutMs: connectionTimeout,
    },
    schemaRegistry: { ...registryRest, timeoutMs: timeout },
    streams: assembleStreams(parsed.streams),
    polling: {
      ...pollingRest,
      lookbackMs: lookback,
      retryBaseMs: retryBase,
      retryMaxMs: retryMax,
      onceTimeoutMs: onceTimeout,
      shutdownGraceMs: shutdownGrace,
    },
    http: parsed.http,
    log: parsed.log,
  };
}

function assembleStreams(streams: ParsedConfig['streams']): Config['streams'] {
  const { enabled } = streams;
  const entries = streamNames.map((name): [StreamName, StreamConfig] => [
    name,
    {
      enabled: enabled.length === 0 || enabled.includes(name),
      intervalMs: streams[name].interval,
    },
  ]);
  return Object.fromEntries(entries) as Record<StreamName, StreamConfig>;
}

function nest(group: Group, prefix: string, values: ReadonlyMap<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(group).map(([key, entry]) => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      return [key, isLeaf(entry) ? values.get(path) : nest(entry, path, values)];
    }),
  );
}
