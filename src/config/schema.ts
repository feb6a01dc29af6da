import { publishModes } from '../engine/change-set.ts';
import * as formats from './formats.ts';
import { leaf } from './leaf.ts';
import * as named from './named-formats.ts';

const { choice, duration, flag, integer, integerOrBroker, list, optional, share, text } = formats;
const { accountIds, apiUrl, apiVersion, brokers, exactUrl, httpsUrl, pastDate, pemFile } = named;
const { scopes, secret, streams, tokens, topicTemplate, url } = named;

/** The codecs for produce requests, by the names of Kafka's `compression.type`. */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** The token that control requests carry. */
export const controlToken = /^[\x21-\x7e]{16,500}$/;

const name = text('a name of letters, digits, ".", "_" and "-"', /^[A-Za-z0-9._-]{1,200}$/);
const line = text('a text of one line', /^[^\p{Cc}]{1,200}$/u);
const host = text('a host name or an address, such as 127.0.0.1', /^[A-Za-z0-9.:_-]{1,253}$/);
const password = secret('a password: one line', /^[^\p{Cc}]+$/u);

/** The Graph API: its address, credentials, accounts and request limits. */
const instagram = {
  accessToken: leaf(
    tokens(),
    'The token that every request carries, or several, each for the accounts that it reaches. Better in a file than in the environment: a file is read again when it changes.',
  ),
  login: leaf(
    choice(['facebook', 'instagram']),
    'Which of the two logins gave the token: `facebook` finds the accounts through their pages, `instagram` reaches the one account of the token.',
  ),
  apiVersion: leaf(
    apiVersion(),
    'The version of the Graph API in the path of every request. Metrics do not depend on it: Meta adds and removes them by date, in all versions at once.',
  ),
  baseUrl: leaf(
    optional(apiUrl()),
    "Where the API is, without the version. Not set: the login's own host, `https://graph.facebook.com` or `https://graph.instagram.com`.",
  ),
  accounts: leaf(accountIds(), 'The only accounts to poll. Empty: all that the token reaches.'),
  startDate: leaf(
    optional(pastDate()),
    'How far back the first poll of `user_insights` and of `user_daily_totals` goes, at most two years, as far as the API has data; what is older is cut off. It has no effect once there is a state. Not set: 30 days, where every metric has data.',
  ),
  requestTimeout: leaf(duration('100ms', '10m'), 'How long one request may take.'),
  maxConcurrentRequests: leaf(integer(1, 100), 'Requests in flight at once.'),
  accountsRefresh: leaf(duration('1s'), 'How often the list of accounts is read again.'),
  pageSize: leaf(integer(1, 100), 'Entries asked for in one page of a list.'),
  clientId: leaf(
    optional(text('an app id of digits', /^\d{1,25}$/)),
    "The app's id at Meta; with Instagram Login that of its product Instagram. For `login`, and to learn of and renew the tokens of Facebook Login.",
  ),
  clientSecret: leaf(
    optional(secret('an app secret without spaces', /^[\x21-\x7e]+$/)),
    "The app's secret. With it every request carries the proof (`appsecret_proof`) that the app itself asks, and tokens can be exchanged and renewed.",
  ),
  redirectUri: leaf(
    exactUrl(),
    "Where `login` is led back to; it must stand among the app's valid OAuth redirect URIs to the letter. `login` listens on its port when the host is `localhost` or `127.0.0.1`.",
  ),
  scope: leaf(
    scopes(),
    'The permissions that `login` asks for. Empty: those that the enabled streams need.',
  ),
};

/** The PEM files of a TLS client, named as in librdkafka. */
function tls(who: string) {
  return {
    caLocation: leaf(
      optional(pemFile('certificate')),
      `The PEM file with the certificates of the authorities that ${who}'s certificate is checked with, in place of those that Node trusts. Read again for each connection.`,
    ),
    certificateLocation: leaf(
      optional(pemFile('certificate')),
      "The PEM file with the client's certificate, those that it was signed with after it. Read again for each connection.",
    ),
    keyLocation: leaf(
      optional(pemFile('key')),
      "The PEM file with the private key of the client's certificate. Read again for each connection.",
    ),
    keyPassword: leaf(optional(password), 'What the private key is encrypted with.'),
  };
}

