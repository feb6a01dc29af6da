import { publishModes } from '../core/changes.ts';
import { compatibilities, compressions, logFormats, logLevels, orderToken } from './config.ts';
import * as formats from './formats.ts';

import { group } from './group-schema.ts';
import { instagram } from './instagram-schema.ts';
import { leaf } from './leaf.ts';
import { brokers, secret, streams, topicTemplate, url } from './named-formats.ts';
import { kafkaSasl, kafkaSsl, registrySecurity, securityProtocol } from './security-schema.ts';

const { choice, duration, flag, integer, integerOrBroker, list, optional, share, text } = formats;

const name = text('a name of letters, digits, ".", "_" and "-"', /^[A-Za-z0-9._-]{1,200}$/);
const line = text('a text of one line', /^[^\p{Cc}]{1,200}$/u);
const host = text('a host name or an address, such as 127.0.0.1', /^[A-Za-z0-9.:_-]{1,253}$/);

const topics = {
  create: leaf('KAFKA_TOPICS_CREATE', flag(), 'Whether topics that are missing are created.'),
  partitions: leaf('KAFKA_TOPICS_PARTITIONS', integer(1, 10_000), 'Partitions of a topic created.'),
  statePartitions: leaf(
    'KAFKA_TOPICS_STATE_PARTITIONS',
    integer(1, 1_000),
    'Partitions of the state topic, the unit in which accounts are shared out. Not to be changed once the topic is there.',
  ),
  replicationFactor: leaf(
    'KAFKA_TOPICS_REPLICATION_FACTOR',
    integerOrBroker(32_767),
    "Replicas of a topic created, and the fewest that one already there may have. -1: the broker's own default, not verified. Production: 3.",
  ),
  minInSyncReplicas: leaf(
    'KAFKA_TOPICS_MIN_IN_SYNC_REPLICAS',
    integerOrBroker(32_767),
    "`min.insync.replicas` of a topic created, and the least that one already there may have. -1: the broker's own default, not verified. Production: 2.",
  ),
  deadLetterRetention: leaf(
    'KAFKA_TOPICS_DEAD_LETTER_RETENTION',
    duration('1h', '3650d'),
    '`retention.ms` of a topic of dead letters created. They hold what other people wrote. A topic already there keeps what it has.',
  ),
};

const kafka = {
  brokers: leaf('KAFKA_BROKERS', brokers(), 'The brokers to begin with.'),
  securityProtocol,
  ssl: kafkaSsl,
  sasl: kafkaSasl,
  clientId: leaf('KAFKA_CLIENT_ID', name, "The name in the brokers' logs and quotas."),
  topicTemplate: leaf(
    'KAFKA_TOPIC_TEMPLATE',
    topicTemplate(),
    'How topics are called: `{stream}` becomes the stream with hyphens for underscores, or `state`, or `dead-letters`.',
  ),
  transactionalIdPrefix: leaf(
    'KAFKA_TRANSACTIONAL_ID_PREFIX',
    name,
    'Transactional ids and consumer groups begin with it. The same for all instances that share the accounts, another for every other installation.',
  ),
  transactionTimeout: leaf(
    'KAFKA_TRANSACTION_TIMEOUT',
    duration('10s', '15m'),
    'After this long the broker aborts an open transaction by itself; at most its `transaction.max.timeout.ms`.',
  ),
  sendDeadline: leaf(
    'KAFKA_SEND_DEADLINE',
    duration('1s', '15m'),
    'How long one try of one transaction may take; 90% of the transaction timeout is the most that is used.',
  ),
  connectionTimeout: leaf(
    'KAFKA_CONNECTION_TIMEOUT',
    duration('100ms', '5m'),
    'How long connecting to a broker may take.',
  ),
  compression: leaf(
    'KAFKA_COMPRESSION',
    choice(compressions),
    'How produce requests are compressed: what topics with `compression.type=producer`, the default of Kafka, store. `gzip` is what every client can read; `lz4` and `snappy` take less CPU and more bytes, `zstd` less of both. Topics are read with any of them.',
  ),
  maxBatchRecords: leaf(
    'KAFKA_MAX_BATCH_RECORDS',
    integer(1, 10_000),
    'Records after which a transaction is sent; a page of the API and a window of days stay whole.',
  ),
  tombstones: leaf(
    'KAFKA_TOMBSTONES',
    flag(),
    'Whether media, stories and tags that are no longer listed are deleted by a record without a value; where most are missing at once, only when the next whole list lacks them too. A story is listed for 24 hours. Comments that are deleted cannot be known.',
  ),
  group,
  topics,
};

