import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import type { Json, Value } from '../../../src/engine/json.ts';
import { emptyCheckpoint, type StreamState } from '../../../src/engine/state.ts';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import { readSchema } from '../../../src/registry/schemas.ts';
import { createRegistryWorld, type RegistryWorld } from '../../support/registry-world.ts';

let world: RegistryWorld;

beforeEach(async () => {
  world = await createRegistryWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** The schema of a later version: with one more field. */
function later(role: TopicRole, field: Json): Value & { readonly fields: readonly Json[] } {
  const schema = JSON.parse(readSchema(role).text) as Value & { fields: readonly Json[] };
  return { ...schema, fields: [...schema.fields, field] };
}

const optional = { name: 'pronouns', type: ['null', 'string'], default: null, doc: 'Pronouns.' };

describe('later schema with one more optional field', () => {
  test('is accepted by the registry, and reads older records', async () => {
    const { encoder } = await world.openReady({ roles: ['users'] });
    const bytes = encoder.encode('users', {
      id: '1',
      business_account_id: '1',
      polled_at: 1_700_000_000_000,
      username: 'cafe',
    });
    const schema = later('users', optional);

    expect(await world.register('users', schema)).toBe(200);

    const read: unknown = await new SchemaRegistry({ host: world.url }).decode(bytes, {
      [SchemaType.AVRO]: { readerSchema: schema as never },
    });
    expect(read).toMatchObject({ id: '1', username: 'cafe', pronouns: null });
  });

  test('lets this version continue with its own schema id', async () => {
    const before = await world.openReady({ roles: ['users'] });
    await world.register('users', later('users', optional));

    const after = await world.openReady({ roles: ['users'] });

    expect(after.encoder.schemaId('users')).toBe(before.encoder.schemaId('users'));
    expect(await world.get(`/subjects/${world.subjectOf('users')}/versions`)).toEqual([1, 2]);
  });

  test('leaves the state that it wrote readable for this version', async () => {
    const { stateCodec } = await world.openReady({ roles: ['state'] });
    const schema = later('state', { name: 'note', type: 'string', default: '' });
    await world.register('state', schema);
    const client = new SchemaRegistry({ host: world.url });
    const id = await client.getLatestSchemaId(world.subjectOf('state'));
    const written = await client.encode(id, {
      format_version: 1,
      stream: 'media',
      account_id: '17841',
      cursor: null,
      covered_until: 1_700_000_000_000,
      days: [],
      sequence: 4,
      written_at: 1_700_000_000_000,
      written_by: 'host-2',
      note: 'from later',
    });

    const expected: StreamState = {
      ...emptyCheckpoint,
      stream: 'media',
      accountId: '17841',
      coveredUntilMs: 1_700_000_000_000,
      sequence: 4,
      writtenAtMs: 1_700_000_000_000,
      writtenBy: 'host-2',
      pause: null,
    };
    expect(await stateCodec.decode('media/17841', written)).toEqual(expected);
  });
});

describe('later schema with a field that has no default', () => {
  test('is rejected by the registry with 409, because of the compatibility level that the program set', async () => {
    await world.openReady({ roles: ['users'] });

    expect(await world.register('users', later('users', { name: 'must', type: 'string' }))).toBe(
      409,
    );
  });
});

describe('state with a schema id that the registry does not know', () => {
  test('stops the stream and says how to repair it', async () => {
    const { stateCodec } = await world.openReady({ roles: ['state'] });

    await expect(
      stateCodec.decode('media/17841', Buffer.from('007ffffff002', 'hex')),
    ).rejects.toMatchObject({
      disposition: 'stop-stream',
      code: 'registry.mismatch',
      message: expect.stringMatching(
        /^states cannot be read: the registry at http\S+ knows no schema with id 2147483632, by which they were written\. Nothing was changed\. Likely causes: the registry lost its data/,
      ),
    });
  });
});
