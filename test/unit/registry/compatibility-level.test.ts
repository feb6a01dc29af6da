import { describe, expect, test } from '@jest/globals';
import { isAsStrict } from '../../../src/registry/compatibility-level.ts';
import { openRegistry, type RegistryOptions } from '../../../src/registry/index.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer, type RegistryScript } from '../../support/registry-server.ts';

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

/** The warnings of `prepare`. */
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
    'subject allows incompatible schemas',
  ],
];

describe('an existing subject', () => {
  test.each<[string, RegistryScript, string | null]>([
    ['with the level NONE', { ...own('NONE'), ...all('BACKWARD') }, 'NONE'],
    ['created by another program without a level', began('acme.User'), null],
    [
      'created by another program, with NONE like all subjects,',
      { ...began('acme.User'), ...own('NONE'), ...all('NONE') },
      'NONE',
    ],
  ])('%s causes a warning', async (_name, script, level) => {
    expect(await warnings({ ...existing, ...script })).toEqual(warning(level));
  });

  test('without a level causes a warning when schemas are only verified', async () => {
    const found: RegistryScript = { 'POST /subjects/test.users-value': [200, { id: 7 }] };

    expect(await warnings({ ...existing, ...found }, { mode: 'verify' })).toEqual(warning(null));
    expect(await warnings({ ...existing, ...found, ...own('FULL') }, { mode: 'verify' })).toEqual(
      [],
    );
  });

  test('causes no warning when it has a level or receives ours', async () => {
    expect(await warnings({ ...existing, ...own('BACKWARD') })).toEqual([]);
    expect(await warnings({ ...existing, ...began('instagram.User') })).toEqual([]);
    expect(await warnings({})).toEqual([]);
  });
});

const denied = 'User is denied operation WriteCompatibility on Subject: test.users-value';
const forbidden: RegistryScript = {
  'PUT /config/test.users-value': [403, { error_code: 40301, message: denied }],
};
const applied = (compatibilityLevel: string): RegistryScript => ({
  'GET /config/test.users-value?defaultToGlobal=true': [200, { compatibilityLevel }],
});
const permit =
  'grant the login the permission to change the compatibility of this subject (Confluent: WriteCompatibility)';

describe('a start whose login may not set the compatibility level', () => {
  const notSet = (level: string | null, advice: string) => [
    [
      {
        subject: 'test.users-value',
        level,
        wanted: 'FULL_TRANSITIVE',
        reason: `PUT /config/test.users-value: HTTP 403: ${denied}`,
        advice,
      },
      'compatibility level not set',
    ],
  ];

  test('warns that the level in effect is strict enough', async () => {
    expect(await warnings({ ...forbidden, ...applied('FULL_TRANSITIVE') })).toEqual(
      notSet(
        'FULL_TRANSITIVE',
        'No action needed: the level that applies to the subject is as strict as FULL_TRANSITIVE.',
      ),
    );
  });

  test.each([
    ['BACKWARD', 'BACKWARD'],
    ['FULL', 'FULL'],
    ['NONE', 'NONE'],
  ])('warns that the level %s is weaker', async (_name, level) => {
    expect(await warnings({ ...forbidden, ...applied(level) })).toEqual(
      notSet(
        level,
        `The level that applies to the subject, ${level}, is weaker than FULL_TRANSITIVE: a change ` +
          `that some readers cannot read is accepted. Set the level of the subject, or ${permit}.`,
      ),
    );
  });

  test('reads the global level when the registry does not know defaultToGlobal', async () => {
    expect(await warnings({ ...forbidden, ...all('FULL_TRANSITIVE') })).toEqual(
      notSet(
        'FULL_TRANSITIVE',
        'No action needed: the level that applies to the subject is as strict as FULL_TRANSITIVE.',
      ),
    );
  });

  test('warns that the level is unknown when reading it is denied as well', async () => {
    const script: RegistryScript = { ...forbidden, 'GET /config': [403, { message: 'denied' }] };

    expect(await warnings(script)).toEqual(
      notSet(
        null,
        'The level that applies to the subject cannot be read, and may be weaker than ' +
          `FULL_TRANSITIVE. Set the level of the subject, or ${permit}.`,
      ),
    );
  });

  test('warns in the same way about a registry in read-only mode', async () => {
    const message = 'Subject test.users-value is in read-only mode';
    const script: RegistryScript = {
      'PUT /config/test.users-value': [422, { error_code: 42205, message }],
      ...applied('FULL_TRANSITIVE'),
    };

    expect(await warnings(script)).toMatchObject([
      [
        { reason: `PUT /config/test.users-value: HTTP 422: ${message}` },
        'compatibility level not set',
      ],
    ]);
  });

  test('fails when the login itself is rejected', async () => {
    const script: RegistryScript = { 'PUT /config/test.users-value': [401, { message: 'no' }] };

    await expect(warnings(script)).rejects.toMatchObject({ code: 'registry.unauthorized' });
  });
});

describe('isAsStrict', () => {
  test.each([
    ['FULL_TRANSITIVE', 'FULL_TRANSITIVE', true],
    ['FULL_TRANSITIVE', 'BACKWARD', true],
    ['FULL', 'FULL_TRANSITIVE', false],
    ['FULL', 'FORWARD', true],
    ['FULL', 'FORWARD_TRANSITIVE', false],
    ['BACKWARD_TRANSITIVE', 'FORWARD', false],
    ['BACKWARD_TRANSITIVE', 'BACKWARD', true],
    ['NONE', 'BACKWARD', false],
    ['BACKWARD', 'NONE', true],
  ])('compares %s with %s: %s', (level, wanted, expected) => {
    expect(isAsStrict(level, wanted)).toBe(expected);
  });
});