/** The login at the brokers, named like the `sasl.` settings of Kafka clients. */
const sasl = {
  mechanism: leaf(
    optional(choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'])),
    'How the login goes. With `PLAIN` the password itself is sent.',
  ),
  username: leaf(optional(line), 'For `PLAIN` and `SCRAM-…`.'),
  password: leaf(
    optional(password),
    'For `PLAIN` and `SCRAM-…`; its file is read again for each connection.',
  ),
  oauthbearer: {
    tokenEndpointUrl: leaf(
      optional(httpsUrl()),
      'Where a token is had for the client id and secret (`grant_type=client_credentials`). An authority of its own is named by `NODE_EXTRA_CA_CERTS`.',
    ),
    clientId: leaf(optional(line), "The client's id."),
    clientSecret: leaf(
      optional(password),
      "The client's secret; its file is read again for each token.",
    ),
    scope: leaf(optional(line), 'The scope asked for; several are separated by spaces.'),
    extensions: leaf(
      list(text('name=value', /^[A-Za-z]+=[\x21-\x7e]+$/)),
      'What is sent with the token: Confluent Cloud wants `logicalCluster=lkc-…,identityPoolId=pool-…`.',
    ),
  },
};

const topics = {
  create: leaf(flag(), 'Whether topics that are missing are created.'),
  partitions: leaf(integer(1, 10_000), 'Partitions of a topic created.'),
  statePartitions: leaf(
    integer(1, 1_000),
    'Partitions of the state topic, the unit in which accounts are shared out. Not to be changed once the topic is there.',
  ),
  replicationFactor: leaf(
    integerOrBroker(32_767),
    "Replicas of a topic created, and the fewest that one already there may have. -1: the broker's own default, not verified. Production: 3.",
  ),
  minInSyncReplicas: leaf(
    integerOrBroker(32_767),
    "`min.insync.replicas` of a topic created, and the least that one already there may have. -1: the broker's own default, not verified. Production: 2.",
  ),
  deadLetterRetention: leaf(
    duration('1h', '3650d'),
    '`retention.ms` of a topic of dead letters created. They hold what other people wrote. A topic already there keeps what it has.',
  ),
};

const kafka = {
  brokers: leaf(brokers(), 'The brokers to begin with.'),
  securityProtocol: leaf(
    choice(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']),
    "How the brokers are reached, as in any Kafka client: with TLS (`SSL`), with a login (`SASL_…`), or both. Only `SSL` and `SASL_SSL` keep passwords and data from the network's eyes.",
  ),
  ssl: {
    ...tls('a broker'),
    serverName: leaf(
      optional(text('a host name', /^[A-Za-z0-9.:_-]{1,253}$/)),
      "The name that the brokers' certificates are for, where it is not the name that they are reached by.",
    ),
  },
  sasl,
  clientId: leaf(name, "The name in the brokers' logs and quotas."),
  topicTemplate: leaf(
    topicTemplate(),
    'How topics are called: `{stream}` becomes the stream with hyphens for underscores, or `state`, or `dead-letters`.',
  ),
  transactionalIdPrefix: leaf(
    name,
    'Transactional ids and consumer groups begin with it. The same for all instances that share the accounts, another for every other installation.',
  ),
  transactionTimeout: leaf(
    duration('10s', '15m'),
    'After this long the broker aborts an open transaction by itself; at most its `transaction.max.timeout.ms`.',
  ),
  sendDeadline: leaf(
    duration('1s', '15m'),
    'How long one try of one transaction may take; 90% of the transaction timeout is the most that is used.',
  ),
  connectionTimeout: leaf(duration('100ms', '5m'), 'How long connecting to a broker may take.'),
  compression: leaf(
    choice(compressions),
    'How produce requests are compressed: what topics with `compression.type=producer`, the default of Kafka, store. `gzip` is what every client can read; `lz4` and `snappy` take less CPU and more bytes, `zstd` less of both. Topics are read with any of them.',
  ),
  maxBatchRecords: leaf(
    integer(1, 10_000),
    'Records after which a transaction is sent; a page of the API and a window of days stay whole.',
  ),
  tombstones: leaf(
    flag(),
    'Whether media, stories and tags that are no longer listed are deleted by a record without a value; where most are missing at once, only when the next whole list lacks them too. A story is listed for 24 hours. Comments that are deleted cannot be known.',
  ),
  group: {
    sessionTimeout: leaf(
      duration('1s', '30m'),
      "After this long without a heartbeat an instance has lost its accounts to the others; between the broker's `group.min.session.timeout.ms` and `group.max.session.timeout.ms` (6 s and 30 min).",
    ),
    heartbeat: leaf(
      duration('100ms', '10m'),
      'How often an instance lets the others know that it lives, and hears of changes; at most a third of the session timeout.',
    ),
    rebalanceTimeout: leaf(
      duration('1s', '30m'),
      'How long a change of the group waits for an instance that has not joined again.',
    ),
  },
  topics,
};

const schemaRegistry = {
  url: leaf(
    url(),
    'Where the registry is; a path is kept, as in `http://host:8080/apis/ccompat/v7`.',
  ),
  timeout: leaf(duration('100ms', '5m'), 'How long one request may take.'),
  compatibility: leaf(
    choice([
      'BACKWARD',
      'BACKWARD_TRANSITIVE',
      'FORWARD',
      'FORWARD_TRANSITIVE',
      'FULL',
      'FULL_TRANSITIVE',
      'NONE',
    ]),
    'The level that a subject gets when it is registered for the first time.',
  ),
  mode: leaf(
    choice(['register', 'verify']),
    '`register` adds schemas that are missing; `verify` refuses to start without them.',
  ),
  username: leaf(optional(line), 'For basic authentication, together with the password.'),
  password: leaf(
    optional(password),
    'For basic authentication, together with the user name; its file is read again for each request.',
  ),
  bearerToken: leaf(
    optional(secret('a token without spaces', /^[\x21-\x7e]+$/)),
    'Sent as `Authorization: Bearer`, in place of user name and password; its file is read again for each request.',
  ),
  ssl: tls('the registry'),
};

function interval(what: string) {
  return { interval: leaf(duration('1s'), `How often ${what} polled for each account.`) };
}

/** The fields of a stream that is read in full and can skip unchanged records. */
function snapshots(what: string) {
  return {
    ...interval(what),
    publish: leaf(
      choice(publishModes),
      '`changes`: only records that differ from the last one published for their key, signatures of URLs aside. `always`: every record of every poll.',
    ),
  };
}

const streamFields = {
  enabled: leaf(
    streams(),
    'The streams to poll, exactly these. `default` stands for the seven that are polled when this is empty, `all` for every one: `default,user_daily_totals` adds one to the seven.',
  ),
  users: snapshots('the profile is'),
  user_insights: interval('the daily insights are'),
  user_lifetime_insights: snapshots("the audience's demographics are"),
  user_daily_totals: interval('the daily totals are'),
  user_engaged_audience: snapshots('the demographics of who interacted are'),
  user_reached_audience: snapshots('the demographics of who was reached are'),
  tags: snapshots('media that tag the account are'),
  comments: interval('comments are'),
  media: snapshots('media are'),
  media_insights: snapshots('the insights of media are'),
  stories: snapshots('live stories are'),
  story_insights: snapshots('the insights of live stories are'),
};

const polling = {
  concurrency: leaf(integer(1, 1_000), 'Polls under way at once.'),
  jitter: leaf(
    share(0, 0.5),
    'Share of the interval by which polls are moved at random, so that they do not all start together.',
  ),
  lookback: leaf(
    duration('1ms', '30d'),
    'How far `user_insights` and `user_daily_totals` read again what they have published; the API corrects values for up to 48 hours.',
  ),
  newMediaAge: leaf(
    duration('1m', '365d'),
    'Media younger than this are new: they and their insights are read at every poll.',
  ),
  recentMediaAge: leaf(
    duration('1m', '3650d'),
    'Media younger than this, and not new, are recent; all others are old.',
  ),
  recentMediaInterval: leaf(
    duration('1s', '365d'),
    'How often the insights of each recent media are read, spread evenly over the polls.',
  ),
  oldMediaInterval: leaf(
    duration('1s', '365d'),
    'How often the insights of each old media are read, spread evenly over the polls.',
  ),
  mediaListInterval: leaf(
    duration('1s', '365d'),
    'How often the whole list of media is read, each account at its own time; between, the pages with new media.',
  ),
  maxAttempts: leaf(
    integer(1, 100),
    'Tries of one poll before it is given up until its next turn.',
  ),
  retryBase: leaf(duration(), 'The wait after the first failed try; it doubles.'),
  retryMax: leaf(duration(), 'The longest wait between two tries.'),
  onceTimeout: leaf(
    duration('1s'),
    'How long `once` waits for a broker, a registry or an API that is away before it exits with 3.',
  ),
  shutdownGrace: leaf(
    duration('100ms', '1h'),
    'How long a stop may take before it is forced; shorter than what the platform allows (Kubernetes: 30 s).',
  ),
  instance: leaf(
    optional(line),
    "The instance's name in the state, in the group and in the log. Not set: the host's name.",
  ),
};

const http = {
  enabled: leaf(
    flag(),
    'Whether health, metrics and the status page are served; without them the health check of the container image fails.',
  ),
  host: leaf(
    host,
    'The address to listen on; `0.0.0.0` in a container. Nothing that is shown needs authentication.',
  ),
  port: leaf(integer(0, 65_535), 'The port to listen on; 0 takes any that is free.'),
  allowedHosts: leaf(
    list(text('a host name without a port', /^[A-Za-z0-9._-]{1,253}$/)),
    'Names that a request may have in its `Host` header, beside `localhost` and the addresses of loopback; others are answered with 421, so that no web page reads the server through a name that it had resolved to this machine. Empty: no other name when the server listens on loopback, any when it listens elsewhere.',
  ),
  token: leaf(
    optional(secret('a token of 16 to 500 visible characters', controlToken)),
    'What a request must carry as `Authorization: Bearer …` to poll, pause or resume a stream or to change the log level. Not set: these are off. A file is read again at each of them.',
  ),
};

const log = {
  level: leaf(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'The least important line that is still written.',
  ),
  format: leaf(
    choice(['auto', 'json', 'pretty']),
    'How lines are written: `json`, one a line; `pretty`, for people; `auto`, pretty on a terminal and JSON elsewhere.',
  ),
};

/**
 * Every field by its path in the file. The names of variables and arguments and the type of the
 * configuration follow from it. Defaults are defined only in `config/default.json`.
 */
export const schema = {
  instagram,
  kafka,
  schemaRegistry,
  streams: streamFields,
  polling,
  http,
  log,
};
