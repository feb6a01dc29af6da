import { describe, expect, test } from '@jest/globals';
import { env, failure, load, problemPaths, useFolder } from './loading.ts';

const { write } = useFolder();

describe('configuration problems', () => {
  test('are reported all at once, with exit code 2', () => {
    const error = failure({
      env: {
        STREAMS: 'media,storys',
        STREAM_MEDIA_INTERVAL: '15min',
        INSTAGRAM_START_DATE: '2026-02-30',
        HTTP_ENABLED: 'no',
        HTTP_PORT: '1e3',
      },
    });
    expect(error.exitCode).toBe(2);
    expect(error.disposition).toBe('stop-process');
    expect(error.problems.map((problem) => problem.path)).toEqual([
      'instagram.accessToken',
      'instagram.startDate',
      'kafka.brokers',
      'schemaRegistry.url',
      'streams.enabled',
      'streams.media.interval',
      'http.enabled',
      'http.port',
    ]);
    expect(error.message.split('\n')).toHaveLength(9);
  });

  test('name the field, the variable, the actual value, the expected value and the remedy', () => {
    const error = failure({ env: { ...env, STREAM_MEDIA_INTERVAL: '15min' } });
    expect(error.message).toBe(
      '1 problem in the configuration:\n' +
        '- streams.media.interval (STREAM_MEDIA_INTERVAL): got "15min", expected a duration from ' +
        '1s to 24d, a number with its unit (ms, s, m, h, d); correct STREAM_MEDIA_INTERVAL',
    );
  });

  test('name an extra metric that is unknown, and those that the login does not have', () => {
    const messageOf = (settings: NodeJS.ProcessEnv) =>
      failure({ env: { ...env, ...settings } }).message;

    expect(messageOf({ STREAM_MEDIA_INSIGHTS_EXTRA: 'facebook_views,plays' })).toBe(
      '1 problem in the configuration:\n' +
        '- streams.media_insights.extra (STREAM_MEDIA_INSIGHTS_EXTRA): got "facebook_views,plays", ' +
        'expected a comma separated list of entries, none empty, each one of crossposted_views, ' +
        'facebook_views, total_views, total_likes, total_comments, profile_activity_actions; ' +
        'correct STREAM_MEDIA_INSIGHTS_EXTRA',
    );
    expect(
      messageOf({
        INSTAGRAM_LOGIN: 'instagram',
        STREAM_MEDIA_INSIGHTS_EXTRA: 'facebook_views,total_views,total_likes',
      }),
    ).toBe(
      '2 problems in the configuration:\n' +
        '- streams.media_insights.extra (STREAM_MEDIA_INSIGHTS_EXTRA): got total_views, expected ' +
        'metrics that the API has for INSTAGRAM_LOGIN=instagram; remove it from STREAM_MEDIA_INSIGHTS_EXTRA\n' +
        '- streams.media_insights.extra (STREAM_MEDIA_INSIGHTS_EXTRA): got total_likes, expected ' +
        'metrics that the API has for INSTAGRAM_LOGIN=instagram; remove it from STREAM_MEDIA_INSIGHTS_EXTRA',
    );
  });

  test('name the oldest accepted API version when an older one is set', () => {
    const error = failure({ env: { ...env, INSTAGRAM_API_VERSION: 'v20.0' } });
    expect(error.message).toBe(
      '1 problem in the configuration:\n' +
        '- instagram.apiVersion (INSTAGRAM_API_VERSION): got "v20.0", expected a version of the ' +
        'Graph API from v21.0 on, such as v26.0; correct INSTAGRAM_API_VERSION',
    );
  });

  test('show neither the URL nor the key of a webhook, and say what they must be', () => {
    const hook = { NOTIFICATIONS_WEBHOOK_URL: 'http://hooks.example.com/T0/B0' };
    const error = failure({ env: { ...env, ...hook, NOTIFICATIONS_WEBHOOK_FORMAT: 'teams' } });
    const alone = failure({ env: { ...env, NOTIFICATIONS_WEBHOOK_SECRET: 'x'.repeat(16) } });

    expect(error.message).toBe(
      '2 problems in the configuration:\n' +
        '- notifications.webhook.url (NOTIFICATIONS_WEBHOOK_URL): got [secret], expected an https URL, or ' +
        'http to this machine, its network or its cluster, without user, password and fragment; ' +
        'not an address where clouds give out credentials, such as a link-local one; ' +
        'correct NOTIFICATIONS_WEBHOOK_URL\n' +
        '- notifications.webhook.format (NOTIFICATIONS_WEBHOOK_FORMAT): got "teams", expected one of ' +
        'json, slack; correct NOTIFICATIONS_WEBHOOK_FORMAT',
    );
    expect(alone.message).toBe(
      '1 problem in the configuration:\n' +
        '- notifications.webhook.secret (NOTIFICATIONS_WEBHOOK_SECRET): got the key of a signature, and ' +
        'no webhook, expected a webhook whose requests are signed; set NOTIFICATIONS_WEBHOOK_URL, or remove ' +
        'NOTIFICATIONS_WEBHOOK_SECRET',
    );
  });

  test('name what a port for webhooks needs', () => {
    const error = failure({ env: { ...env, WEBHOOK_RECEIVER_PORT: '8081' } });
    const complete = {
      WEBHOOK_RECEIVER_VERIFY_TOKEN: 'x'.repeat(16),
      INSTAGRAM_CLIENT_SECRET: 'secret',
    };
    expect(error.message).toBe(
      '2 problems in the configuration:\n' +
        '- webhookReceiver.port (WEBHOOK_RECEIVER_PORT): got a port, and no verify token, expected a ' +
        'verify token, by which Meta recognizes the receiver; set WEBHOOK_RECEIVER_VERIFY_TOKEN, or its ' +
        'file in WEBHOOK_RECEIVER_VERIFY_TOKEN_FILE, or remove WEBHOOK_RECEIVER_PORT\n' +
        '- webhookReceiver.port (WEBHOOK_RECEIVER_PORT): got a port, and no secret of the app, expected ' +
        "the app's secret, by which the signatures of webhooks are verified; set " +
        'INSTAGRAM_CLIENT_SECRET, or its file in INSTAGRAM_CLIENT_SECRET_FILE, or remove WEBHOOK_RECEIVER_PORT',
    );
    const problems = () =>
      failure({ env: { ...env, ...complete, WEBHOOK_RECEIVER_PORT: 'x' } }).problems;
    expect(problems().map(({ path }) => path)).toEqual(['webhookReceiver.port']);
  });

  test('explain how to set a missing field', () => {
    const error = failure({ env: { ...env, KAFKA_BROKERS: undefined } });
    expect(error.problems).toEqual([
      {
        path: 'kafka.brokers',
        env: 'KAFKA_BROKERS',
        received: 'nothing',
        expected:
          'a comma separated list of one or more entries, none empty, each host:port, such as kafka-1:9092',
        action: 'set KAFKA_BROKERS, --kafka-brokers or "kafka.brokers" in the configuration file',
      },
    ]);
  });

  test('name the source of the value', () => {
    const configFile = write('a.json', { http: { port: 'x', host: 5 } });
    const error = failure({ configFile, args: { 'http-port': 'y' } });
    expect(error.problems.map((problem) => problem.action)).toEqual([
      'correct "http.host" in the configuration file',
      'correct --http-port',
    ]);
  });

  test('name the file of a secret when its content is rejected', () => {
    const INSTAGRAM_ACCESS_TOKEN_FILE = write('token', 'two words\n');
    const changes = { INSTAGRAM_ACCESS_TOKEN: undefined, INSTAGRAM_ACCESS_TOKEN_FILE };
    expect(failure({ env: { ...env, ...changes } }).problems.map(({ action }) => action)).toEqual([
      'correct the file that INSTAGRAM_ACCESS_TOKEN_FILE names',
    ]);
  });

  test('name fields that contradict each other', () => {
    expect(
      problemPaths({
        env: {
          ...env,
          SCHEMA_REGISTRY_USERNAME: 'me',
          POLLING_RETRY_BASE: '2m',
          KAFKA_TOPICS_REPLICATION_FACTOR: '1',
          KAFKA_TOPICS_MIN_IN_SYNC_REPLICAS: '2',
        },
      }),
    ).toEqual(['schemaRegistry.password', 'polling.retryBase', 'kafka.topics.minInSyncReplicas']);
  });

  test.each([
    [
      { POLLING_RETRY_BASE: '5m', POLLING_RETRY_MAX: '1m' },
      'got "5m", expected at most polling.retryMax ("1m")',
    ],
    [
      { POLLING_NEW_MEDIA_AGE: '40d', POLLING_RECENT_MEDIA_AGE: '30d' },
      'got "40d", expected at most polling.recentMediaAge ("30d")',
    ],
    [
      { KAFKA_GROUP_HEARTBEAT: '5s', KAFKA_GROUP_SESSION_TIMEOUT: '10s' },
      'got "5s", expected at most a third of kafka.group.sessionTimeout ("10s")',
    ],
    [
      { KAFKA_TOPICS_MIN_IN_SYNC_REPLICAS: '2', KAFKA_TOPICS_REPLICATION_FACTOR: '1' },
      'got "2", expected at most kafka.topics.replicationFactor ("1")',
    ],
  ])('show both values of fields that contradict each other: %j', (changes, words) => {
    expect(failure({ env: { ...env, ...changes } }).message).toContain(words);
  });
});

