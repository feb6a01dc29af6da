import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config/load.ts';
import { isClassifiedError } from '../../../src/engine/errors.ts';
import { registryAccess } from '../../../src/credentials.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { createRegistryWorld, type RegistryWorld } from '../../support/registry-world.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { openGate, type Demand } from './registry-gate.ts';

const keyPassword = 'key-pass';
let folder = '';
let certificates: Certificates;
let world: RegistryWorld;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-'));
  certificates = await makeCertificates(folder, keyPassword);
  world = await createRegistryWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const gateFor = (demand: Demand) => openGate(world.url, certificates, demand);

/** Registers a schema and reads one back, with only the settings. */
async function use(url: string, changes: Readonly<Record<string, string>>) {
  const env = {
    INSTAGRAM_ACCESS_TOKEN: 'token',
    KAFKA_BROKERS: 'a:1',
    SCHEMA_REGISTRY_URL: url,
    SCHEMA_REGISTRY_SSL_CA_LOCATION: certificates.ca,
    ...changes,
  };
  const { schemaRegistry } = loadConfig({ env, args: {} });
  const access = registryAccess(schemaRegistry, () => undefined);
  const { topicTemplate } = registryOptions(url);
  const registry = world.open({ ...access, topicTemplate: `${topicTemplate}-${Date.now()}` });
  await registry.prepare(noSignal);
  return registry.encoder.schemaId('users');
}

async function failureOf(url: string, changes: Readonly<Record<string, string>>) {
  const error: unknown = await use(url, changes).catch((reason: unknown) => reason);
  if (!isClassifiedError(error)) throw error;
  return error;
}

const basic = `Basic ${Buffer.from('me:p/ss').toString('base64')}`;

describe('registry behind TLS', () => {
  test('accepts a user and a password', async () => {
    await using gate = await gateFor({ authorization: basic });
    const login = { SCHEMA_REGISTRY_USERNAME: 'me', SCHEMA_REGISTRY_PASSWORD: 'p/ss' };
    await expect(use(gate.url, login)).resolves.toEqual(expect.any(Number));
    const wrong = await failureOf(gate.url, { ...login, SCHEMA_REGISTRY_PASSWORD: 'guessed' });
    expect(wrong).toMatchObject({
      code: 'registry.unauthorized',
      exitCode: 3,
      message: expect.stringMatching(/check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD/),
    });
  });

  test('accepts a token', async () => {
    await using gate = await gateFor({ authorization: 'Bearer t0ken' });
    const token = { SCHEMA_REGISTRY_BEARER_TOKEN: 't0ken' };
    await expect(use(gate.url, token)).resolves.toEqual(expect.any(Number));
    expect(await failureOf(gate.url, {})).toMatchObject({
      code: 'registry.unauthorized',
      message: expect.stringMatching(/set SCHEMA_REGISTRY_USERNAME/),
    });
  });

  test('accepts a client certificate', async () => {
    await using gate = await gateFor({ certificate: true });
    const certificate = {
      SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION: certificates.client.certificate,
      SCHEMA_REGISTRY_SSL_KEY_LOCATION: certificates.encryptedKey,
      SCHEMA_REGISTRY_SSL_KEY_PASSWORD: keyPassword,
    };
    await expect(use(gate.url, certificate)).resolves.toEqual(expect.any(Number));
    expect(await failureOf(gate.url, {})).toMatchObject({
      code: 'registry.tls',
      exitCode: 3,
      message: expect.stringMatching(/SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION/),
    });
  });

  test('is rejected when another authority signed its certificate', async () => {
    await using gate = await gateFor({});
    const other = { SCHEMA_REGISTRY_SSL_CA_LOCATION: certificates.otherCa };
    expect(await failureOf(gate.url, other)).toMatchObject({
      code: 'registry.tls',
      exitCode: 3,
      message: expect.stringMatching(/set SCHEMA_REGISTRY_SSL_CA_LOCATION/),
    });
  });
});
