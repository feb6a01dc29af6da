import { describe, expect, test } from '@jest/globals';
import { duration } from '../../../src/config/formats.ts';
import {
  defaultStreamNames,
  streamNames,
  streams as declared,
} from '../../../src/instagram/streams/index.ts';
import { env, load, token, useFolder } from './loading.ts';

const { write } = useFolder();

const noTls = {
  caLocation: null,
  certificateLocation: null,
  keyLocation: null,
  keyPassword: null,
};

const noLists = { exclude: [], mask: [], hash: [], extra: [] };

/** The golden file `streams.txt` has the intervals. */
const defaultsOfStreams = Object.fromEntries(
  Object.values(declared).map(({ name, isDefault, interval, publish = 'changes' }) => [
    name,
    {
      enabled: isDefault,
      intervalMs: duration().parse(interval, 0),
      schedule: null,
      publish,
      recordTimestamp: 'publish',
      topic: {},
      ...noLists,
    },
  ]),
);

describe('defaults', () => {
  test('complete a configuration that sets only the token, the brokers and the registry', () => {
    expect(load()).toEqual({
      instagram: {
        accessTokens: [token],
        accessTokenFile: null,
        apiVersion: 'v26.0',
        baseUrl: null,
        login: 'facebook',
        accounts: [],
        accountsExclude: [],
        accountSettings: {},
        businesses: [],
        discoveredUsers: [],
        discoveredMediaAgeMs: 30 * 86_400_000,
        hashtags: [],
        startDateMs: null,
        requestTimeoutMs: 30_000,
        maxConcurrentRequests: 8,
        accountsRefreshMs: 3_600_000,
        pageSize: 100,
        clientId: null,
        clientSecret: null,
        redirectUri: 'http://localhost:8087/',
        scope: [],
        loginConfigId: null,
        settingNames: {
          accounts: 'INSTAGRAM_ACCOUNTS',
          accountsExclude: 'INSTAGRAM_ACCOUNTS_EXCLUDE',
          accountSettings: 'INSTAGRAM_ACCOUNT_SETTINGS',
        },
      },
      accountPolling: {
        byAccount: {},
        others: { streams: defaultStreamNames, intervalsMs: {} },
      },
      kafka: {
        brokers: ['localhost:9092'],
        securityProtocol: 'PLAINTEXT',
        ssl: { ...noTls, serverName: null },
        sasl: {
          mechanism: null,
          username: null,
          password: null,
          oauthbearer: {
            tokenEndpointUrl: null,
            clientId: null,
            clientAuthentication: 'client_secret_basic',
            clientSecret: null,
            keyLocation: null,
            keyPassword: null,
            keyAlgorithm: 'RS256',
            keyId: null,
            assertionAudience: null,
            scope: null,
            extensions: [],
          },
          awsMskIam: { region: null, roleArn: null },
        },
        clientId: 'instagram-kafka-producer',
        topicTemplate: 'instagram.{stream}',
        transactionalIdPrefix: 'instagram-kafka-producer',
        transactionTimeoutMs: 30_000,
        sendDeadlineMs: 20_000,
        connectionTimeoutMs: 10_000,
        compression: 'gzip',
        recordTimestamp: 'publish',
        keyFormat: 'string',
        maxBatchRecords: 500,
        tombstones: false,
        group: { sessionTimeoutMs: 10_000, heartbeatMs: 1000, rebalanceTimeoutMs: 30_000 },
        topics: {
          create: true,
          partitions: 6,
          statePartitions: 12,
          replicationFactor: -1,
          minInSyncReplicas: -1,
          deadLetterRetentionMs: 2_592_000_000,
        },
      },
      schemaRegistry: {
        url: 'http://localhost:8081',
        timeoutMs: 10_000,
        compatibility: 'FULL_TRANSITIVE',
        mode: 'register',
        username: null,
        password: null,
        bearerToken: null,
        ssl: noTls,
      },
      streams: defaultsOfStreams,
      fields: { hashSecret: null },
      polling: {
        concurrency: 8,
        jitter: 0.1,
        timeZone: 'UTC',
        quietHours: null,
        lookbackMs: 172_800_000,
        newMediaAgeMs: 172_800_000,
        recentMediaAgeMs: 2_592_000_000,
        recentMediaIntervalMs: 86_400_000,
        oldMediaIntervalMs: 604_800_000,
        mediaListIntervalMs: 86_400_000,
        maxAttempts: 5,
        retryBaseMs: 1000,
        retryMaxMs: 60_000,
        onceTimeoutMs: 120_000,
        shutdownGraceMs: 25_000,
        instance: null,
      },
      http: { enabled: true, host: '127.0.0.1', port: 8080, allowedHosts: [], token: null },
      webhookReceiver: {
        port: null,
        host: '127.0.0.1',
        verifyToken: null,
        maxBodyBytes: 4_000_000,
        maxRequestsPerSecond: 100,
      },
      notifications: { enabled: true, webhook: { url: null, format: 'json', secret: null } },
      log: { level: 'info', format: 'auto' },
    });
  });

  test('are frozen at every level', () => {
    const config = load();
    const levels = [config, config.kafka.topics, config.streams.media, config.kafka.brokers];
    expect(levels.map((level) => Object.isFrozen(level))).toEqual([true, true, true, true]);
  });
});

