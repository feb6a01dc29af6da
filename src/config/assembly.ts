import { streamNames, type StreamName } from '../core/stream-name.ts';
import type { Config, StreamConfig } from './config.ts';
import { isLeaf, type Group, type Values } from './leaf.ts';
import { schema } from './schema.ts';

type ParsedConfig = Values<typeof schema>;

/** The program's view of the parsed fields: durations and dates say their unit, streams are switched. */
export function assembleConfig(
  values: ReadonlyMap<string, unknown>,
  accessTokenFile: string | null,
): Config {
  // The schema that types the tree is the one that it is built from, each value by its leaf's format.
  const parsed = nest(schema, '', values) as ParsedConfig;
  const { instagram, kafka, schemaRegistry, polling } = parsed;
  const { accessToken, startDate, requestTimeout, accountsRefresh, ...instagramRest } = instagram;
  const { transactionTimeout, sendDeadline, connectionTimeout, group, ...kafkaRest } = kafka;
  const { timeout, ...registryRest } = schemaRegistry;
  return {
    instagram: {
      ...instagramRest,
      accessTokens: accessToken,
      accessTokenFile,
      startDateMs: startDate,
      requestTimeoutMs: requestTimeout,
      accountsRefreshMs: accountsRefresh,
    },
    kafka: {
      ...kafkaRest,
      transactionTimeoutMs: transactionTimeout,
      sendDeadlineMs: sendDeadline,
      connectionTimeoutMs: connectionTimeout,
      group: {
        sessionTimeoutMs: group.sessionTimeout,
        heartbeatMs: group.heartbeat,
        rebalanceTimeoutMs: group.rebalanceTimeout,
      },
    },
    schemaRegistry: { ...registryRest, timeoutMs: timeout },
    streams: assembleStreams(parsed.streams),
    polling: assemblePolling(polling),
    http: parsed.http,
    log: parsed.log,
  };
}

function assemblePolling(polling: ParsedConfig['polling']): Config['polling'] {
  const { lookback, retryBase, retryMax, onceTimeout, shutdownGrace, ...rest } = polling;
  const { newMediaAge, recentMediaAge, recentMediaInterval, ...others } = rest;
  const { oldMediaInterval, mediaListInterval, ...plain } = others;
  return {
    ...plain,
    lookbackMs: lookback,
    newMediaAgeMs: newMediaAge,
    recentMediaAgeMs: recentMediaAge,
    recentMediaIntervalMs: recentMediaInterval,
    oldMediaIntervalMs: oldMediaInterval,
    mediaListIntervalMs: mediaListInterval,
    retryBaseMs: retryBase,
    retryMaxMs: retryMax,
    onceTimeoutMs: onceTimeout,
    shutdownGraceMs: shutdownGrace,
  };
}

function assembleStreams(streams: ParsedConfig['streams']): Config['streams'] {
  const { enabled } = streams;
  const entries = streamNames.map((name): [StreamName, StreamConfig] => {
    const stream = streams[name];
    const publish = 'publish' in stream ? stream.publish : 'changes';
    return [
      name,
      {
        enabled: enabled.includes(name),
        intervalMs: stream.interval,
        publish,
      },
    ];
  });
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
