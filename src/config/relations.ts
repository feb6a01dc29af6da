import type { Login } from '../engine/account.ts';
import { accountProblems } from './account-settings.ts';
import type { ConfigProblem } from './config-error.ts';
import { fieldListProblems } from './field-lists.ts';
import { keyFindings, signingKeyFindings, tlsFindings } from './key-relations.ts';
import { publicContentProblems } from './public-content.ts';
import { showValue } from './redaction.ts';
import { type GetValue, finding, isSet, oauthbearer, unused } from './finding.ts';
import { settings } from './schema.ts';
import { extraProblems, unsupportedStreams } from './stream-list.ts';
import { type InstagramStreamName, streamNames } from '../instagram/streams/index.ts';

interface Relation extends Pick<ConfigProblem, 'path' | 'expected' | 'action'> {
  readonly other: string;
  /** The description of both values, where they are secret or lists; else the values are shown. */
  readonly received?: string;
  readonly holds: (value: unknown, other: unknown) => boolean;
}

const relations: readonly Relation[] = [
  {
    path: 'schemaRegistry.password',
    other: 'schemaRegistry.username',
    received: 'one of user name and password',
    expected: 'both or neither',
    action: 'set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, or remove both',
    holds: (password, username) => (password === null) === (username === null),
  },
  {
    path: 'polling.retryBase',
    other: 'polling.retryMax',
    expected: 'at most polling.retryMax',
    action: 'lower POLLING_RETRY_BASE or raise POLLING_RETRY_MAX',
    holds: (base, max) => Number(base) <= Number(max),
  },
  {
    path: 'polling.newMediaAge',
    other: 'polling.recentMediaAge',
    expected: 'at most polling.recentMediaAge',
    action: 'lower POLLING_NEW_MEDIA_AGE or raise POLLING_RECENT_MEDIA_AGE',
    holds: (newest, recent) => Number(newest) <= Number(recent),
  },
  {
    path: 'kafka.group.heartbeat',
    other: 'kafka.group.sessionTimeout',
    expected: 'at most a third of kafka.group.sessionTimeout',
    action: 'lower KAFKA_GROUP_HEARTBEAT or raise KAFKA_GROUP_SESSION_TIMEOUT',
    holds: (heartbeat, session) => Number(heartbeat) * 3 <= Number(session),
  },
  {
    path: 'kafka.topics.minInSyncReplicas',
    other: 'kafka.topics.replicationFactor',
    expected: 'at most kafka.topics.replicationFactor',
    action: 'lower KAFKA_TOPICS_MIN_IN_SYNC_REPLICAS or raise KAFKA_TOPICS_REPLICATION_FACTOR',
    holds: (inSync, replicas) => replicas === -1 || Number(inSync) <= Number(replicas),
  },
  {
    path: 'schemaRegistry.bearerToken',
    other: 'schemaRegistry.username',
    received: 'both a bearer token and basic authentication',
    expected: 'one of the two',
    action: 'remove SCHEMA_REGISTRY_BEARER_TOKEN, or SCHEMA_REGISTRY_USERNAME and its password',
    holds: (token, username) => token === null || username === null,
  },
  facebookOnly('businesses', 'businesses', 'reaches the one account of the token'),
  facebookOnly('discoveredUsers', 'names', 'reads no content of others'),
  facebookOnly('hashtags', 'names', 'reads no content of others'),
  facebookOnly('loginConfigId', 'a configuration', 'has no configurations'),
  {
    path: 'instagram.loginConfigId',
    other: 'instagram.scope',
    received: 'a configuration, and permissions in INSTAGRAM_SCOPE',
    expected: 'one of the two: a configuration has its own permissions',
    action: 'remove INSTAGRAM_LOGIN_CONFIG_ID or INSTAGRAM_SCOPE',
    holds: (configuration, scope) => !isSet(configuration) || !isSet(scope),
  },
  {
    path: 'webhookReceiver.port',
    other: 'webhookReceiver.verifyToken',
    received: 'a port, and no verify token',
    expected: 'a verify token, by which Meta recognizes the receiver',
    action:
      'set WEBHOOK_RECEIVER_VERIFY_TOKEN, or its file in WEBHOOK_RECEIVER_VERIFY_TOKEN_FILE, or remove WEBHOOK_RECEIVER_PORT',
    holds: (port, token) => port === null || token !== null,
  },
  {
    path: 'webhookReceiver.port',
    other: 'instagram.clientSecret',
    received: 'a port, and no secret of the app',
    expected: "the app's secret, by which the signatures of webhooks are verified",
    action:
      'set INSTAGRAM_CLIENT_SECRET, or its file in INSTAGRAM_CLIENT_SECRET_FILE, or remove WEBHOOK_RECEIVER_PORT',
    holds: (port, secret) => port === null || secret !== null,
  },
  {
    path: 'notifications.webhook.url',
    other: 'notifications.enabled',
    received: 'a webhook, and notifications that are disabled',
    expected: 'notifications.enabled=true, because the webhook receives the records of their topic',
    action: 'set NOTIFICATIONS_ENABLED=true, or remove NOTIFICATIONS_WEBHOOK_URL',
    holds: (url, enabled) => url === null || enabled === true,
  },
  {
    path: 'notifications.webhook.secret',
    other: 'notifications.webhook.url',
    received: 'the key of a signature, and no webhook',
    expected: 'a webhook whose requests are signed',
    action: 'set NOTIFICATIONS_WEBHOOK_URL, or remove NOTIFICATIONS_WEBHOOK_SECRET',
    holds: (secret, url) => secret === null || url !== null,
  },
  ...streamNames.map(replicasOf),
];

