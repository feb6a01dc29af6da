import { accountSettings } from './account-settings.ts';
import { quietHours, timeZone } from './calendar.ts';
import * as formats from './formats.ts';
import { http, notifications, webhookReceiver } from './http-settings.ts';
import { setting, listSettings } from './setting.ts';
import * as named from './named-formats.ts';
import { sasl } from './sasl.ts';
import { recordTimestamps, streamFields } from './stream-fields.ts';

const { choice, duration, flag, fraction, integer, integerOrBroker, optional, text } = formats;
const { accounts, apiUrl, apiVersion, brokers, businesses, exactUrl, hashtags, line } = named;
const { password, pastDate, pemFile, scopes, secret, tokens, topicTemplate } = named;
const { url, userNames } = named;

/** The codecs for produce requests, by the names of Kafka's `compression.type`. */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** The forms of the keys in Kafka. */
const keyFormats = ['string', 'avro'] as const;

const name = text('a name of letters, digits, ".", "_" and "-"', /^[A-Za-z0-9._-]{1,200}$/);

/** The Graph API: its address, credentials, accounts and request limits. */
const instagram = {
  accessToken: setting(
    tokens,
    'One or more access tokens; each serves the accounts that it reaches. Prefer a file to the environment: a file is read again when it changes.',
  ),
  login: setting(
    choice(['facebook', 'instagram']),
    'The login that issued the token: `facebook` finds the accounts through their pages, `instagram` reaches the one account of the token.',
  ),
  apiVersion: setting(
    apiVersion,
    'The version of the Graph API in the path of every request. Metrics do not depend on it: Meta adds and removes them in all versions at once.',
  ),
  baseUrl: setting(
    optional(apiUrl),
    "The URL of the API without the version. Not set: the login's host, `https://graph.facebook.com` or `https://graph.instagram.com`.",
  ),
  accounts: setting(
    accounts,
    'The only accounts to poll, by id or user name. Empty: all that the token reaches. A renamed account is found by its id only.',
  ),
  accountsExclude: setting(
    accounts,
    'Accounts that are never polled, by id or user name, also those of `INSTAGRAM_ACCOUNTS` under another name.',
  ),
  accountSettings: setting(
    accountSettings,
    'Streams and intervals of single accounts, by id or user name. `streams` replaces `STREAMS` for the account; `intervals` replaces the interval of a stream, and `off` stops polling it. The id takes precedence over the user name.',
  ),
  businesses: setting(
    businesses,
    "Businesses (business portfolios) whose accounts are polled too, by id: those of the pages that the business owns and of its clients' pages. `all`: every business of the token's user. The token needs the permission `business_management`. Facebook Login only.",
  ),
  discoveredUsers: setting(
    userNames,
    'User names of business and creator accounts of others, whose public profiles and media `discovered_users` and `discovered_media` read, each once for all accounts. Facebook Login only.',
  ),
  discoveredMediaAge: setting(
    duration('1h', '3650d'),
    'Media of discovered users younger than this are read at every poll of `discovered_media`.',
  ),
  hashtags: setting(
    hashtags,
    'Hashtags whose recent and top media `hashtag_media` reads, at most 30, because Meta lets an account search for 30 different ones in seven days. Facebook Login only.',
  ),
  startDate: setting(
    optional(pastDate),
    'The date from which the first poll of `user_insights`, `user_daily_totals` and `user_daily_breakdowns` reads: at most two years ago, and as far back as the API has data; earlier days are skipped. It has no effect once a state exists. Not set: 30 days ago, where every metric has data.',
  ),
  requestTimeout: setting(duration('100ms', '10m'), 'The time limit of one request.'),
  maxConcurrentRequests: setting(integer(1, 100), 'The maximum number of concurrent requests.'),
  accountsRefresh: setting(
    duration('1s'),
    'The interval at which the list of accounts is read again.',
  ),
  pageSize: setting(integer(1, 100), 'Entries that one page of a list requests.'),
  clientId: setting(
    optional(text('an app id of digits', /^\d{1,25}$/)),
    "The app's id at Meta; with Instagram Login, the id of its product Instagram. `login` needs it, and so does the inspection and renewal of tokens of Facebook Login.",
  ),
  clientSecret: setting(
    optional(secret('an app secret without spaces', /^[\x21-\x7e]+$/)),
    "The app's secret. With it every request carries `appsecret_proof`, which proves that the app sends it, and tokens can be exchanged and renewed.",
  ),
  redirectUri: setting(
    exactUrl,
    "The redirect URI of `login`; it must be exactly one of the app's valid OAuth redirect URIs. `login` listens on its port when the host is `localhost` or `127.0.0.1`.",
  ),
  scope: setting(
    scopes,
    'The permissions that `login` requests. Empty: those that the enabled streams and `INSTAGRAM_BUSINESSES` need.',
  ),
  loginConfigId: setting(
    optional(text('the id of a configuration as digits', /^\d{1,25}$/)),
    'The configuration of Facebook Login for Business that `login` requests in place of permissions. It decides the type of the token, the permissions and the assets.',
  ),
};