const schemaRegistry = {
  url: leaf(
    'SCHEMA_REGISTRY_URL',
    url(),
    'Where the registry is; a path is kept, as in `http://host:8080/apis/ccompat/v7`.',
  ),
  timeout: leaf(
    'SCHEMA_REGISTRY_TIMEOUT',
    duration('100ms', '5m'),
    'How long one request may take.',
  ),
  compatibility: leaf(
    'SCHEMA_REGISTRY_COMPATIBILITY',
    choice(compatibilities),
    'The level that a subject gets when it is registered for the first time.',
  ),
  mode: leaf(
    'SCHEMA_REGISTRY_MODE',
    choice(['register', 'verify']),
    '`register` adds schemas that are missing; `verify` refuses to start without them.',
  ),
  ...registrySecurity,
};

function interval(env: string, what: string) {
  return { interval: leaf(env, duration('1s'), `How often ${what} polled for each account.`) };
}

/** A stream that is read in full and may leave out what says nothing new. */
function snapshots(name: string, what: string) {
  return {
    ...interval(`STREAM_${name}_INTERVAL`, what),
    publish: leaf(
      `STREAM_${name}_PUBLISH`,
      choice(publishModes),
      '`changes`: only records that differ from the last one published for their key, signatures of URLs aside. `always`: every record of every poll.',
    ),
  };
}

const streamSchema = {
  enabled: leaf(
    'STREAMS',
    streams(),
    'The streams to poll, exactly these. `default` stands for the seven that are polled when this is empty, `all` for every one: `default,user_daily_totals` adds one to the seven.',
  ),
  users: snapshots('USERS', 'the profile is'),
  user_insights: interval('STREAM_USER_INSIGHTS_INTERVAL', 'the daily insights are'),
  user_lifetime_insights: snapshots('USER_LIFETIME_INSIGHTS', "the audience's demographics are"),
  user_daily_totals: interval('STREAM_USER_DAILY_TOTALS_INTERVAL', 'the daily totals are'),
  user_engaged_audience: snapshots(
    'USER_ENGAGED_AUDIENCE',
    'the demographics of who interacted are',
  ),
  user_reached_audience: snapshots(
    'USER_REACHED_AUDIENCE',
    'the demographics of who was reached are',
  ),
  tags: snapshots('TAGS', 'media that tag the account are'),
  comments: interval('STREAM_COMMENTS_INTERVAL', 'comments are'),
  media: snapshots('MEDIA', 'media are'),
  media_insights: snapshots('MEDIA_INSIGHTS', 'the insights of media are'),
  stories: snapshots('STORIES', 'live stories are'),
  story_insights: snapshots('STORY_INSIGHTS', 'the insights of live stories are'),
};

