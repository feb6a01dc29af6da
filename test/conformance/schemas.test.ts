import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/engine/json.ts';
import { streamNames } from '../../src/instagram/streams/index.ts';
import type { TopicRole } from '../../src/engine/stream-name.ts';
import { readSchema } from '../../src/registry/schemas.ts';
import { schemaFields, schemaRecords } from './schema-fields.ts';

const roles: readonly TopicRole[] = [...streamNames, 'state', 'dead_letters', 'notifications'];

describe('folder avro', () => {
  test('has one schema per topic and no other file', () => {
    const files = readdirSync(new URL('../../avro/', import.meta.url));

    expect(files.sort()).toEqual(roles.map((role) => `${role}.avsc`).sort());
  });
});

describe.each(roles)('schema of %s', (role) => {
  const schema = JSON.parse(readSchema(role).text) as Json;

  test('is a record of the namespace instagram', () => {
    expect(schema).toMatchObject({ type: 'record', namespace: 'instagram' });
  });

  test('documents every field and every record', () => {
    const silent = [...schemaFields(schema), ...schemaRecords(schema)].filter(({ doc }) => {
      return typeof doc !== 'string' || doc.length < 5;
    });

    expect(silent).toEqual([]);
  });

  test('declares an optional field with null as first branch and default', () => {
    const unions = schemaFields(schema).filter(({ type }) => Array.isArray(type));
    const wrong = unions.filter(({ type, defaultValue }) => {
      const branches = type as readonly Json[];
      return branches[0] !== 'null' || branches.length !== 2 || defaultValue !== null;
    });

    expect(wrong).toEqual([]);
  });

  test('stores times as timestamp-millis', () => {
    const times = schemaFields(schema).filter(({ path }) => {
      return /(^|\.)(polled_at|timestamp|date|written_at|cursor|covered_until|since|at)$/.test(
        path,
      );
    });
    const millis = { type: 'long', logicalType: 'timestamp-millis' };

    expect(times.length).toBeGreaterThan(0);
    for (const { type } of times) expect([type].flat()).toContainEqual(millis);
  });
});
