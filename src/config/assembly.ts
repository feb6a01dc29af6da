import { streamNames, type StreamName } from '../core/stream-name.ts';
import type { Config, SaslConfig, Secret, StreamConfig, TlsConfig } from './config.ts';
import { isLeaf, type Group, type Values } from './leaf.ts';
import { schema } from './schema.ts';

type ParsedConfig = Values<typeof schema>;

/** The file that the secret of a variable came from; null when it was none. */
type FileOf = (env: string) => string | null;

/** The program's view of the parsed fields: durations and dates say their unit, streams are switched. */
export function assembleConfig(values: ReadonlyMap<string, unknown>, fileOf: FileOf): Config {
  // The schema that types the tree is the one that it is built from, each value by its leaf's format.
  const parsed = nest(schema, '', values) as ParsedConfig;
  const { instagram, kafka, schemaRegistry, polling } = parsed;
  const { accessToken, startDate, requestTimeout, accountsRefresh, ...instagramRest } = instagram;
  const { transactionTimeout, sendDeadline, connectionTimeout, group, ...kafkaRest } = kafka;
  const { deadLetterRetention, ...topics } = kafka.topics;
  return {
    instagram: {
      ...instagramRest,
      accessTokens: accessToken,
      accessTokenFile: fileOf('INSTAGRAM_ACCESS_TOKEN'),
      startDateMs: startDate,
      requestTimeoutMs: requestTimeout,
      accountsRefreshMs: accountsRefresh,
    },
    kafka: {
      ...kafkaRest,
      ssl: { ...assembleTls(kafka.ssl, 'KAFKA', fileOf), serverName: kafka.ssl.serverName },
      sasl: assembleSasl(kafka.sasl, fileOf),
      transactionTimeoutMs: transactionTimeout,
      sendDeadlineMs: sendDeadline,
      connectionTimeoutMs: connectionTimeout,
      group: {
        sessionTimeoutMs: group.sessionTimeout,
        heartbeatMs: group.heartbeat,
        rebalanceTimeoutMs: group.rebalanceTimeout,
      },
      topics: { ...topics, deadLetterRetentionMs: deadLetterRetention },
    },
    schemaRegistry: assembleRegistry(schemaRegistry, fileOf),
    streams: assembleStreams(parsed.streams),
    polling: assemblePolling(polling),
    http: { ...parsed.http, token: secretOf(parsed.http.token, fileOf('HTTP_TOKEN')) },
    log: parsed.log,
  };
}

function secretOf(text: string | null, file: string | null): Secret | null {
  return text === null ? null : { text, file };
}

function assembleTls(
  ssl: ParsedConfig['schemaRegistry']['ssl'],
  prefix: string,
  fileOf: FileOf,
): TlsConfig {
  const { caLocation, certificateLocation, keyLocation } = ssl;
  const keyPassword = secretOf(ssl.keyPassword, fileOf(`${prefix}_SSL_KEY_PASSWORD`));
  return { caLocation, certificateLocation, keyLocation, keyPassword };
}

function assembleSasl(sasl: ParsedConfig['kafka']['sasl'], fileOf: FileOf): SaslConfig {
  const clientSecretFile = fileOf('KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET');
  return {
    ...sasl,
    password: secretOf(sasl.password, fileOf('KAFKA_SASL_PASSWORD')),
    oauthbearer: {
      ...sasl.oauthbearer,
      clientSecret: secretOf(sasl.oauthbearer.clientSecret, clientSecretFile),
    },
  };
}

function assembleRegistry(
  { timeout, ...registry }: ParsedConfig['schemaRegistry'],
  fileOf: FileOf,
): Config['schemaRegistry'] {
  return {
    ...registry,
    timeoutMs: timeout,
    password: secretOf(registry.password, fileOf('SCHEMA_REGISTRY_PASSWORD')),
    bearerToken: secretOf(registry.bearerToken, fileOf('SCHEMA_REGISTRY_BEARER_TOKEN')),
    ssl: assembleTls(registry.ssl, 'SCHEMA_REGISTRY', fileOf),
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