/** The PEM files of a TLS client, named as in librdkafka. */
function tls(peer: string) {
  return {
    caLocation: setting(
      optional(pemFile('certificate')),
      `The PEM file with the CA certificates that verify ${peer}'s certificate, in place of Node's own. Read again for each connection.`,
    ),
    certificateLocation: setting(
      optional(pemFile('certificate')),
      "The PEM file with the client's certificate, followed by its intermediate certificates. Read again for each connection.",
    ),
    keyLocation: setting(
      optional(pemFile('key')),
      "The PEM file with the private key of the client's certificate. Read again for each connection.",
    ),
    keyPassword: setting(optional(password), 'The password of the encrypted private key.'),
  };
}

const topics = {
  create: setting(flag, 'True creates missing topics.'),
  partitions: setting(integer(1, 10_000), 'The number of partitions of a created topic.'),
  statePartitions: setting(
    integer(1, 1_000),
    'The number of partitions of the state topic. Accounts are assigned to instances by these partitions. Raising it later takes the steps in docs/operations/run.md.',
  ),
  replicationFactor: setting(
    integerOrBroker(32_767),
    "The replication factor of a created topic, and the minimum for an existing one. -1: the broker's default, not verified. Production: 3.",
  ),
  minInSyncReplicas: setting(
    integerOrBroker(32_767),
    "`min.insync.replicas` of a created topic, and the minimum for an existing one. -1: the broker's default, not verified. Production: 2.",
  ),
  deadLetterRetention: setting(
    duration('1h', '3650d'),
    '`retention.ms` of a created dead letter topic; an existing topic keeps its setting. Dead letters may contain content of other people.',
  ),
};

