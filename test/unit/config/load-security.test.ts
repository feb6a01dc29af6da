import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { env, failure, load, problemPaths, useFolder } from './loading.ts';

const folder = useFolder();
const login = {
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  KAFKA_SASL_USERNAME: 'alice',
  KAFKA_SASL_PASSWORD: 'hush-hush',
};
const oauth = {
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
  KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: 'https://login.example/token',
  KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'me',
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: 'hush-hush',
};

const iam = {
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
  KAFKA_SASL_AWS_MSK_IAM_REGION: 'eu-central-1',
};
const keyLogin = {
  ...without(oauth, 'KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET'),
  KAFKA_SASL_OAUTHBEARER_CLIENT_AUTHENTICATION: 'private_key_jwt',
};

function without<T extends object>(from: T, name: keyof T): Partial<T> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name)) as Partial<T>;
}

describe('a login to Kafka', () => {
  test('is loaded completely, its password from a secret file', () => {
    const KAFKA_SASL_PASSWORD_FILE = folder.write('password', 'from-file\n');
    const { kafka } = load({
      env: { ...env, ...without(login, 'KAFKA_SASL_PASSWORD'), KAFKA_SASL_PASSWORD_FILE },
    });
    expect(kafka.sasl).toMatchObject({
      mechanism: 'SCRAM-SHA-512',
      username: 'alice',
      password: { text: 'from-file', file: KAFKA_SASL_PASSWORD_FILE },
    });
  });

  test('accepts extensions for OAUTHBEARER', () => {
    const KAFKA_SASL_OAUTHBEARER_EXTENSIONS = 'logicalCluster=lkc-1,identityPoolId=pool-1';
    const { kafka } = load({ env: { ...env, ...oauth, KAFKA_SASL_OAUTHBEARER_EXTENSIONS } });
    expect(kafka.sasl.oauthbearer.extensions).toEqual([
      'logicalCluster=lkc-1',
      'identityPoolId=pool-1',
    ]);
  });

  test('accepts a region and a role for AWS_MSK_IAM', () => {
    const KAFKA_SASL_AWS_MSK_IAM_ROLE_ARN = 'arn:aws:iam::123456789012:role/kafka/producer';
    const { kafka } = load({ env: { ...env, ...iam, KAFKA_SASL_AWS_MSK_IAM_ROLE_ARN } });
    expect(kafka.sasl.awsMskIam).toEqual({
      region: 'eu-central-1',
      roleArn: KAFKA_SASL_AWS_MSK_IAM_ROLE_ARN,
    });
  });

  test('reports a missing private key with the authentication that needs it', () => {
    expect(failure({ env: { ...env, ...keyLogin } }).message).toContain(
      'kafka.sasl.oauthbearer.keyLocation (KAFKA_SASL_OAUTHBEARER_KEY_LOCATION): got nothing, ' +
        'expected a value, because KAFKA_SASL_OAUTHBEARER_CLIENT_AUTHENTICATION is private_key_jwt',
    );
  });

  test('reports a missing user name in one clear error', () => {
    const error = failure({ env: { ...env, ...without(login, 'KAFKA_SASL_USERNAME') } });
    expect(error.message).toBe(
      '1 problem in the configuration:\n' +
        '- kafka.sasl.username (KAFKA_SASL_USERNAME): got nothing, expected a value, because ' +
        'KAFKA_SASL_MECHANISM is SCRAM-SHA-512; set it, or choose another mechanism',
    );
  });

  test.each<[string, object, readonly string[]]>([
    ['no password', without(login, 'KAFKA_SASL_PASSWORD'), ['kafka.sasl.password']],
    ['no mechanism', { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' }, ['kafka.sasl.mechanism']],
    ['no protocol', without(login, 'KAFKA_SECURITY_PROTOCOL'), ['kafka.securityProtocol']],
    [
      'no client id',
      without(oauth, 'KAFKA_SASL_OAUTHBEARER_CLIENT_ID'),
      ['kafka.sasl.oauthbearer.clientId'],
    ],
    [
      'a user name beside OAUTHBEARER',
      { ...oauth, KAFKA_SASL_USERNAME: 'me' },
      ['kafka.sasl.username'],
    ],
    [
      'an OAUTHBEARER scope beside a password',
      { ...login, KAFKA_SASL_OAUTHBEARER_SCOPE: 'x' },
      ['kafka.sasl.oauthbearer.scope'],
    ],
    [
      'an unknown authentication',
      { ...oauth, KAFKA_SASL_OAUTHBEARER_CLIENT_AUTHENTICATION: 'client_secret_jwt' },
      ['kafka.sasl.oauthbearer.clientAuthentication'],
    ],
    [
      'a key id of a secret',
      { ...oauth, KAFKA_SASL_OAUTHBEARER_KEY_ID: 'key-1' },
      ['kafka.sasl.oauthbearer.keyId'],
    ],
    [
      'a secret and no key of a client with a key',
      { ...keyLogin, KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: 'hush-hush' },
      ['kafka.sasl.oauthbearer.clientSecret', 'kafka.sasl.oauthbearer.keyLocation'],
    ],
    ['no region', without(iam, 'KAFKA_SASL_AWS_MSK_IAM_REGION'), ['kafka.sasl.awsMskIam.region']],
    [
      'a name in place of a region',
      { ...iam, KAFKA_SASL_AWS_MSK_IAM_REGION: 'Frankfurt' },
      ['kafka.sasl.awsMskIam.region'],
    ],
    [
      'a user in place of a role',
      { ...iam, KAFKA_SASL_AWS_MSK_IAM_ROLE_ARN: 'arn:aws:iam::123456789012:user/me' },
      ['kafka.sasl.awsMskIam.roleArn'],
    ],
    [
      'a region of a password',
      { ...login, KAFKA_SASL_AWS_MSK_IAM_REGION: 'eu-central-1' },
      ['kafka.sasl.awsMskIam.region'],
    ],
    ['a password of IAM', { ...iam, KAFKA_SASL_PASSWORD: 'hush-hush' }, ['kafka.sasl.password']],
    ['a TLS server name without TLS', { KAFKA_SSL_SERVER_NAME: 'kafka' }, ['kafka.ssl.serverName']],
    [
      'a key password without a key',
      { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_KEY_PASSWORD: 'x' },
      ['kafka.ssl.keyPassword'],
    ],
    [
      'two logins to the registry',
      {
        SCHEMA_REGISTRY_USERNAME: 'me',
        SCHEMA_REGISTRY_PASSWORD: 'x',
        SCHEMA_REGISTRY_BEARER_TOKEN: 'y',
      },
      ['schemaRegistry.bearerToken'],
    ],
    [
      'a token endpoint over plain HTTP',
      { ...oauth, KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: 'http://login.example/token' },
      ['kafka.sasl.oauthbearer.tokenEndpointUrl'],
    ],
  ])('is rejected, and its field named, when the configuration has %s', (_what, changes, paths) => {
    const error = failure({ env: { ...env, ...changes } });
    expect(error.problems.map(({ path }) => path)).toEqual(paths);
    expect(error.message).not.toContain('hush-hush');
  });
});

describe('PEM files', () => {
  let made: Certificates;
  beforeAll(async () => {
    made = await makeCertificates(folder.path(''), 'open');
  });
  const tls = (certificate: string, key: string) => ({
    KAFKA_SECURITY_PROTOCOL: 'SSL',
    KAFKA_SSL_CERTIFICATE_LOCATION: certificate,
    KAFKA_SSL_KEY_LOCATION: key,
  });

  test('are accepted when the key belongs to the certificate', () => {
    const { certificate } = made.client;
    const changes = { ...tls(certificate, made.encryptedKey), KAFKA_SSL_KEY_PASSWORD: 'open' };
    expect(load({ env: { ...env, ...changes } }).kafka.ssl).toEqual({
      caLocation: null,
      certificateLocation: certificate,
      keyLocation: made.encryptedKey,
      keyPassword: { text: 'open', file: null },
      serverName: null,
    });
  });

  test.each<[string, (made: Certificates) => object, string]>([
    [
      'another key',
      ({ client, server }) => tls(client.certificate, server.key),
      'kafka.ssl.keyLocation',
    ],
    [
      'a locked key',
      ({ client, encryptedKey }) => tls(client.certificate, encryptedKey),
      'kafka.ssl.keyLocation',
    ],
    [
      'a wrong password',
      ({ client, encryptedKey }) => ({
        ...tls(client.certificate, encryptedKey),
        KAFKA_SSL_KEY_PASSWORD: 'shut',
      }),
      'kafka.ssl.keyLocation',
    ],
    [
      'no key',
      ({ client }) => without(tls(client.certificate, ''), 'KAFKA_SSL_KEY_LOCATION'),
      'kafka.ssl.keyLocation',
    ],
    [
      'a key in place of a certificate',
      ({ client }) => tls(client.key, client.key),
      'kafka.ssl.certificateLocation',
    ],
    [
      'a missing file',
      () => ({ KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA_LOCATION: folder.path('gone') }),
      'kafka.ssl.caLocation',
    ],
    [
      'a CA for plain HTTP',
      ({ ca }) => ({ SCHEMA_REGISTRY_SSL_CA_LOCATION: ca }),
      'schemaRegistry.ssl.caLocation',
    ],
  ])(
    'are rejected, and their field named, when the configuration has %s',
    (_what, changes, path) => {
      expect(problemPaths({ env: { ...env, ...changes(made) } })).toContain(path);
    },
  );

  test.each<[string, (made: Certificates) => object, string]>([
    [
      'a truncated certificate',
      ({ client }) => tls(halfOf(client.certificate), client.key),
      '- kafka.ssl.certificateLocation (KAFKA_SSL_CERTIFICATE_LOCATION): got a certificate that ' +
        'cannot be parsed (ERR_OSSL_',
    ],
    [
      'a truncated key',
      ({ client }) => tls(client.certificate, halfOf(client.key)),
      '- kafka.ssl.keyLocation (KAFKA_SSL_KEY_LOCATION): got a private key that cannot be parsed ' +
        '(damaged, or encrypted without kafka.ssl.keyPassword), ',
    ],
    [
      'a wrong password',
      ({ client, encryptedKey }) => ({
        ...tls(client.certificate, encryptedKey),
        KAFKA_SSL_KEY_PASSWORD: 'shut',
      }),
      '- kafka.ssl.keyLocation (KAFKA_SSL_KEY_LOCATION): got a private key that cannot be parsed ' +
        '(damaged, or kafka.ssl.keyPassword is not its password), ',
    ],
  ])('are rejected, and the cause is named, when they hold %s', (_what, changes, words) => {
    const { message, problems } = failure({ env: { ...env, ...changes(made) } });
    expect(problems).toHaveLength(1);
    expect(message).toContain(words);
  });

  /** Writes the first half of a PEM file and its footer. */
  function halfOf(file: string): string {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const kept = [...lines.slice(0, Math.ceil(lines.length / 2)), ...lines.slice(-1)];
    return folder.write(`half-${basename(file)}`, kept.join('\n'));
  }

  test('of a client assertion are accepted when the algorithm fits the key', () => {
    const { encryptedKey } = made;
    const changes = {
      ...keyLogin,
      KAFKA_SASL_OAUTHBEARER_KEY_LOCATION: encryptedKey,
      KAFKA_SASL_OAUTHBEARER_KEY_PASSWORD: 'open',
      KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM: 'ES256',
    };
    expect(load({ env: { ...env, ...changes } }).kafka.sasl.oauthbearer).toMatchObject({
      keyLocation: encryptedKey,
      keyAlgorithm: 'ES256',
    });
  });

  test.each<[string, object, string]>([
    [
      'another curve',
      {
        KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM: 'ES384',
        KAFKA_SASL_OAUTHBEARER_KEY_PASSWORD: 'open',
      },
      'got a key of the type prime256v1, expected a private key on the curve secp384r1',
    ],
    [
      'RSA for another key',
      { KAFKA_SASL_OAUTHBEARER_KEY_PASSWORD: 'open' },
      'got a key of the type prime256v1, expected a private RSA key',
    ],
    [
      'no password',
      { KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM: 'ES256' },
      'got a private key that cannot be parsed (damaged, or encrypted without ' +
        'kafka.sasl.oauthbearer.keyPassword), ',
    ],
    [
      'a wrong password',
      {
        KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM: 'ES256',
        KAFKA_SASL_OAUTHBEARER_KEY_PASSWORD: 'shut',
      },
      'got a private key that cannot be parsed (damaged, or kafka.sasl.oauthbearer.keyPassword ' +
        'is not its password), ',
    ],
  ])('of a client assertion are rejected with %s', (_what, changes, words) => {
    const keyLocation = { KAFKA_SASL_OAUTHBEARER_KEY_LOCATION: made.encryptedKey };
    const { message, problems } = failure({
      env: { ...env, ...keyLogin, ...keyLocation, ...changes },
    });
    expect(problems.map(({ path }) => path)).toEqual(['kafka.sasl.oauthbearer.keyLocation']);
    expect(message).toContain(words);
  });

  test('stay hidden when a variable holds the key itself instead of its path', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----';
    const changes = { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_KEY_LOCATION: key };
    expect(failure({ env: { ...env, ...changes } }).message).not.toContain('MIGH');
  });
});

describe('INSTAGRAM_BASE_URL', () => {
  const taken = (url: string) =>
    load({ env: { ...env, INSTAGRAM_BASE_URL: url } }).instagram.baseUrl;

  test.each([
    'https://graph.facebook.com',
    'https://proxy.example:8443/graph',
    'http://127.0.0.1:8090',
    'http://localhost:8090',
    'http://[::1]:8090',
    'http://instagram:8090',
    'http://10.1.2.3:80',
    'http://graph.default.svc:80',
    'https://proxy.example/v1/graph',
  ])('accepts %s', (url) => {
    expect(taken(url)).toBe(url);
  });

  test.each([
    ['plain HTTP to the internet', 'http://graph.facebook.com'],
    ['plain HTTP to a public address', 'http://93.184.216.34'],
    ["a cloud's metadata address", 'http://169.254.169.254'],
    ["a cloud's metadata address with TLS", 'https://169.254.169.254'],
    ["a cloud's metadata address written as one number", 'http://2852039166'],
    ["a cloud's metadata address mapped to IPv6", 'http://[::ffff:169.254.169.254]'],
    ["a cloud's metadata address in IPv6", 'http://[fd00:ec2::254]'],
    ["a cloud's metadata address in IPv6 with TLS", 'https://[fd00:ec2::254]'],
    ["a cloud's metadata address in IPv6 written in full", 'http://[FD00:0EC2:0:0:0:0:0:254]'],
    ["another cloud's metadata address in IPv6", 'http://[fd20:ce::254]'],
    ["another cloud's metadata host name", 'http://metadata.google.internal'],
    ['a link-local address', 'https://[fe80::1]'],
    ['a user and a password', 'https://me:hush@graph.facebook.com'],
    ['a query', 'https://graph.facebook.com/?access_token=hush'],
    ['a fragment', 'https://graph.facebook.com/#hush'],
    ['another scheme', 'file:///etc/passwd'],
    ['a URL with the API version', 'https://graph.facebook.com/v25.0'],
    ['a URL with the API version and a slash', 'https://proxy.example/graph/v25.0/'],
  ])('rejects %s', (_what, url) => {
    const error = failure({ env: { ...env, INSTAGRAM_BASE_URL: url } });
    expect(error.problems.map(({ path }) => path)).toEqual(['instagram.baseUrl']);
    expect(error.message).not.toContain('hush');
  });
});
