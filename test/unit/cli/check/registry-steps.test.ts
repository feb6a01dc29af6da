import { describe, expect, test } from '@jest/globals';
import { registrySteps } from '../../../../src/cli/check/registry-steps.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import { openRegistry } from '../../../../src/registry/index.ts';
import { noSignal, registryOptions } from '../../../support/registry-options.ts';
import { startRegistryServer, type RegistryScript } from '../../../support/registry-server.ts';

/** The findings of `registry.schemas`. */
async function findings(script: RegistryScript) {
  await using server = await startRegistryServer(script);
  const env = {
    INSTAGRAM_ACCESS_TOKEN: 'token',
    KAFKA_BROKERS: 'a:1',
    SCHEMA_REGISTRY_URL: server.url,
  };
  const registry = openRegistry(registryOptions(server.url));
  const steps = registrySteps(loadConfig({ env, args: {} }), registry, () => Promise.resolve([]));
  return await steps.find(({ id }) => id === 'registry.schemas')?.run(noSignal);
}

describe('check: registry.schemas', () => {
  test('fails for a new schema when the registry is in read-only mode', async () => {
    const script: RegistryScript = {
      'GET /mode/test.users-value?defaultToGlobal=true': [200, { mode: 'READONLY' }],
    };

    expect(await findings(script)).toEqual([
      {
        status: 'failed',
        subject: 'test.users-value',
        detail: 'is not registered, and its mode READONLY accepts no new schema',
        action:
          'Set the mode to READWRITE, or SCHEMA_REGISTRY_URL to the registry that accepts schemas.',
        code: 'registry.rejected',
      },
    ]);
  });

  test('passes for a new schema when the registry has no modes', async () => {
    expect(await findings({})).toEqual([
      { status: 'ok', subject: 'test.users-value', detail: 'new: the start registers it' },
    ]);
  });
});
