import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { startSecuredBroker, type SecuredBroker } from '../../../sandbox/cluster/secured-broker.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { isClassifiedError } from '../../../src/engine/errors.ts';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import { kafkaSecurity } from '../../../src/credentials.ts';
import { openKafka, type KafkaAdapter } from '../../../src/kafka/index.ts';
import { answering, startHttpServer, type HttpServer } from '../../support/http-server.ts';
import { jsonStateCodec } from '../../support/json-state-codec.ts';
import { mediaBatch, mediaRecord, noSignal, restoreAll } from '../../support/kafka-world.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { usualShutdown } from '../../support/shutdown.ts';

/** Contains no character that a JAAS file would have to quote. */
export const password = 'sasl-pass/word+1';
export const keyPassword = 'key-pass';

/** A broker with TLS, every login and an authorizer that grants nothing except to its administrator. */
export interface SecuredWorld extends AsyncDisposable {
  readonly broker: SecuredBroker;
  readonly admin: Admin;
  readonly certificates: Certificates;
  /** The token endpoint; `requests` counts its calls. */
  readonly tokens: HttpServer;
  /** The settings of a login of `alice`, with changes. */
  env(changes?: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
}

/** The lifetime of a login at the listener RELOGIN, in milliseconds. */
export const sessionMs = 5000;

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required';
/** The server's configuration of a login mechanism. */
const modules = {
  PLAIN: `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="${password}"`,
  'SCRAM-SHA-256': scram,
  'SCRAM-SHA-512': scram,
  OAUTHBEARER:
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"',
} as const;

function settingsOf({ server, ca }: Certificates): Record<string, string> {
  const logins = ['login', 'relogin'].flatMap((listener) => [
    [`listener.name.${listener}.sasl.enabled.mechanisms`, mechanisms.join()],
    ...mechanisms.map((mechanism) => [
      `listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`,
      `${modules[mechanism]};`,
    ]),
  ]);
  const sessions = mechanisms.map((mechanism) => [
    `listener.name.relogin.${mechanism.toLowerCase()}.connections.max.reauth.ms`,
    String(sessionMs),
  ]);
  return {
    ...(Object.fromEntries([...logins, ...sessions]) as Record<string, string>),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': server.both,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    'listener.name.certificate.ssl.client.auth': 'required',
  };
}

/** A JWT without a signature, which a broker accepts by default. */
function tokenOf(subject: string): string {
  const nowS = Math.floor(Date.now() / 1000);
  const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: nowS, exp: nowS + 600 })}.`;
}

/** Starts the broker. */
export async function startSecuredWorld(): Promise<SecuredWorld> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'security-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const certificates = await makeCertificates(folder, keyPassword);
  const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
    (mechanism) => `${mechanism}=[name=alice,password=${password}]`,
  );
  const listeners = [
    { name: 'LOGIN', protocol: 'SASL_SSL' },
    { name: 'RELOGIN', protocol: 'SASL_SSL' },
    { name: 'CERTIFICATE', protocol: 'SSL' },
  ] as const;
  const broker = stack.use(
    await startSecuredBroker(listeners, { settings: settingsOf(certificates), scram: users }),
  );
  const token = { access_token: tokenOf('alice'), expires_in: 600, token_type: 'Bearer' };
  const tokens = stack.use(await startHttpServer(answering(200, token)));
  const admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  const owned = stack.move();
  return {
    broker,
    admin,
    certificates,
    tokens,
    env: (changes = {}) => ({
      INSTAGRAM_ACCESS_TOKEN: 'token',
      SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
      KAFKA_BROKERS: broker.listeners['LOGIN'] ?? '',
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_SSL_CA_LOCATION: certificates.ca,
      KAFKA_TOPICS_STATE_PARTITIONS: '2',
      KAFKA_TOPICS_PARTITIONS: '1',
      KAFKA_CONNECTION_TIMEOUT: '2s',
      KAFKA_SEND_DEADLINE: '4s',
      ...changes,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The login of `alice` by her password. */
export function passwordLogin(mechanism: string): Readonly<Record<string, string>> {
  return {
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: 'alice',
    KAFKA_SASL_PASSWORD: password,
  };
}

/** The login of `alice` by a token from this server. */
export function oauthLogin(url: string): Readonly<Record<string, string>> {
  return {
    KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: `${url}/token`,
    KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'producer',
    KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: 'hush',
    KAFKA_SASL_OAUTHBEARER_SCOPE: 'kafka',
  };
}

/** The same login, with a key in place of the secret. */
export function keyLogin(url: string, key: string): Readonly<Record<string, string>> {
  return {
    KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: `${url}/token`,
    KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'producer',
    KAFKA_SASL_OAUTHBEARER_CLIENT_AUTHENTICATION: 'private_key_jwt',
    KAFKA_SASL_OAUTHBEARER_KEY_LOCATION: key,
    KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM: 'ES256',
    KAFKA_SASL_OAUTHBEARER_KEY_PASSWORD: keyPassword,
  };
}

/** Opens Kafka as the program does. */
function openSecured(env: Readonly<Record<string, string>>): KafkaAdapter {
  const { kafka } = loadConfig({ env, args: {} });
  const roles: readonly TopicRole[] = ['media', 'users', 'state'];
  const security = kafkaSecurity(kafka, () => undefined);
  return openKafka(
    {
      ...kafka,
      security,
      instance: 'test',
      roles,
      compacted: ['media'],
      topicSettings: {},
      eventTimed: [],
    },
    {
      codec: jsonStateCodec,
      telemetry: { report: () => undefined },
      log: () => undefined,
      shutdown: usualShutdown,
    },
  );
}

let sequence = 0;

/** Uses Kafka as the program does, once: topics, group, states, a transaction. Closes all clients. */
export async function doEverything(env: Readonly<Record<string, string>>): Promise<void> {
  await whileOpen(env, async (publish) => {
    sequence += 1;
    await publish(sequence);
  });
}

/** Opens Kafka, joins the group and restores, lets `work` publish numbered batches, and closes Kafka. */
export async function whileOpen(
  env: Readonly<Record<string, string>>,
  work: (publish: (sequence: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  await using kafka = openSecured(env);
  await kafka.prepareTopics(noSignal);
  const stop = new AbortController();
  const given = Promise.withResolvers<undefined>();
  const joining = kafka.group.join(() => {
    given.resolve(undefined);
  }, stop.signal);
  try {
    await Promise.race([given.promise, joining]);
    await restoreAll(kafka);
    await notifyIn(kafka);
    await work((number) => {
      const records = [
        mediaRecord(`media-${number}`),
        { ...mediaRecord('user'), role: 'users' as const },
      ];
      return kafka.publisher.publish(mediaBatch('17841', number, records), noSignal);
    });
  } finally {
    stop.abort();
    await joining.catch(() => undefined);
  }
}

/** Writes a notification and reads it back. */
async function notifyIn({ notifications }: KafkaAdapter): Promise<void> {
  const record = { key: 'token-rejected/default', value: Buffer.from('revoked') };
  await notifications.prepare(noSignal);
  await notifications.append([record], noSignal);
  await notifications.read(noSignal);
}

/** The error with which `doEverything` fails. */
export async function failureOf(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: string; readonly message: string; readonly exitCode: unknown }> {
  try {
    await doEverything(env);
  } catch (error) {
    if (!isClassifiedError(error)) throw error;
    const exitCode = 'exitCode' in error ? error.exitCode : undefined;
    return { code: error.code, message: error.message, exitCode };
  }
  throw new Error('all went well');
}
