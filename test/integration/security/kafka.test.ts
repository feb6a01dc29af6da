import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startCluster } from '../../../sandbox/cluster/start.ts';
import { startGraphApi } from '../../../sandbox/graph-api/server.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { settings } from '../../../src/config/schema.ts';
import { answering, startHttpServer } from '../../support/http-server.ts';
import { readCommands, readDocumented, setAcls, topicReadsBy, type Acl } from './acls.ts';
import { collect, leaksIn, readRecords, startTalkativeApi } from './leaks.ts';
import { openGate } from './registry-gate.ts';
import {
  doEverything,
  failureOf,
  keyLogin,
  keyPassword,
  oauthLogin,
  password,
  passwordLogin,
  startSecuredWorld,
  type SecuredWorld,
} from './secured-world.ts';

let world: SecuredWorld;
let documented: readonly Acl[] = [];

beforeAll(async () => {
  world = await startSecuredWorld();
  documented = await readDocumented();
}, 90_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const certificateLogin = ({ broker, certificates }: SecuredWorld) => ({
  KAFKA_BROKERS: broker.listeners['CERTIFICATE'] ?? '',
  KAFKA_SECURITY_PROTOCOL: 'SSL',
  KAFKA_SSL_CERTIFICATE_LOCATION: certificates.client.certificate,
  KAFKA_SSL_KEY_LOCATION: certificates.encryptedKey,
  KAFKA_SSL_KEY_PASSWORD: keyPassword,
});

describe('login with exactly the documented permissions', () => {
  beforeEach(() => setAcls(world.admin, documented));

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('publishes with %s', async (mechanism) => {
    const done = doEverything(world.env(passwordLogin(mechanism)));
    await expect(done).resolves.toBeUndefined();
  });

  test('publishes with OAUTHBEARER, with one token for all its connections', async () => {
    await doEverything(world.env(oauthLogin(world.tokens.url)));
    expect(world.tokens.requests.map(({ path }) => path)).toEqual(['/token']);
  });

  test('publishes with OAUTHBEARER, with a token that a private key requested', async () => {
    await doEverything(world.env(keyLogin(world.tokens.url, world.certificates.encryptedKey)));
    expect(world.tokens.requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  test('publishes with a client certificate as the subject of the certificate', async () => {
    const principal = 'User:CN=producer,O=Test';
    await setAcls(
      world.admin,
      documented.map((acl) => ({ ...acl, principal })),
    );
    await expect(doEverything(world.env(certificateLogin(world)))).resolves.toBeUndefined();
  });
});

describe('connection error of Kafka', () => {
  test('names the password when the password is wrong', async () => {
    const login = { ...passwordLogin('SCRAM-SHA-512'), KAFKA_SASL_PASSWORD: 'guessed-word' };
    const failure = await failureOf(world.env(login));
    expect(failure).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3 });
    expect(failure.message).toMatch(/KAFKA_SASL_PASSWORD/);
    expect(failure.message).not.toContain('guessed-word');
  });

  test('names the client when the token endpoint rejects the client', async () => {
    await using server = await startHttpServer(answering(401, { error: 'invalid_client' }));
    const failure = await failureOf(world.env(oauthLogin(server.url)));
    expect(failure).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3 });
    expect(failure.message).toMatch(/refused the client producer \(HTTP 401, invalid_client\)/);
    expect(failure.message).not.toContain('hush');
    expect(server.requests).toHaveLength(1);
  });

  test('names the scope when the broker rejects the token of the endpoint', async () => {
    await using server = await startHttpServer(answering(200, { access_token: 'no-jwt' }));
    const failure = await failureOf(world.env(oauthLogin(server.url)));
    expect(failure).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3 });
    expect(failure.message).toMatch(
      /the broker rejects the token: \{"status":"invalid_token"\}\. Check KAFKA_SASL_OAUTHBEARER_SCOPE/,
    );
    expect(failure.message).not.toContain('no-jwt');
  });

  test('names the region when a broker rejects a token of IAM', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'hush';
    try {
      const login = {
        KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
        KAFKA_SASL_AWS_MSK_IAM_REGION: 'eu-west-1',
      };
      const failure = await failureOf(world.env(login));
      expect(failure).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3 });
      // Kafka's validator knows JWTs only.
      expect(failure.message).toMatch(
        /the broker rejects the token: \{"status":"invalid_token"\}\. Check KAFKA_SASL_AWS_MSK_IAM_REGION/,
      );
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }
  });

  test('names KAFKA_SSL_CA_LOCATION when the authority is not trusted', async () => {
    const other = { KAFKA_SSL_CA_LOCATION: world.certificates.otherCa };
    expect(await failureOf(world.env({ ...passwordLogin('PLAIN'), ...other }))).toMatchObject({
      code: 'kafka.tls',
      exitCode: 3,
      message: expect.stringMatching(/set KAFKA_SSL_CA_LOCATION/),
    });
  });

  test('names KAFKA_SSL_SERVER_NAME when the certificate has another name', async () => {
    const other = { KAFKA_SSL_SERVER_NAME: 'kafka.example' };
    expect(await failureOf(world.env({ ...passwordLogin('PLAIN'), ...other }))).toMatchObject({
      code: 'kafka.tls',
      exitCode: 3,
      message: expect.stringMatching(/KAFKA_SSL_SERVER_NAME/),
    });
  });

  test('names KAFKA_SSL_CERTIFICATE_LOCATION when the broker requires a client certificate', async () => {
    const { KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL } = certificateLogin(world);
    expect(await failureOf(world.env({ KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL }))).toMatchObject({
      code: 'kafka.tls',
      exitCode: 3,
      message: expect.stringMatching(/KAFKA_SSL_CERTIFICATE_LOCATION/),
    });
  });

  test('names KAFKA_SECURITY_PROTOCOL when the port has no TLS', async () => {
    const wrong = { ...passwordLogin('PLAIN'), KAFKA_BROKERS: world.broker.address };
    expect(await failureOf(world.env(wrong))).toMatchObject({
      code: 'kafka.unavailable',
      message: expect.stringMatching(/and that KAFKA_SECURITY_PROTOCOL is theirs/),
    });
  });
});