const polling = {
  concurrency: leaf('POLLING_CONCURRENCY', integer(1, 1_000), 'Polls under way at once.'),
  jitter: leaf(
    'POLLING_JITTER',
    share(0, 0.5),
    'Share of the interval by which polls are moved at random, so that they do not all start together.',
  ),
  lookback: leaf(
    'POLLING_LOOKBACK',
    duration('1ms', '30d'),
    'How far `user_insights` and `user_daily_totals` read again what they have published; the API corrects values for up to 48 hours.',
  ),
  newMediaAge: leaf(
    'POLLING_NEW_MEDIA_AGE',
    duration('1m', '365d'),
    'Media younger than this are new: they and their insights are read at every poll.',
  ),
  recentMediaAge: leaf(
    'POLLING_RECENT_MEDIA_AGE',
    duration('1m', '3650d'),
    'Media younger than this, and not new, are recent; all others are old.',
  ),
  recentMediaInterval: leaf(
    'POLLING_RECENT_MEDIA_INTERVAL',
    duration('1s', '365d'),
    'How often the insights of each recent media are read, spread evenly over the polls.',
  ),
  oldMediaInterval: leaf(
    'POLLING_OLD_MEDIA_INTERVAL',
    duration('1s', '365d'),
    'How often the insights of each old media are read, spread evenly over the polls.',
  ),
  mediaListInterval: leaf(
    'POLLING_MEDIA_LIST_INTERVAL',
    duration('1s', '365d'),
    'How often the whole list of media is read, each account at its own time; between, the pages with new media.',
  ),
  maxAttempts: leaf(
    'POLLING_MAX_ATTEMPTS',
    integer(1, 100),
    'Tries of one poll before it is given up until its next turn.',
  ),
  retryBase: leaf(
    'POLLING_RETRY_BASE',
    duration(),
    'The wait after the first failed try; it doubles.',
  ),
  retryMax: leaf('POLLING_RETRY_MAX', duration(), 'The longest wait between two tries.'),
  onceTimeout: leaf(
    'POLLING_ONCE_TIMEOUT',
    duration('1s'),
    'How long `once` waits for a broker, a registry or an API that is away before it exits with 3.',
  ),
  shutdownGrace: leaf(
    'POLLING_SHUTDOWN_GRACE',
    duration('100ms', '1h'),
    'How long a stop may take before it is forced; shorter than what the platform allows (Kubernetes: 30 s).',
  ),
  instance: leaf(
    'POLLING_INSTANCE',
    optional(line),
    "The instance's name in the state, in the group and in the log. Not set: the host's name.",
  ),
};

const http = {
  enabled: leaf(
    'HTTP_ENABLED',
    flag(),
    'Whether health, metrics and the status page are served; without them the health check of the container image fails.',
  ),
  host: leaf(
    'HTTP_HOST',
    host,
    'The address to listen on; `0.0.0.0` in a container. Nothing that is shown needs authentication.',
  ),
  port: leaf('HTTP_PORT', integer(0, 65_535), 'The port to listen on; 0 takes any that is free.'),
  allowedHosts: leaf(
    'HTTP_ALLOWED_HOSTS',
    list(text('a host name without a port', /^[A-Za-z0-9._-]{1,253}$/)),
    'Names that a request may have in its `Host` header, beside `localhost` and the addresses of loopback; others are answered with 421, so that no web page reads the server through a name that it had resolved to this machine. Empty: no other name when the server listens on loopback, any when it listens elsewhere.',
  ),
  token: leaf(
    'HTTP_TOKEN',
    optional(secret('a token of 16 to 500 visible characters', orderToken)),
    'What a request must carry as `Authorization: Bearer …` to poll, pause or resume a stream or to change the log level. Not set: these are off. A file is read again at each of them.',
  ),
};

const log = {
  level: leaf('LOG_LEVEL', choice(logLevels), 'The least important line that is still written.'),
  format: leaf(
    'LOG_FORMAT',
    choice(logFormats),
    'How lines are written: `json`, one a line; `pretty`, for people; `auto`, pretty on a terminal and JSON elsewhere.',
  ),
};

/** Every field there is. Defaults stand in `config/default.json`, and nowhere else. */
export const schema = {
  instagram,
  kafka,
  schemaRegistry,
  streams: streamSchema,
  polling,
  http,
  log,
};
