import { describe, expect, test } from '@jest/globals';
import type { StopProcessError } from '../../../src/engine/errors.ts';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import { openRegistry, type RegistryOptions } from '../../../src/registry/index.ts';
import { readKeySchema, readSchema } from '../../../src/registry/schemas.ts';
import { subjectSchema, withoutOldSchema } from '../../../src/registry/subjects.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import {
  startRegistryServer,
  type RegistryReply,
  type RegistryScript,
} from '../../support/registry-server.ts';

const versions = '/subjects/test.users-value/versions';
const compatibility = `POST /compatibility${versions}`;
const register = `POST ${versions}`;
const existing = { [`GET ${versions}`]: [200, [1]] } as const;
const compatible = { ...existing, [compatibility]: [200, { is_compatible: true }] } as const;

/** A registered schema that differs from ours: `id` was a number, and ours lacks `old`. */
const registered = {
  type: 'record',
  namespace: 'instagram',
  name: 'User',
  fields: [
    ...readSchemaFields().filter(({ name }) => name !== 'id'),
    { name: 'old', type: 'string' },
    { name: 'id', type: 'long' },
  ],
};
const latest = {
  [`GET ${versions}/latest`]: [200, { schema: JSON.stringify(registered) }],
} as const;

function readSchemaFields(): readonly { readonly name: string }[] {
  return (JSON.parse(readSchema('users').text) as { fields: { name: string }[] }).fields;
}

/** Prepares against a registry with that script; returns the requests it received. */
async function prepare(script: RegistryScript, changes: Partial<RegistryOptions> = {}) {
  await using server = await startRegistryServer(script);
  await openRegistry(registryOptions(server.url, changes)).prepare(noSignal);
  return { asked: server.asked, bodies: server.bodies };
}

