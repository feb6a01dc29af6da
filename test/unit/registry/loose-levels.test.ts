import { describe, expect, test } from '@jest/globals';
import { openRegistry } from '../../../src/registry/open.ts';
import type { RegistryOptions } from '../../../src/registry/open.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer } from '../../support/registry-server.ts';
import type { RegistryScript } from '../../support/registry-server.ts';

const versions = '/subjects/test.users-value/versions';
const existing: RegistryScript = {
  [`GET ${versions}`]: [200, [1]],
  [`POST /compatibility${versions}`]: [200, { is_compatible: true }],
};
const began = (fullName: string): RegistryScript => {
  const schema = JSON.stringify({ type: 'record', name: fullName, fields: [] });
  return { [`GET ${versions}/1`]: [200, { schema }] };
};
const own = (compatibilityLevel: string): RegistryScript => ({
  'GET /config/test.users-value': [200, { compatibilityLevel }],
});
const all = (compatibilityLevel: string): RegistryScript => ({
  'GET /config': [200, { compatibilityLevel }],
});

/** What is warned of when it is prepared. */
async function warnings(script: RegistryScript, changes: Partial<RegistryOptions> = {}) {
  await using server = await startRegistryServer(script);
  const warned: unknown[] = [];
  const log = { warn: (...what: readonly unknown[]): void => void warned.push(what) };
  await openRegistry(registryOptions(server.url, changes), { log }).prepare(noSignal);
  return warned;
}

const warning = (level: string | null) => [
  [
    { subject: 'test.users-value', level, wanted: 'FULL_TRANSITIVE' },
    'subject may be changed at will',
  ],
];

describe('a subject that exists', () => {
  test.each<[string, RegistryScript, string | null]>([
    ['with the level NONE', { ...own('NONE'), ...all('BACKWARD') }, 'NONE'],
    ['without a level, begun by another', began('acme.User'), null],
    [
      'said to have NONE as all have, begun by another',
      { ...began('acme.User'), ...own('NONE'), ...all('NONE') },
      'NONE',
    ],
  ])('%s is warned of', async (_name, script, level) => {
    expect(await warnings({ ...existing, ...script })).toEqual(warning(level));
  });

  test('without a level is warned of also where schemas are only verified', async () => {
    const found: RegistryScript = { 'POST /subjects/test.users-value': [200, { id: 7 }] };

    expect(await warnings({ ...existing, ...found }, { mode: 'verify' })).toEqual(warning(null));
    expect(await warnings({ ...existing, ...found, ...own('FULL') }, { mode: 'verify' })).toEqual(
      [],
    );
  });

  test('with a level, or that is given ours, is not', async () => {
    expect(await warnings({ ...existing, ...own('BACKWARD') })).toEqual([]);
    expect(await warnings({ ...existing, ...began('instagram.User') })).toEqual([]);
    expect(await warnings({})).toEqual([]);
  });
});
