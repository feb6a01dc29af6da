import { describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../../../src/engine/json.ts';
import { openRegistry } from '../../../src/registry/index.ts';
import { readSchema } from '../../../src/registry/schemas.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer, type RegistryScript } from '../../support/registry-server.ts';

const versions = '/subjects/test.users-value/versions';
const register = `POST ${versions}`;
const compatible: RegistryScript = {
  [`GET ${versions}`]: [200, [1]],
  [`POST /compatibility${versions}`]: [200, { is_compatible: true }],
};
const ours = JSON.parse(readSchema('users').text) as Readonly<Record<string, Json>>;
const other = { type: 'record', namespace: 'instagram', name: 'User', fields: [] };
const version = (number: number, id: unknown, schema: unknown): RegistryScript => ({
  [`GET ${versions}/${number}`]: [
    200,
    { subject: 'test.users-value', version: number, id, schema: JSON.stringify(schema, null, 2) },
  ],
});

/** Verifies the schema of users; returns its id and the requests to the registry. */
async function verify(script: RegistryScript) {
  await using server = await startRegistryServer(script);
  const registry = openRegistry(registryOptions(server.url, { mode: 'verify' }));
  await registry.prepare(noSignal);
  return { id: registry.encoder.schemaId('users'), asked: server.asked };
}

describe('prepare in mode "verify"', () => {
  test('uses the id of the registered schema and registers nothing', async () => {
    const { id, asked } = await verify({
      ...compatible,
      'POST /subjects/test.users-value': [200, { id: 7, version: 1 }],
    });

    expect(id).toBe(7);
    expect(asked).not.toContain(register);
    expect(asked).not.toContain(`GET ${versions}/1`);
  });

  test('uses the id of the newest equivalent version when the registry compares bytes', async () => {
    const { id, asked } = await verify({
      ...compatible,
      [`GET ${versions}`]: [200, [1, 2, 3]],
      ...version(3, 9, other),
      ...version(2, 8, { ...ours, doc: 'Posted by hand.' }),
      ...version(1, 7, ours),
    });

    expect(id).toBe(8);
    expect(asked).not.toContain(register);
    expect(asked).not.toContain(`GET ${versions}/1`);
  });

  test('needs only read permissions, and does not warn of a compatibility level', async () => {
    const denied = [403, { error_code: 40301, message: 'User is denied operation' }] as const;
    const script = {
      [`GET ${versions}`]: [200, [1]],
      ...version(1, 7, ours),
      [`POST /compatibility${versions}`]: denied,
      'POST /subjects/test.users-value': denied,
      'GET /config/test.users-value': denied,
      'GET /config': denied,
      'GET /mode/test.users-value': denied,
    } satisfies RegistryScript;
    await using server = await startRegistryServer(script);
    const warn = jest.fn();
    const registry = openRegistry(registryOptions(server.url, { mode: 'verify' }), {
      log: { warn },
    });
    await registry.prepare(noSignal);

    expect(registry.encoder.schemaId('users')).toBe(7);
    expect(warn).not.toHaveBeenCalled();
    expect(await registry.inspect(noSignal)).toMatchObject([{ id: 7, level: null }]);
  });

  test.each<[string, RegistryScript]>([
    ['of another schema', version(1, 7, other)],
    ['without an id', version(1, null, ours)],
    ['of another schema type', { [`GET ${versions}/1`]: [200, { id: 7, schema: 'syntax = 3' }] }],
    ['that was deleted meanwhile', { [`GET ${versions}/1`]: [404, { error_code: 40402 }] }],
  ])('stops the process when the only version is one %s', async (_name, script) => {
    await expect(verify({ ...compatible, ...script })).rejects.toMatchObject({
      code: 'registry.missing',
    });
  });

  test('stops the process and names the subject and the schema file when the schema is missing', async () => {
    await expect(verify({})).rejects.toMatchObject({
      disposition: 'stop-process',
      code: 'registry.missing',
      exitCode: 3,
      message:
        'subject "test.users-value" does not hold the schema avro/users.avsc: register it ' +
        '("instagram-kafka schemas register"), or set SCHEMA_REGISTRY_MODE=register',
    });
  });
});

describe('inspect in mode "verify"', () => {
  test('finds the equivalent version that prepare uses', async () => {
    const script = { ...compatible, ...version(1, 8, { ...ours, doc: 'Posted by hand.' }) };
    await using server = await startRegistryServer(script);
    const inspect = (mode: 'register' | 'verify') =>
      openRegistry(registryOptions(server.url, { mode })).inspect(noSignal);

    expect(await inspect('verify')).toMatchObject([{ id: 8 }]);
    // The registry compares bytes, so a start registers another version.
    expect(await inspect('register')).toMatchObject([{ id: null }]);
  });
});