/** The error that ends `prepare`. */
async function refusal(script: RegistryScript, changes: Partial<RegistryOptions> = {}) {
  const error: unknown = await prepare(script, changes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error as StopProcessError;
}

describe('the subject of a topic', () => {
  test('is the topic name followed by -value', () => {
    const subjectOf = (role: TopicRole, template: string) =>
      subjectSchema(readSchema(role), template).subject;
    expect(subjectOf('user_lifetime_insights', 'acme.{stream}.v1')).toBe(
      'acme.user-lifetime-insights.v1-value',
    );
    expect(subjectOf('state', 'instagram.{stream}')).toBe('instagram.state-value');
    expect(subjectOf('dead_letters', 'instagram.{stream}')).toBe('instagram.dead-letters-value');
  });

  test('is the topic name followed by -key for the schema of the keys', () => {
    const schema = readKeySchema('user_insights', ['business_account_id', 'date']);
    expect(subjectSchema(schema, 'ig.{stream}').subject).toBe('ig.user-insights-key');
  });
});

describe('prepare', () => {
  test('registers a new subject with the configured compatibility level', async () => {
    const { bodies } = await prepare({});

    expect(bodies).toEqual([
      { request: register, body: { schema: readSchema('users').text } },
      {
        request: 'PUT /config/test.users-value',
        body: { compatibility: 'FULL_TRANSITIVE' },
      },
    ]);
  });

  test('keeps the level of an existing subject', async () => {
    const { asked } = await prepare({
      ...compatible,
      'GET /config/test.users-value': [200, { compatibilityLevel: 'BACKWARD' }],
    });

    expect(asked).toContain(register);
    expect(asked.filter((request) => request.startsWith('PUT'))).toEqual([]);
  });

  test('keeps a level that was set before the subject had a schema', async () => {
    const { asked } = await prepare({
      'GET /config/test.users-value': [200, { compatibilityLevel: 'BACKWARD' }],
    });

    expect(asked).toContain(register);
    expect(asked.filter((request) => request.startsWith('PUT'))).toEqual([]);
  });

  const first = (fullName: string): RegistryScript => ({
    ...compatible,
    [`GET ${versions}/1`]: [
      200,
      { schema: JSON.stringify({ type: 'record', name: fullName, fields: [] }) },
    ],
  });

  test('sets the level that an interrupted start did not set', async () => {
    const { bodies } = await prepare(first('instagram.User'));

    expect(bodies).toContainEqual({
      request: 'PUT /config/test.users-value',
      body: { compatibility: 'FULL_TRANSITIVE' },
    });
  });

  test("sets no level for a subject that began with another program's schema", async () => {
    const { asked } = await prepare(first('acme.User'));

    expect(asked).toContain(register);
    expect(asked.filter((request) => request.startsWith('PUT'))).toEqual([]);
  });

  test('sets the level when the registry reports a missing level as NONE', async () => {
    const none = [200, { compatibilityLevel: 'NONE' }] as const;
    const { asked } = await prepare({
      ...first('instagram.User'),
      'GET /config/test.users-value': none,
      'GET /config': none,
    });

    expect(asked).toContain('PUT /config/test.users-value');
  });

  test('keeps the level NONE when it was chosen for the subject', async () => {
    const { asked } = await prepare({
      ...first('instagram.User'),
      'GET /config/test.users-value': [200, { compatibilityLevel: 'NONE' }],
      'GET /config': [200, { compatibilityLevel: 'BACKWARD' }],
    });

    expect(asked.filter((request) => request.startsWith('PUT'))).toEqual([]);
  });

  test('checks every schema before it registers the first one', async () => {
    const error = await refusal(
      {
        'GET /subjects/test.state-value/versions': [200, [1]],
        'POST /compatibility/subjects/test.state-value/versions': [200, { is_compatible: false }],
        [register]: [500, 'this is not to be asked'],
      },
      { roles: ['users', 'state'] },
    );

    expect(error.code).toBe('registry.incompatible');
    expect(error.message).toContain('"test.state-value"');
  });

  test('compares with the latest version when the registry cannot compare with all versions', async () => {
    const { asked } = await prepare({
      ...existing,
      [compatibility]: [405, { error_code: 405, message: 'HTTP 405 Method Not Allowed' }],
      [`${compatibility}/latest`]: [200, { is_compatible: true }],
    });

    expect(asked).toContain(register);
  });
});

/** The same refusal in the words of three registries. */
const refusals: readonly { readonly registry: string; readonly reply: RegistryReply }[] = [
  {
    registry: 'Confluent',
    reply: [
      200,
      {
        is_compatible: false,
        messages: [
          "{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field in the new schema does not match with the old schema', additionalInfo:'reader type: STRING not compatible with writer type: LONG'}",
          '{oldSchemaVersion: 1}',
          `{oldSchema: '${JSON.stringify(registered)}'}`,
          "{validateFields: 'false', compatibility: 'FULL_TRANSITIVE'}",
        ],
      },
    ],
  },
  {
    registry: 'Apicurio',
    reply: [
      200,
      {
        is_compatible: false,
        reason:
          'Incompatible artifact: test.users-value [AVRO], num of incompatible diffs: {1}, list of diff types: [reader type: STRING not compatible with writer type: LONG at /fields/0/type]',
      },
    ],
  },
];

describe('an incompatible schema', () => {
  for (const { registry, reply } of refusals) {
    test(`stops the process and names the subject, the fields and the remedy when ${registry} rejects it`, async () => {
      const error = await refusal({ ...existing, ...latest, [compatibility]: reply });

      expect(error).toMatchObject({
        disposition: 'stop-process',
        code: 'registry.incompatible',
        exitCode: 3,
      });
      expect(error.message).toContain(
        'schema of subject "test.users-value" is incompatible with what is registered: ',
      );
      expect(error.message).toContain('reader type: STRING not compatible with writer type: LONG');
      expect(error.message).toContain(
        'Fields that differ from the latest version: "id" (was long, is string), "old" (gone, had no default). ',
      );
      expect(error.message).toMatch(
        /Nothing was published\. Run the version that registered it, .*\(KAFKA_TOPIC_TEMPLATE\), or change the subject in the registry$/,
      );
    });
  }

  test('is reported without the complete old schema', async () => {
    const error = await refusal({
      ...existing,
      ...latest,
      [compatibility]: refusals[0]?.reply ?? 'silence',
    });

    expect(error.message).not.toContain('{oldSchema:');
    expect(error.message.length).toBeLessThan(800);
  });

  test('is reported in the same way when the registry answers the registration with 409', async () => {
    const details =
      'Schema being registered is incompatible with an earlier schema for subject "test.users-value", details: [{errorType:\'TYPE_MISMATCH\'}]';
    const error = await refusal({
      ...compatible,
      ...latest,
      [register]: [409, { error_code: 409, message: details }],
    });

    expect(error).toMatchObject({ code: 'registry.incompatible', exitCode: 3 });
    expect(error.message).toContain(details);
    expect(error.message).toContain('"id" (was long, is string)');
    expect(error.message).toContain('Nothing was published.');
  });

  test('is accepted when another instance has registered the same schema meanwhile', async () => {
    const taken = [409, { error_code: 409, message: 'already exists' }] as const;
    const { asked } = await prepare({
      [register]: taken,
      'POST /subjects/test.users-value': [200, { id: 7 }],
      'GET /schemas/ids/7': [200, { schema: readSchema('users').text }],
    });

    expect(asked).toContain('POST /subjects/test.users-value');
  });

  test('is retried when another instance is registering the subject', async () => {
    const error = await refusal({
      [register]: [409, { error_code: 409, message: 'already exists' }],
    });

    expect(error).toMatchObject({ code: 'registry.unavailable', disposition: 'retry' });
    expect(error.message).toContain('test.users-value is being registered by another');
  });

  test("is reported in the registry's words alone when the latest version cannot be read", async () => {
    const error = await refusal({
      ...existing,
      [compatibility]: [200, { is_compatible: false, messages: ['the field "id" changed'] }],
    });

    expect(error.message).toContain(
      'is incompatible with what is registered: the field "id" changed. Nothing was published.',
    );
  });
});

describe('an unavailable registry', () => {
  const steps: readonly (readonly [string, RegistryScript])[] = [
    ['listing versions', { [`GET ${versions}`]: 'silence' }],
    ['comparing', { ...existing, [compatibility]: 'silence' }],
    ['reading the level', { ...compatible, 'GET /config/test.users-value': 'silence' }],
    ['registering', { [register]: 'silence' }],
    ['setting the level', { 'PUT /config/test.users-value': 'silence' }],
  ];

  for (const [step, script] of steps) {
    test(`causes a retry within the timeout when it is silent at ${step}`, async () => {
      const error = await refusal(script, { timeoutMs: 100 });

      expect(error).toMatchObject({
        disposition: 'retry',
        code: 'registry.unavailable',
        message: expect.stringMatching(
          /^the schema registry at http:\/\/127\.0\.0\.1:\d+ is not available \(nothing within 100 ms\)/,
        ),
      });
    });
  }

  for (const body of ['null', '', '{}', '"gone"']) {
    test(`causes a retry when its rejection has the body ${body || '(empty)'}`, async () => {
      const error = await refusal({ [register]: [422, body] }, { timeoutMs: 2000 });

      expect(error).toMatchObject({
        disposition: 'retry',
        code: 'registry.unavailable',
        message: expect.stringContaining('422'),
      });
    });
  }

  test('is reported without user name and password', async () => {
    const error = await refusal(
      { [register]: [503, { error_code: 50301, message: 'no leader' }] },
      { login: { kind: 'basic', username: 'jörg', password: () => 'hush€' } },
    );

    expect(error).toMatchObject({ disposition: 'retry', code: 'registry.unavailable' });
    expect(error.message).not.toMatch(/jörg|hush/);
  });

  test('receives the same authorization header with every request', async () => {
    await using server = await startRegistryServer();
    const options = registryOptions(server.url, {
      login: { kind: 'basic', username: 'jörg', password: () => '€5' },
    });

    await openRegistry(options).prepare(noSignal);

    expect(server.authorizations.length).toBeGreaterThan(2);
    expect(new Set(server.authorizations)).toEqual(new Set(['Basic asO2cmc64oKsNQ==']));
  });
});

describe('withoutOldSchema', () => {
  test("removes each old schema from the registry's message", () => {
    expect(withoutOldSchema("a; {oldSchema: '{}'}; b; {oldSchema: 'x\ny'}")).toBe('a; b; ');
  });

  test('takes linear time for 200,000 characters of schemas without an end', () => {
    const text = "{oldSchema: '".repeat(15_400);
    const startMs = performance.now();

    expect(withoutOldSchema(`a; {oldSchema: 'x'}; ${text}`)).toBe(`a; ${text}`);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});