/** The relation of a setting that has no effect with Instagram Login to the login. */
function facebookOnly(name: string, received: string, because: string): Relation {
  return {
    path: `instagram.${name}`,
    other: 'instagram.login',
    received,
    expected: `nothing, because INSTAGRAM_LOGIN=instagram ${because}`,
    action: 'remove it, or set INSTAGRAM_LOGIN=facebook',
    holds: (value, login) => login === 'facebook' || !isSet(value),
  };
}

/** The relation of the replicas in sync of a stream's topic to those of all topics. */
function replicasOf(name: InstagramStreamName): Relation {
  return {
    path: `streams.${name}.topic`,
    other: 'kafka.topics.replicationFactor',
    received: 'a min.insync.replicas above the number of replicas',
    expected: 'at most kafka.topics.replicationFactor',
    action: `lower STREAM_${name.toUpperCase()}_TOPIC_MIN_INSYNC_REPLICAS or raise KAFKA_TOPICS_REPLICATION_FACTOR`,
    holds(settings, replicas) {
      const { 'min.insync.replicas': inSync } = settings as Readonly<Record<string, string>>;
      return inSync === undefined || replicas === -1 || Number(inSync) <= Number(replicas);
    },
  };
}

/**
 * The problems of fields that are valid by themselves but do not fit together.
 * @param values - the typed values by path, without rejected ones
 * @param rawOf - returns the raw value of a path, for messages
 */
export function relationProblems(
  values: ReadonlyMap<string, unknown>,
  rawOf: GetValue,
): readonly ConfigProblem[] {
  // Rejected fields are missing here; they are reported already.
  const get: GetValue = (path) => values.get(path);
  const findings = [
    ...relations
      .filter(({ path, other }) => values.has(path) && values.has(other))
      .filter(({ path, other, holds }) => !holds(get(path), get(other)))
      .map((relation) => relationFinding(relation, rawOf)),
    ...(values.has('streams.enabled') && values.has('instagram.login') ? streamFindings(get) : []),
    ...extraProblems(values),
    ...(values.has('kafka.securityProtocol') && values.has('kafka.sasl.mechanism')
      ? [...mechanismFindings(get), ...authenticationFindings(get), ...signingKeyFindings(get)]
      : []),
    ...(textOf(get('kafka.securityProtocol'), 'SSL').endsWith('SSL')
      ? keyFindings(get, 'kafka.ssl')
      : tlsFindings(get, 'kafka.ssl', 'set KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL')),
    ...(textOf(get('schemaRegistry.url'), 'https:').startsWith('https:')
      ? keyFindings(get, 'schemaRegistry.ssl')
      : tlsFindings(get, 'schemaRegistry.ssl', 'use an https:// URL in SCHEMA_REGISTRY_URL')),
    ...fieldListProblems(values),
    ...accountProblems(values),
    ...publicContentProblems(values),
  ];
  return findings.map((one) => ({
    ...one,
    env: settings.find(({ path }) => `${one.path}.`.startsWith(`${path}.`))?.env ?? null,
  }));
}

function relationFinding(relation: Relation, rawOf: GetValue): ConfigProblem {
  const { path, other, received, expected, action } = relation;
  if (received !== undefined) return finding(path, received, expected, action);
  const limit = `${expected} (${showValue(rawOf(other), false)})`;
  return finding(path, showValue(rawOf(path), false), limit, action);
}

/** The string of a field; `otherwise` for a rejected field, which is assumed to be valid. */
function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function streamFindings(get: GetValue): readonly ConfigProblem[] {
  const login = get('instagram.login') as Login;
  const unsupported = unsupportedStreams(get('streams.enabled') as readonly string[], login);
  const expected = `streams that the API has for INSTAGRAM_LOGIN=${login}`;
  const other = login === 'facebook' ? 'instagram' : 'facebook';
  const action = `remove it from STREAMS, or set INSTAGRAM_LOGIN=${other}`;
  return unsupported.map((name) => finding('streams.enabled', name, expected, action));
}

