import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/engine/json.ts';
import { type Finished, runCommand } from '../../support/command.ts';
import { type RegistryWorld, createRegistryWorld } from '../../support/registry-world.ts';

interface Field {
  readonly name: string;
  readonly type: Json;
}

let registry: RegistryWorld;

beforeAll(async () => {
  registry = await createRegistryWorld();
}, 60_000);

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
});

function run(args: readonly string[], changes: Readonly<Record<string, string>> = {}) {
  const env = {
    SCHEMA_REGISTRY_URL: registry.url,
    KAFKA_TOPIC_TEMPLATE: registry.subjectOf('users').replace('users-value', '{stream}'),
    STREAMS: 'users,media',
    ...changes,
  };
  return runCommand(['schemas', ...args], { env });
}

/** The schema of users without its first field with a default, and with one field of another type. */
function otherUsers(retype: Readonly<Record<string, Json>> = {}): { schema: Json; gone: string } {
  const text = readFileSync(new URL('../../../avro/users.avsc', import.meta.url), 'utf8');
  const schema = JSON.parse(text) as { readonly fields: readonly Field[] };
  const gone = schema.fields.find((field) => 'default' in field)?.name ?? '';
  const fields = schema.fields
    .filter(({ name }) => name !== gone)
    .map((field) => ({ ...field, type: retype[field.name] ?? field.type }));
  return { schema: { ...schema, fields }, gone };
}

function standings({ stdout }: Finished): Readonly<Record<string, string>> {
  const rows = JSON.parse(stdout) as readonly { role: string; status: string }[];
  return Object.fromEntries(rows.map(({ role, status }) => [role, status]));
}

describe('command schemas', () => {
  test('checks, compares and registers new, older and unchanged schemas', async () => {
    const { schema, gone } = otherUsers();
    await registry.register('users', schema);

    const before = await run(['check', '--json']);
    const verified = await run(['check'], { SCHEMA_REGISTRY_MODE: 'verify' });
    const diff = await run(['diff']);
    const registered = await run(['register', '--json'], { SCHEMA_REGISTRY_MODE: 'verify' });
    const after = await run(['check', '--json'], { SCHEMA_REGISTRY_MODE: 'verify' });

    expect(before.exitCode).toBe(0);
    expect(standings(before)).toEqual({
      users: 'compatible',
      media: 'new',
      state: 'new',
      dead_letters: 'new',
      notifications: 'new',
    });
    expect(verified.exitCode).toBe(3);
    expect(verified.stdout).toContain('MISSING: run `schemas register`');
    expect(diff.stdout).toMatch(
      new RegExp(`users-value: against version 1\n {2}\\+ ${gone}: null or \\w+\n`),
    );
    expect(diff.stdout).toContain(`${registry.subjectOf('media')}: is not registered yet`);
    expect(JSON.parse(registered.stdout)).toHaveLength(5);
    expect(registered.exitCode).toBe(0);
    expect(after.exitCode).toBe(0);
    expect(new Set(Object.values(standings(after)))).toEqual(new Set(['registered']));
    expect(await registry.listSubjects()).toHaveLength(5);
  }, 60_000);

  test('rejects an incompatible schema with exit code 3 and its fields, and registers nothing', async () => {
    const { schema } = otherUsers({ id: 'long' });
    const template = registry.subjectOf('users').replace('users-value', 'other.{stream}');
    const env = { KAFKA_TOPIC_TEMPLATE: template };
    const subject = template.replace('{stream}', 'users-value');
    await fetch(`${registry.url}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
    await fetch(`${registry.url}/config/${subject}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
    });

    const checked = await run(['check'], env);
    const refused = await run(['register'], env);

    expect(checked.exitCode).toBe(3);
    expect(checked.stdout).toContain('INCOMPATIBLE');
    expect(checked.stdout).toContain('"id" (was long, is string)');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toMatch(/^registry\.incompatible: /);
    const others = (await registry.listSubjects()).filter((name) => name.includes('.other.'));
    expect(others).toEqual([subject]);
  }, 60_000);

  test('exits with 3 when the registry is unreachable', async () => {
    const { exitCode, stderr } = await run(['diff'], {
      SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
    });

    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^registry\.unavailable: /);
  }, 30_000);
});
