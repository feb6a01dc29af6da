import { describe, expect, test } from '@jest/globals';
import { openRegistry } from '../../../src/registry/index.ts';
import { readSchema } from '../../../src/registry/schemas.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import {
  startRegistryServer,
  type RegistryReply,
  type RegistryScript,
} from '../../support/registry-server.ts';

const versions = '/subjects/test.users-value/versions';
const register = `POST ${versions}`;
const rejection = (status: number, code: number, message: string): RegistryReply => [
  status,
  { error_code: code, message },
];

/** Prepares against a registry with that script; returns the id of the schema of users. */
async function prepare(script: RegistryScript) {
  await using server = await startRegistryServer(script);
  const registry = openRegistry(registryOptions(server.url));
  await registry.prepare(noSignal);
  return registry.encoder.schemaId('users');
}

const advice =
  'Nothing was published. Allow writing again (PUT /mode with READWRITE, in Confluent and Redpanda), ' +
  'or set SCHEMA_REGISTRY_URL to the registry that accepts schemas; if that one is mirrored here, ' +
  'register there with "instagram-kafka schemas register"';

describe('a registry that accepts no new schema', () => {
  test.each([
    ['READONLY of Confluent', 422, 42205, 'Subject test.users-value is in read-only mode'],
    ['IMPORT of Confluent', 422, 42205, 'Subject test.users-value is not in read-write mode'],
    [
      'the read-only storage of Apicurio',
      409,
      409,
      'Unsupported write operation. Storage is in read-only mode.',
    ],
  ])("stops the process with the registry's own message: %s", async (...row) => {
    const [, status, code, message] = row;
    const rejected = prepare({ [register]: rejection(status, code, message) });

    await expect(rejected).rejects.toMatchObject({
      disposition: 'stop-process',
      code: 'registry.rejected',
      exitCode: 3,
      message: expect.stringMatching(
        /^the schema registry at http:\/\/127\.0\.0\.1:\d+ does not accept the schema avro\/users\.avsc for subject "test\.users-value" /,
      ),
    });
    await expect(rejected).rejects.toThrow(`(HTTP ${status}: ${message}). ${advice}`);
  });

  test('is sufficient when it already has the schema', async () => {
    const id = prepare({
      [register]: rejection(422, 42205, 'Subject test.users-value is in read-only mode'),
      'POST /subjects/test.users-value': [200, { id: 7 }],
    });

    await expect(id).resolves.toBe(7);
  });

  test('is sufficient when it already has an equivalent schema', async () => {
    const schema = JSON.stringify(JSON.parse(readSchema('users').text), null, 2);
    const id = prepare({
      [register]: rejection(422, 42205, 'Subject test.users-value is in read-only mode'),
      [`GET ${versions}`]: [200, [4]],
      [`POST /compatibility${versions}`]: [200, { is_compatible: true }],
      [`GET ${versions}/4`]: [200, { id: 8, schema }],
    });

    await expect(id).resolves.toBe(8);
  });
});

describe('a registry that rejects a schema', () => {
  test("stops the process with the registry's own message", async () => {
    const rejected = prepare({ [register]: rejection(422, 42201, 'Invalid schema: no such type') });

    await expect(rejected).rejects.toMatchObject({ code: 'registry.rejected', exitCode: 3 });
    await expect(rejected).rejects.toThrow(
      '(HTTP 422: Invalid schema: no such type). Nothing was published. Correct what the registry names, ',
    );
  });

  test.each<[string, RegistryReply]>([
    ['HTTP 408', rejection(408, 40801, 'timed out')],
    ['HTTP 429', rejection(429, 42901, 'slow down')],
    ['HTTP 404 without words of a registry', [404, {}]],
  ])('causes a retry when it answers %s', async (_name, reply) => {
    await expect(prepare({ [register]: reply })).rejects.toMatchObject({
      disposition: 'retry',
      code: 'registry.unavailable',
    });
  });
});

describe('inspect', () => {
  const inspect = async (script: RegistryScript) => {
    await using server = await startRegistryServer(script);
    const findings = await openRegistry(registryOptions(server.url)).inspect(noSignal);
    return { findings, asked: server.asked };
  };
  const mode = 'GET /mode/test.users-value?defaultToGlobal=true';

  test.each<[string, RegistryReply, string | null]>([
    ['READONLY', [200, { mode: 'READONLY' }], 'READONLY'],
    ['READWRITE', [200, { mode: 'READWRITE' }], 'READWRITE'],
    ['null when the registry has no modes', [404, { error_code: 404 }], null],
    ['null when the mode may not be read', [403, { message: 'denied' }], null],
  ])('reports the mode of a subject whose schema is new: %s', async (_name, reply, expected) => {
    const { findings } = await inspect({ [mode]: reply });

    expect(findings).toMatchObject([{ id: null, mode: expected }]);
  });

  test('finds the equivalent schema that a start uses in READONLY mode', async () => {
    const schema = JSON.stringify(JSON.parse(readSchema('users').text), null, 2);
    const { findings } = await inspect({
      [mode]: [200, { mode: 'READONLY' }],
      [`GET ${versions}`]: [200, [4]],
      [`POST /compatibility${versions}`]: [200, { is_compatible: true }],
      [`GET ${versions}/4`]: [200, { id: 8, schema }],
    });

    expect(findings).toMatchObject([{ id: 8, mode: 'READONLY' }]);
  });

  test('does not read the mode of a subject whose schema is registered', async () => {
    const { findings, asked } = await inspect({
      'POST /subjects/test.users-value': [200, { id: 7 }],
    });

    expect(findings).toMatchObject([{ id: 7, mode: null }]);
    expect(asked).not.toContain('GET /mode/test.users-value');
  });
});
