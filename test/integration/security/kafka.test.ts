import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { answering, startHttpServer } from '../../support/http-server.ts';
import { readCommands, readDocumented, setAcls, type Acl } from './acls.ts';
import {
  doEverything,
  failureOf,
  keyPassword,
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

const oauthLogin = (url: string) => ({
  KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
  KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: `${url}/token`,
  KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'producer',
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: 'hush',
  KAFKA_SASL_OAUTHBEARER_SCOPE: 'kafka',
});

const certificateLogin = ({ broker, certificates }: SecuredWorld) => ({
  KAFKA_BROKERS: broker.listeners['CERTIFICATE'] ?? '',
  KAFKA_SECURITY_PROTOCOL: 'SSL',
  KAFKA_SSL_CERTIFICATE_LOCATION: certificates.client.certificate,
  KAFKA_SSL_KEY_LOCATION: certificates.encryptedKey,
  KAFKA_SSL_KEY_PASSWORD: keyPassword,
});

describe('a login with exactly the documented permissions', () => {
  beforeEach(() => setAcls(world.admin, documented));

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('by %s publishes', async (mechanism) => {
    const done = doEverything(world.env(passwordLogin(mechanism)));
    await expect(done).resolves.toBeUndefined();
  });

  test('by OAUTHBEARER publishes, with one token for all its connections', async () => {
    await doEverything(world.env(oauthLogin(world.tokens.url)));
    expect(world.tokens.requests.map(({ path }) => path)).toEqual(['/token']);
  });

  test('by a client certificate publishes as its subject', async () => {
    const principal = 'User:CN=producer,O=Test';
    await setAcls(
      world.admin,
      documented.map((acl) => ({ ...acl, principal })),
    );
    await expect(doEverything(world.env(certificateLogin(world)))).resolves.toBeUndefined();
  });
});

describe('what is wrong with a connection', () => {
  test('is a login when the password is', async () => {
    const login = { ...passwordLogin('SCRAM-SHA-512'), KAFKA_SASL_PASSWORD: 'guessed-word' };
    const failure = await failureOf(world.env(login));
    expect(failure).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3 });
    expect(failure.message).toMatch(/KAFKA_SASL_PASSWORD/);
    expect(failure.message).not.toContain('guessed-word');
  });

  test('is a login when the token endpoint refuses the client', async () => {
    await using server = await startHttpServer(answering(401, { error: 'invalid_client' }));
    const failure = await failureOf(world.env(oauthLogin(server.url)));
    expect(failure).toMatchObject({ code: 'kafka.unauthenticated', exitCode: 3 });
    expect(failure.message).toMatch(/refused the client producer \(HTTP 401, invalid_client\)/);
    expect(failure.message).not.toContain('hush');
    expect(server.requests).toHaveLength(1);
  });

  test('is TLS when the authority is not trusted', async () => {
    const other = { KAFKA_SSL_CA_LOCATION: world.certificates.otherCa };
    expect(await failureOf(world.env({ ...passwordLogin('PLAIN'), ...other }))).toMatchObject({
      code: 'kafka.tls',
      exitCode: 3,
      message: expect.stringMatching(/set KAFKA_SSL_CA_LOCATION/),
    });
  });

  test('is TLS when the certificate has another name', async () => {
    const other = { KAFKA_SSL_SERVER_NAME: 'kafka.example' };
    expect(await failureOf(world.env({ ...passwordLogin('PLAIN'), ...other }))).toMatchObject({
      code: 'kafka.tls',
      exitCode: 3,
      message: expect.stringMatching(/KAFKA_SSL_SERVER_NAME/),
    });
  });

  test('is TLS when a certificate is demanded that is not given', async () => {
    const { KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL } = certificateLogin(world);
    expect(await failureOf(world.env({ KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL }))).toMatchObject({
      code: 'kafka.tls',
      exitCode: 3,
      message: expect.stringMatching(/KAFKA_SSL_CERTIFICATE_LOCATION/),
    });
  });

  test('may be TLS when the port has none', async () => {
    const wrong = { ...passwordLogin('PLAIN'), KAFKA_BROKERS: world.broker.address };
    expect(await failureOf(world.env(wrong))).toMatchObject({
      code: 'kafka.unavailable',
      message: expect.stringMatching(/and that KAFKA_SECURITY_PROTOCOL is theirs/),
    });
  });
});

describe('a permission that is missing', () => {
  const env = () => world.env(passwordLogin('SCRAM-SHA-256'));
  const is = (acl: Acl, other: Acl) => JSON.stringify(acl) === JSON.stringify(other);
  const nameOf = ({ operation, resource, name }: Acl) => `${operation} on ${resource} ${name}`;

  /** Allows what errors name, as often as one comes; gives all that was named. */
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
      ],
    ],
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
  ])('is named with the command that allows it: %s', async (missing, expected) => {
    const acls = documented.filter((acl) => acl.operation !== 'Create');
    const rest = acls.filter((acl) => nameOf(acl) !== missing);
    expect(rest).toHaveLength(acls.length - 1);
    const named = await followErrors(rest);
    expect(named.map(nameOf)).toEqual(expected);
    expect(new Set(named.map(({ principal }) => principal))).toEqual(new Set(['User:alice']));
  });

  test('is named with the command that allows it: Create, where the program makes its topics', async () => {
    await world.admin.deleteTopics({
      topics: ['instagram.media', 'instagram.users', 'instagram.state'],
    });
    const named = await followErrors(documented.filter((acl) => acl.operation !== 'Create'));
    expect(named.map(nameOf).sort()).toEqual([
      'Create on topic instagram.media',
      'Create on topic instagram.state',
      'Create on topic instagram.users',
    ]);
  });

  test('leaves none of the documented ones out that the tests above do not try', () => {
    expect(documented).toHaveLength(6);
    expect(
      documented.filter((acl) => documented.some((other) => acl !== other && is(acl, other))),
    ).toEqual([]);
  });
});