describe('configuration precedence', () => {
  const configFile = () => write('a.json', { http: { port: 1 }, log: { level: 'warn' } });

  test('puts the file above the defaults', () => {
    expect(load({ configFile: configFile() }).http).toEqual({
      enabled: true,
      host: '127.0.0.1',
      port: 1,
      allowedHosts: [],
      token: null,
    });
  });

  test('puts the environment above the file', () => {
    const config = load({ configFile: configFile(), env: { ...env, HTTP_PORT: '2' } });
    expect([config.http.port, config.log.level]).toEqual([2, 'warn']);
  });

  test('puts the arguments above the environment', () => {
    const sources = { configFile: configFile(), env: { ...env, HTTP_PORT: '2' } };
    expect(load({ ...sources, args: { 'http-port': '3' } }).http.port).toBe(3);
  });

  test('replaces a list as a whole', () => {
    const file = write('b.json', { instagram: { accounts: ['1', '2'] } });
    const config = load({ configFile: file, env: { ...env, INSTAGRAM_ACCOUNTS: '3' } });
    expect(config.instagram.accounts).toEqual(['3']);
  });

  test('replaces a list of the file by an empty list when the variable is empty', () => {
    const file = write('b.json', { instagram: { accounts: ['1', '2'] } });
    const config = load({ configFile: file, env: { ...env, INSTAGRAM_ACCOUNTS: '' } });
    expect(config.instagram.accounts).toEqual([]);
  });
});

describe('the enabled streams', () => {
  test('are exactly those listed in STREAMS', () => {
    const { streams } = load({ env: { ...env, STREAMS: 'media,stories' } });
    const enabled = Object.entries(streams).filter(([, stream]) => stream.enabled);
    expect(enabled.map(([name]) => name)).toEqual(['stories', 'media']);
  });

  const enabledBy = (list: string) => {
    const { streams } = load({ env: { ...env, STREAMS: list } });
    return streamNames.filter((name) => streams[name].enabled);
  };

  test('are the default streams when STREAMS is empty', () => {
    expect(enabledBy('')).toEqual(defaultStreamNames);
  });

  test('are the defaults and another one when STREAMS names "default" and a stream', () => {
    expect(enabledBy('user_reached_audience,default')).toEqual([
      ...defaultStreamNames,
      'user_reached_audience',
    ]);
  });

  test('are all streams when STREAMS names "all"', () => {
    expect(enabledBy('all,media')).toEqual(streamNames);
  });

  test('have separate intervals', () => {
    const { streams } = load({
      env: { ...env, STREAM_MEDIA_INTERVAL: '30m' },
      args: { 'stream-user-lifetime-insights-interval': '7d' },
    });
    expect(streams.media.intervalMs).toBe(1_800_000);
    expect(streams.user_lifetime_insights.intervalMs).toBe(604_800_000);
  });
});