describe('unknown configuration names', () => {
  test('are rejected in the file, with the nearest field', () => {
    const configFile = write('a.json', { kafka: { broker: ['a:1'] }, extra: 1, __proto: {} });
    const error = failure({ configFile });
    expect(error.problems.map(({ path, action }) => [path, action])).toEqual([
      ['kafka.broker', 'remove or correct it; did you mean "kafka.brokers"?'],
      ['extra', 'remove or correct it'],
      ['__proto', 'remove or correct it'],
    ]);
  });

  test('are rejected when they would reach a prototype', () => {
    const configFile = write('a.json', '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}');
    expect(problemPaths({ configFile })).toEqual(['__proto__', 'constructor']);
  });

  test('are rejected when they contain a dot', () => {
    expect(problemPaths({ configFile: write('a.json', { 'kafka.brokers': ['a:1'] }) })).toEqual([
      'kafka.brokers',
    ]);
  });

  test('are rejected as arguments', () => {
    const error = failure({ args: { 'kafka-broker': 'a:1' } });
    expect(error.problems.map(({ path, action }) => [path, action])).toEqual([
      ['--kafka-broker', 'remove or correct it; did you mean --kafka-brokers?'],
    ]);
  });

  test('are rejected in the environment when they begin with a prefix of the program', () => {
    const error = failure({
      env: { ...env, KAFKA_BROKER: 'a:1', STREAM_STORYS_INTERVAL: '1h', PATH: '/bin', HTTP_X: '1' },
    });
    expect(error.problems.map(({ path, action }) => [path, action])).toEqual([
      ['KAFKA_BROKER', 'remove or correct it; did you mean KAFKA_BROKERS?'],
      ['STREAM_STORYS_INTERVAL', 'remove or correct it; did you mean STREAM_STORIES_INTERVAL?'],
    ]);
  });

  test('are rejected as the file variable of a field that is not a secret', () => {
    expect(problemPaths({ env: { ...env, KAFKA_BROKERS_FILE: '/x' } })).toEqual([
      'KAFKA_BROKERS_FILE',
    ]);
  });

  test("are ignored when they belong to Kafka's own programs", () => {
    const others = { KAFKA_HOME: '/opt/kafka', KAFKA_HEAP_OPTS: '-Xmx1g', KAFKA_VERSION: '4.1.0' };
    expect(load({ env: { ...env, ...others } }).kafka.brokers).toEqual(['localhost:9092']);
  });

  test('are ignored when Kubernetes sets them for a service', () => {
    const links = {
      KAFKA_SERVICE_HOST: '10.0.0.1',
      KAFKA_SERVICE_PORT: '9092',
      KAFKA_SERVICE_PORT_CLIENT: '9092',
      KAFKA_PORT: 'tcp://10.0.0.1:9092',
      KAFKA_PORT_9092_TCP: 'tcp://10.0.0.1:9092',
      KAFKA_PORT_9092_TCP_ADDR: '10.0.0.1',
    };
    expect(load({ env: { ...env, ...links } }).kafka.brokers).toEqual(['localhost:9092']);
  });
});