const kafka = {
  brokers: setting(brokers, 'The bootstrap servers.'),
  securityProtocol: setting(
    choice(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']),
    'The protocol of the brokers, as in any Kafka client: TLS (`SSL`), a login (`SASL_…`), or both. Only `SSL` and `SASL_SSL` encrypt passwords and data on the network.',
  ),
  ssl: {
    ...tls('a broker'),
    serverName: setting(
      optional(text('a host name', /^[A-Za-z0-9.:_-]{1,253}$/)),
      "The name in the brokers' certificates, if it differs from their address.",
    ),
  },
  sasl,
  clientId: setting(name, "The client's name in the brokers' logs and quotas."),
  topicTemplate: setting(
    topicTemplate,
    'The names of the topics: `{stream}` becomes the stream with hyphens for underscores, or `state`, `dead-letters` or `notifications`. `{account}` gives each account topics and schema subjects of its own, which are created before its first record; the topics of the state and of notifications stay one, and their names lack `{account}`.',
  ),
  transactionalIdPrefix: setting(
    name,
    'The prefix of transactional ids and consumer groups. All instances of an installation use the same prefix; each installation needs its own. To change it, stop all instances before the first one starts with the new prefix: instances of the old and the new prefix do not fence each other, so both would write the same states.',
  ),
  transactionTimeout: setting(
    duration('10s', '15m'),
    'The time after which the broker aborts an open transaction; at most its `transaction.max.timeout.ms`.',
  ),
  sendDeadline: setting(
    duration('1s', '15m'),
    'The time limit of one attempt of a transaction; at most 90% of the transaction timeout is used.',
  ),
  connectionTimeout: setting(duration('100ms', '5m'), 'The time limit of connecting to a broker.'),
  compression: setting(
    choice(compressions),
    'The compression of produce requests. Topics with `compression.type=producer`, the default of Kafka, store it unchanged. Every client can read `gzip`; `lz4` and `snappy` use less CPU and more bytes, `zstd` less of both. Reading supports all of them.',
  ),
  recordTimestamp: setting(
    choice(recordTimestamps),
    'The timestamp of records in Kafka. `publish`: the time of publishing. `event`: the time of the event, such as when a media was posted or a day ended, at most the time of the poll; [streams](streams.md) names its field. Records without such a time, and tombstones, keep the time of publishing.',
  ),
  keyFormat: setting(
    choice(keyFormats),
    "The keys of the topics of streams. `string`: a text. `avro`: a record of the key's fields, with its schema under the subject `<topic>-key`. Set it before the first start: an existing installation keeps its format ([consuming](consuming.md#keys-as-avro-records)).",
  ),
  maxBatchRecords: setting(
    integer(1, 10_000),
    'The number of records after which a transaction is committed; a page of the API and a window of days are never split.',
  ),
  tombstones: setting(
    flag,
    'True publishes a tombstone for media and stories that are no longer listed, and for their insights. If most are missing at once, the next complete list must confirm it. A story is listed for 24 hours. Deleted comments cannot be detected.',
  ),
  group: {
    sessionTimeout: setting(
      duration('1s', '30m'),
      "The time without a heartbeat after which the other instances resume an instance's accounts; between the broker's `group.min.session.timeout.ms` and `group.max.session.timeout.ms` (6 s and 30 min).",
    ),
    heartbeat: setting(
      duration('100ms', '10m'),
      'The interval of heartbeats to the group coordinator, which also report rebalances; at most a third of the session timeout.',
    ),
    rebalanceTimeout: setting(
      duration('1s', '30m'),
      'The time that a rebalance waits for an instance to rejoin.',
    ),
  },
  topics,
};

const schemaRegistry = {
  url: setting(
    url,
    'The URL of the registry, with an optional path, such as `http://host:8080/apis/ccompat/v7`.',
  ),
  timeout: setting(duration('100ms', '5m'), 'The time limit of one request.'),
  compatibility: setting(
    choice([
      'BACKWARD',
      'BACKWARD_TRANSITIVE',
      'FORWARD',
      'FORWARD_TRANSITIVE',
      'FULL',
      'FULL_TRANSITIVE',
      'NONE',
    ]),
    'The compatibility level that a new subject gets.',
  ),
  mode: setting(
    choice(['register', 'verify']),
    '`register` adds missing schemas; `verify` refuses to start without them.',
  ),
  username: setting(
    optional(line),
    'The user name for basic authentication, together with the password.',
  ),
  password: setting(
    optional(password),
    'The password for basic authentication, together with the user name; its file is read again for each request.',
  ),
  bearerToken: setting(
    optional(secret('a token without spaces', /^[\x21-\x7e]+$/)),
    'The token sent as `Authorization: Bearer`, in place of user name and password; its file is read again for each request.',
  ),
  ssl: tls('the registry'),
};

const fields = {
  hashSecret: setting(
    optional(secret('a text of 32 to 500 visible characters', /^[\x21-\x7e]{32,500}$/)),
    'The key of the hashes (HMAC-SHA-256) of the fields that `STREAM_<NAME>_HASH` names. With another key, all hashes differ.',
  ),
};

const polling = {
  concurrency: setting(integer(1, 1_000), 'The maximum number of concurrent polls.'),
  jitter: setting(
    fraction(0, 0.5),
    'The fraction of the interval by which polls are shifted at random, so that they do not all start together.',
  ),
  timeZone: setting(timeZone, 'The time zone of cron expressions and quiet hours.'),
  quietHours: setting(
    optional(quietHours),
    'The hours in which no poll begins: a poll that is due waits for their end. A poll that is already running continues to its end; control requests and `once` poll at any time. Stories are listed for 24 hours, and story insights change until then.',
  ),
  lookback: setting(
    duration('1ms', '30d'),
    'The period of published data that `user_insights`, `user_daily_totals` and `user_daily_breakdowns` read again; the API corrects values for up to 48 hours.',
  ),
  newMediaAge: setting(
    duration('1m', '365d'),
    'Media younger than this are new: they and their insights are read at every poll.',
  ),
  recentMediaAge: setting(
    duration('1m', '3650d'),
    'Media younger than this, and not new, are recent; all others are old.',
  ),
  recentMediaInterval: setting(
    duration('1s', '365d'),
    'The interval at which the insights of each recent media are read, spread evenly over the polls.',
  ),
  oldMediaInterval: setting(
    duration('1s', '365d'),
    'The interval at which the insights of each old media are read, spread evenly over the polls.',
  ),
  mediaListInterval: setting(
    duration('1s', '365d'),
    'The interval at which the complete list of media is read, each account at its own time. In between, only the pages with new media are read.',
  ),
  maxAttempts: setting(
    integer(1, 100),
    'Attempts of one poll before it fails until its next interval.',
  ),
  retryBase: setting(
    duration(),
    'The wait after the first failed attempt; it doubles with each further attempt.',
  ),
  retryMax: setting(duration(), 'The longest wait between two attempts.'),
  onceTimeout: setting(
    duration('1s'),
    'The time that `once` waits for an unavailable broker, registry or API before it exits with 3.',
  ),
  shutdownGrace: setting(
    duration('100ms', '1h'),
    'The time limit of a graceful shutdown; shorter than the grace period of the platform (Kubernetes: 30 s).',
  ),
  instance: setting(
    optional(line),
    "The instance's name in the state, in the group and in the log. Not set: the host's name.",
  ),
};

const log = {
  level: setting(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'The lowest level that is logged.',
  ),
  format: setting(
    choice(['auto', 'json', 'pretty']),
    'The format of log lines: `json` for machines, `pretty` for people, `auto` for pretty on a terminal and JSON elsewhere.',
  ),
};

/**
 * Every field by its path in the file. The names of variables and arguments and the type of the
 * configuration follow from it. Defaults are defined only in `config/default.json`,
 * and those of a stream in its declaration.
 */
export const schema = {
  instagram,
  kafka,
  schemaRegistry,
  streams: streamFields,
  fields,
  polling,
  http,
  webhookReceiver,
  notifications,
  log,
};

/** Every field with its names, in the order of the schema. */
export const settings = listSettings(schema);