function mechanismFindings(get: GetValue): readonly ConfigProblem[] {
  const protocol = String(get('kafka.securityProtocol'));
  const hasMechanism = isSet(get('kafka.sasl.mechanism'));
  if (protocol.startsWith('SASL_') === hasMechanism) return [];
  return [
    hasMechanism
      ? finding(
          'kafka.securityProtocol',
          `${protocol}, which has no authentication, and a SASL mechanism`,
          'SASL_SSL or SASL_PLAINTEXT',
          'set KAFKA_SECURITY_PROTOCOL=SASL_SSL, or remove KAFKA_SASL_MECHANISM',
        )
      : finding(
          'kafka.sasl.mechanism',
          `nothing, and the protocol ${protocol}, which needs authentication`,
          'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM',
          'set KAFKA_SASL_MECHANISM',
        ),
  ];
}

/** The groups of settings that mechanisms use. */
type AuthenticationKind = 'password' | 'oauthbearer' | 'awsMskIam';

/**
 * A setting of one kind of authentication; by its `method`, of one client authentication at the
 * token endpoint.
 */
interface AuthenticationField {
  readonly path: string;
  readonly kind: AuthenticationKind;
  readonly method?: 'client_secret' | 'private_key_jwt';
  readonly isOptional?: true;
}

const authenticationFields: readonly AuthenticationField[] = [
  { path: 'kafka.sasl.username', kind: 'password' },
  { path: 'kafka.sasl.password', kind: 'password' },
  { path: `${oauthbearer}.tokenEndpointUrl`, kind: 'oauthbearer' },
  { path: `${oauthbearer}.clientId`, kind: 'oauthbearer' },
  { path: `${oauthbearer}.clientSecret`, kind: 'oauthbearer', method: 'client_secret' },
  { path: `${oauthbearer}.keyLocation`, kind: 'oauthbearer', method: 'private_key_jwt' },
  ...['keyPassword', 'keyId', 'assertionAudience'].map(
    (name) =>
      ({
        path: `${oauthbearer}.${name}`,
        kind: 'oauthbearer',
        method: 'private_key_jwt',
        isOptional: true,
      }) as const,
  ),
  { path: `${oauthbearer}.scope`, kind: 'oauthbearer', isOptional: true },
  { path: `${oauthbearer}.extensions`, kind: 'oauthbearer', isOptional: true },
  { path: 'kafka.sasl.awsMskIam.region', kind: 'awsMskIam' },
  { path: 'kafka.sasl.awsMskIam.roleArn', kind: 'awsMskIam', isOptional: true },
];

function kindOf(mechanism: unknown): AuthenticationKind | undefined {
  if (mechanism === 'OAUTHBEARER') return 'oauthbearer';
  if (mechanism === 'AWS_MSK_IAM') return 'awsMskIam';
  return isSet(mechanism) ? 'password' : undefined;
}

function authenticationFindings(get: GetValue): readonly ConfigProblem[] {
  const mechanism = get('kafka.sasl.mechanism');
  const kind = kindOf(mechanism);
  const name = isSet(mechanism) ? String(mechanism) : 'not set';
  const byMechanism = `because KAFKA_SASL_MECHANISM is ${name}`;
  const authentication = get(`${oauthbearer}.clientAuthentication`);
  return authenticationFields.flatMap((field) => {
    if (field.kind !== kind) return unusedFindings(get, field, byMechanism);
    if (field.method === undefined) return missingFindings(get, field, byMechanism);
    // A rejected authentication is reported already; what it needs is unknown.
    if (typeof authentication !== 'string') return [];
    const byAuthentication = `because KAFKA_SASL_OAUTHBEARER_CLIENT_AUTHENTICATION is ${authentication}`;
    return authentication.startsWith(field.method)
      ? missingFindings(get, field, byAuthentication)
      : unusedFindings(get, field, byAuthentication);
  });
}

function unusedFindings(get: GetValue, { path }: AuthenticationField, because: string) {
  const action = 'remove it, or set the mechanism that uses it';
  return isSet(get(path)) ? [finding(path, unused, `nothing, ${because}`, action)] : [];
}

function missingFindings(
  get: GetValue,
  { path, isOptional }: AuthenticationField,
  because: string,
) {
  if (isOptional === true || get(path) !== null) return [];
  const action = 'set it, or choose another mechanism';
  return [finding(path, 'nothing', `a value, ${because}`, action)];
}
