import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CheckLine } from '../../../src/cli/check/checklist.ts';
import { runCommand } from '../../support/command.ts';
import { readDocumented, setAcls, type Acl } from './acls.ts';
import { password, passwordLogin, startSecuredWorld, type SecuredWorld } from './secured-world.ts';

let world: SecuredWorld;
let documented: readonly Acl[] = [];

beforeAll(async () => {
  world = await startSecuredWorld();
  documented = await readDocumented();
}, 90_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('command check on a secured cluster', () => {
  beforeEach(() => setAcls(world.admin, documented));

  /** The checks of Kafka, by id; registry and API are unreachable here. */
  const check = async (changes: Readonly<Record<string, string>>) => {
    const { url } = world.tokens;
    const others = { INSTAGRAM_ACCESS_TOKEN: 'EAAGtoken', INSTAGRAM_BASE_URL: url };
    const env = { ...world.env(changes), ...others, SCHEMA_REGISTRY_URL: url };
    const { exitCode, stdout } = await runCommand(['check', '--json'], { env });
    const { lines } = JSON.parse(stdout) as { readonly lines: readonly CheckLine[] };
    const ofKafka = lines.filter(({ id }) => id.startsWith('kafka.'));
    const said = (id: string) => ofKafka.find((line) => line.id === id);
    return { exitCode, stdout, ofKafka, said };
  };

  test('reports Kafka as ok with exactly the documented permissions', async () => {
    const { ofKafka, said, stdout } = await check(passwordLogin('SCRAM-SHA-512'));

    expect(ofKafka.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(said('kafka.tls')?.detail).toMatch(/^TLSv1\.\d, certificate of \S+, valid until \d{4}-/);
    expect(said('kafka.login')).toMatchObject({
      status: 'ok',
      detail: 'logged in with SCRAM-SHA-512',
    });
    expect(said('kafka.brokers')?.detail).toBe('can be connected to; Kafka 4.1');
    expect(stdout).not.toContain(password);
  });

  test('names the failed handshake, login or permission', async () => {
    const untrusted = { KAFKA_SSL_CA_LOCATION: world.certificates.otherCa };
    const tls = await check({ ...passwordLogin('PLAIN'), ...untrusted });
    const guessed = { KAFKA_SASL_PASSWORD: 'guessed-word' };
    const login = await check({ ...passwordLogin('PLAIN'), ...guessed });
    await setAcls(
      world.admin,
      documented.filter(({ resource }) => resource !== 'transactional-id'),
    );
    const permission = await check(passwordLogin('PLAIN'));

    expect(tls.said('kafka.tls')).toMatchObject({ status: 'failed', code: 'kafka.tls' });
    expect(tls.said('kafka.login')?.detail).toBe('needs kafka.tls');
    expect(login.said('kafka.tls')?.status).toBe('ok');
    expect(login.said('kafka.login')?.code).toBe('kafka.unauthenticated');
    expect(login.stdout).not.toContain('guessed-word');
    expect(permission.said('kafka.transactions')).toMatchObject({
      status: 'failed',
      code: 'kafka.unauthorized',
      detail: expect.stringContaining('--operation Write --transactional-id'),
    });
    expect(permission.said('kafka.brokers')?.status).toBe('ok');
    expect(permission.exitCode).toBe(3);
  });
});