describe('missing Kafka permission', () => {
  const env = () => world.env(passwordLogin('SCRAM-SHA-256'));
  const is = (acl: Acl, other: Acl) => JSON.stringify(acl) === JSON.stringify(other);
  const nameOf = ({ operation, resource, name }: Acl) => `${operation} on ${resource} ${name}`;

  /** Grants the permission of each error until the program works; returns all granted ones. */
  async function followErrors(acls: readonly Acl[]): Promise<readonly Acl[]> {
    const named: Acl[] = [];
    for (let round = 1; round <= 4; round += 1) {
      await setAcls(world.admin, [...acls, ...named]);
      const failure = await doEverything(env()).catch((error: unknown) => error as Error);
      if (failure === undefined) return named;
      expect(failure).toMatchObject({ code: 'kafka.unauthorized', exitCode: 3 });
      const commands = readCommands(failure.message);
      expect(commands.length).toBeGreaterThan(0);
      named.push(...commands);
    }
    throw new Error(`not enough: ${named.map(nameOf).join(', ')}`);
  }

  test.each([
    [
      'Write on topic instagram.',
      [
        'Write on topic instagram.media',
        'Write on topic instagram.users',
        'Write on topic instagram.state',
        'Write on topic instagram.notifications',
      ],
    ],
    ['Read on topic instagram.notifications', ['Read on topic instagram.notifications']],
    ['Read on topic instagram.state', ['Read on topic instagram.state']],
    ['DescribeConfigs on topic instagram.state', ['DescribeConfigs on topic instagram.state']],
    [
      'Write on transactional-id instagram-kafka-producer-',
      ['Write on transactional-id instagram-kafka-producer-'],
    ],
    [
      'Read on group instagram-kafka-producer-',
      [
        'Read on group instagram-kafka-producer-instances',
        'Read on group instagram-kafka-producer-',
      ],
    ],
  ])('is named with the command that grants it: %s', async (missing, expected) => {
    const acls = documented.filter((acl) => acl.operation !== 'Create');
    const rest = acls.filter((acl) => nameOf(acl) !== missing);
    expect(rest).toHaveLength(acls.length - 1);
    const named = await followErrors(rest);
    expect(named.map(nameOf)).toEqual(expected);
    expect(new Set(named.map(({ principal }) => principal))).toEqual(new Set(['User:alice']));
  });

  test('is named with the command that grants it: Create, when the program creates its topics', async () => {
    await world.admin.deleteTopics({
      topics: ['media', 'users', 'state', 'notifications'].map((role) => `instagram.${role}`),
    });
    const named = await followErrors(documented.filter((acl) => acl.operation !== 'Create'));
    expect(named.map(nameOf).sort()).toEqual([
      'Create on topic instagram.media',
      'Create on topic instagram.notifications',
      'Create on topic instagram.state',
      'Create on topic instagram.users',
    ]);
  });

  test('is tested above for each of the documented permissions', () => {
    expect(documented).toHaveLength(7);
    expect(
      documented.filter((acl) => documented.some((other) => acl !== other && is(acl, other))),
    ).toEqual([]);
  });
});

