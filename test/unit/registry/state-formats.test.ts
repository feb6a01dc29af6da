import { describe, expect, test } from '@jest/globals';
import { openRegistry } from '../../../src/registry/open.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer } from '../../support/registry-server.ts';
import type { RegistryScript } from '../../support/registry-server.ts';
import {
  decode,
  golden,
  goldenOfFormat2,
  goldenOfFormat3,
  goldenOfFormat4,
  refusingOfFormat3,
  schema2,
  schema3,
  state,
} from './golden-states.ts';

describe('the formats of states', () => {
  test('writes byte 0, the schema id and the Avro body', async () => {
    await using server = await startRegistryServer({}, 258);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;

    expect(stateCodec.encode(state).toString('hex')).toBe(goldenOfFormat4);
  });

  test('reads format 1 (Invariant 2)', async () => {
    expect(await decode(golden)).toEqual(state);
  });

  test('reads format 2 (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema2 }] };

    expect(await decode(goldenOfFormat2, script)).toEqual(state);
  });

  test('reads format 3, whose refusals miss nothing (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema3 }] };

    expect(await decode(goldenOfFormat3, script)).toEqual(state);
    expect(await decode(refusingOfFormat3, script)).toEqual({
      ...state,
      refusals: [{ subject: '*', metric: 'views', reason: 'graph.gone', untilMs: null }],
    });
  });
});