describe('redaction of the configured secrets', () => {
  const token = 'Tok.3n/of+the=Api~0123456789';
  const secrets = {
    'the token': token,
    'the SASL password': password,
    'the password of the key': 'Key/pass+w0rd=1',
    "the registry's password": 'Reg/pass+w0rd=2',
    "the registry's token": 'Reg/t0ken+bearer=3',
    "the client's secret": 'Cli/secret+w0rd=4',
    "the password of the client's key": 'Sign/key+w0rd=7',
    "the app's secret": 'App/secret+w0rd=5',
    'the token of the HTTP server': 'Http/t0ken+w0rd=6',
    'the key of the hashes': 'Hash/key+of=32.characters-or-more',
    'the path of the webhook': 'Hook/path-w0rd=8',
    'the key of the webhook': 'Hook/key+w0rd=9.',
    'the verify token of webhooks': 'Verify/t0ken+word=10',
  };
  const registryLogin = {
    SCHEMA_REGISTRY_USERNAME: 'me',
    SCHEMA_REGISTRY_PASSWORD: secrets["the registry's password"],
  };

  async function surroundings(stack: AsyncDisposableStack) {
    const cluster = stack.use(await startCluster());
    const api = createWorld({
      seed: 3,
      accounts: 2,
      mediaPerAccount: 3,
      storiesPerAccount: 1,
      insightsDays: 2,
    });
    api.tokens.set(token, api.tokens.find(api.token) ?? {});
    api.app.clientSecret = secrets["the app's secret"];
    const simulator = stack.use(await startGraphApi({ world: api }));
    const spoken = { token, appSecret: api.app.clientSecret };
    const talkative = stack.use(await startTalkativeApi(simulator.url, spoken));
    const webhook = stack.use(await startHttpServer(answering(503, 'away')));
    const pair = Buffer.from(`me:${registryLogin.SCHEMA_REGISTRY_PASSWORD}`).toString('base64');
    const demand = { authorization: `Basic ${pair}` };
    const gate = stack.use(await openGate(cluster.registryUrl, world.certificates, demand));
    return world.env({
      ...passwordLogin('SCRAM-SHA-256'),
      ...registryLogin,
      SCHEMA_REGISTRY_URL: gate.url,
      SCHEMA_REGISTRY_SSL_CA_LOCATION: world.certificates.ca,
      INSTAGRAM_ACCESS_TOKEN: token,
      INSTAGRAM_CLIENT_ID: api.app.clientId,
      INSTAGRAM_CLIENT_SECRET: api.app.clientSecret,
      INSTAGRAM_BASE_URL: talkative.url,
      HTTP_TOKEN: secrets['the token of the HTTP server'],
      FIELDS_HASH_SECRET: secrets['the key of the hashes'],
      NOTIFICATIONS_WEBHOOK_URL: `${webhook.url}/${secrets['the path of the webhook']}`,
      NOTIFICATIONS_WEBHOOK_SECRET: secrets['the key of the webhook'],
      WEBHOOK_RECEIVER_VERIFY_TOKEN: secrets['the verify token of webhooks'],
      STREAM_USERS_HASH: 'username',
      KAFKA_TOPIC_TEMPLATE: 'instagram.leaks.{stream}',
      POLLING_MAX_ATTEMPTS: '2',
      POLLING_RETRY_BASE: '10ms',
      STREAMS: 'users,media,stories,user_insights',
      STREAM_USERS_INTERVAL: '1s',
    });
  }

  test('holds while the program polls an API that repeats secrets in its answers', async () => {
    await using stack = new AsyncDisposableStack();
    const env = await surroundings(stack);
    await setAcls(world.admin, [...documented, ...topicReadsBy('instagram.leaks')]);
    const count = (lines: readonly string[], word: string) =>
      lines.filter((line) => line.includes(`"msg":"${word}"`)).length;
    const written = await collect(
      'run',
      env,
      (lines) =>
        count(lines, 'poll finished') >= 2 &&
        count(lines, 'poll given up') >= 6 &&
        count(lines, 'notifications not delivered') > 0,
    );

    const roles = ['users', 'state', 'dead-letters', 'notifications'];
    const topics = roles.map((role) => `instagram.leaks.${role}`);
    const records = await readRecords(world.broker.address, topics);
    // The program must have run: a program that does nothing leaks nothing.
    expect(Object.values(records).map((text) => text.length > 100)).toEqual(roles.map(() => true));
    expect(Object.values(written.texts).map((text) => text.length > 100)).toEqual(
      Object.keys(written.texts).map((place) => place !== 'stderr'),
    );
    expect(leaksIn({ ...written, texts: { ...written.texts, ...records } }, secrets)).toEqual([]);
  });

  test('holds when the credentials are rejected', async () => {
    await using stack = new AsyncDisposableStack();
    const env = await surroundings(stack);
    await using refusing = await startHttpServer(answering(401, { error: 'invalid_client' }));
    const wrongs = [
      { KAFKA_SASL_USERNAME: 'bob' },
      { KAFKA_SSL_CA_LOCATION: world.certificates.otherCa },
      { SCHEMA_REGISTRY_USERNAME: 'you' },
      { SCHEMA_REGISTRY_BEARER_TOKEN: secrets["the registry's token"] },
      {
        ...oauthLogin(refusing.url),
        KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: secrets["the client's secret"],
      },
      { KAFKA_SSL_KEY_PASSWORD: secrets['the password of the key'] },
      {
        ...keyLogin(refusing.url, world.certificates.encryptedKey),
        KAFKA_SASL_OAUTHBEARER_KEY_PASSWORD: secrets["the password of the client's key"],
      },
    ];
    const runs = wrongs.map((wrong) => {
      const replaced = [
        ...('KAFKA_SASL_MECHANISM' in wrong ? ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] : []),
        ...('SCHEMA_REGISTRY_BEARER_TOKEN' in wrong ? Object.keys(registryLogin) : []),
      ];
      const kept = Object.entries(env).filter(([name]) => !replaced.includes(name));
      const whole = { ...Object.fromEntries(kept), ...wrong, POLLING_ONCE_TIMEOUT: '2s' };
      return collect('once', whole);
    });
    const written = await Promise.all(runs);
    expect(written.flatMap((one) => leaksIn(one, secrets))).toEqual([]);
    expect(written.map(({ code }) => code)).toEqual([3, 3, 3, 3, 3, 2, 2]);
  });

  test('is tested for every secret of the configuration', () => {
    expect(settings.filter(({ format }) => format.secret)).toHaveLength(
      Object.keys(secrets).length + 1,
    );
  });
});
