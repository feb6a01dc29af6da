import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/engine/json.ts';
import { describeDifference, isEquivalent } from '../../../src/registry/schema-compare.ts';
import { readSchema } from '../../../src/registry/schemas.ts';

function record(fields: readonly Json[], name = 'Thing'): Json {
  return { type: 'record', name, fields };
}

const id = { name: 'id', type: 'string' };

describe('describeDifference', () => {
  test('is empty for the same fields in another order and with another doc', () => {
    const size = { name: 'size', type: ['null', 'long'], default: null };

    expect(describeDifference(record([id, size]), record([{ ...size, doc: 'new' }, id]))).toBe('');
  });

  test('omits fields that were added or removed with a default', () => {
    const optional = { name: 'size', type: ['null', 'long'], default: null };

    expect(describeDifference(record([id]), record([id, optional]))).toBe('');
    expect(describeDifference(record([id, optional]), record([id]))).toBe('');
  });

  test('names a field whose type changed, with both types', () => {
    const was = { name: 'size', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }] };
    const is = { name: 'size', type: { type: 'map', values: 'string' } };

    expect(describeDifference(record([was]), record([is]))).toBe(
      '"size" (was null or long, is map of string)',
    );
  });

  test('names fields that were added or removed without a default', () => {
    expect(describeDifference(record([id]), record([{ name: 'key', type: 'string' }]))).toBe(
      '"key" (new, has no default), "id" (gone, had no default)',
    );
  });

  test('names the fields of a nested record by their path', () => {
    const withChildren = (type: string): Json =>
      record([
        id,
        {
          name: 'children',
          type: ['null', { type: 'array', items: record([{ name: 'id', type }], 'Child') }],
        },
      ]);

    expect(describeDifference(withChildren('long'), withChildren('string'))).toBe(
      '"children.id" (was long, is string)',
    );
  });

  test('names ten fields and counts the others', () => {
    const fields = Array.from({ length: 12 }, (_, n) => ({ name: `f${n}`, type: 'long' }));

    const text = describeDifference(record([]), record(fields));

    expect(text).toContain('"f9" (new, has no default), 2 more');
    expect(text).not.toContain('"f10"');
  });

  test('accepts an old schema that is not a record', () => {
    expect(describeDifference('string', record([id]))).toBe('"id" (new, has no default)');
  });
});

const base = {
  type: 'record',
  namespace: 'instagram',
  name: 'User',
  doc: 'A user.',
  aliases: ['Person'],
  fields: [
    { name: 'id', type: 'string', doc: 'Its id.' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'], default: 'A' } },
    { name: 'next', type: ['null', 'User'], default: null, aliases: ['following'] },
    { name: 'counts', type: { type: 'map', values: 'long' }, default: { a: 1, b: 2 } },
    {
      name: 'amount',
      type: { type: 'bytes', logicalType: 'decimal', precision: 8, scale: 2 },
    },
    { name: 'hash', type: { type: 'fixed', name: 'Md5', size: 16 } },
  ],
} as const;

/** The base with one field changed. */
function withField(index: number, changes: object): Json {
  const fields = base.fields.map((field, at) => (at === index ? { ...field, ...changes } : field));
  return { ...base, fields };
}

const original = base as unknown as Json;

describe('isEquivalent', () => {
  test.each<[string, Json]>([
    ['the same schema', original],
    ['another order of attributes', JSON.parse(JSON.stringify(base, sortedKeys(base))) as Json],
    ['other docs', withField(0, { doc: 'Another text.' })],
    ['an attribute that Avro does not define', withField(0, { unit: 'none' })],
    ['the default sort order, spelled out', withField(0, { order: 'ascending' })],
    ['a primitive as an object', withField(0, { type: { type: 'string' } })],
    ['full names', { ...base, namespace: undefined, name: 'instagram.User' } as unknown as Json],
    ['a full name of a reference', withField(3, { type: ['null', 'instagram.User'] })],
    ['full aliases', { ...base, aliases: ['instagram.Person'] }],
    ['a default with another order of keys', withField(4, { default: { b: 2, a: 1 } })],
    ['a type in an object of its own', withField(0, { type: { type: { type: 'string' } } })],
  ])('returns true for %s', (_name, other) => {
    expect(isEquivalent(original, other)).toBe(true);
  });

  test.each<[string, Json]>([
    ['another name', { ...base, name: 'Person' }],
    ['another namespace', { ...base, namespace: 'acme' }],
    ['no aliases', { ...base, aliases: undefined } as unknown as Json],
    ['another field name', withField(0, { name: 'key' })],
    ['another type', withField(0, { type: 'bytes' })],
    ['another logical type', withField(1, { type: { type: 'long', logicalType: 'time-micros' } })],
    ['no logical type', withField(1, { type: 'long' })],
    [
      'another enum symbol',
      withField(2, { type: { ...base.fields[2].type, symbols: ['A', 'C'] } }),
    ],
    ['another enum default', withField(2, { type: { ...base.fields[2].type, default: 'B' } })],
    ['another order of a union', withField(3, { type: ['User', 'null'] })],
    ['no default', withField(3, { default: undefined })],
    ['another default', withField(4, { default: { a: 1 } })],
    ['a default where there was none', withField(0, { default: '' })],
    ['another alias of a field', withField(3, { aliases: ['follower'] })],
    ['other values of a map', withField(4, { type: { type: 'map', values: 'int' } })],
    ['another scale', withField(5, { type: { ...base.fields[5].type, scale: 3 } })],
    ['another size', withField(6, { type: { ...base.fields[6].type, size: 8 } })],
    ['another order of fields', { ...base, fields: base.fields.toReversed() }],
    ['a list of the type', { type: 'array', items: original }],
    ['something that is not a schema', null],
  ])('returns false for %s', (_name, other) => {
    expect(isEquivalent(original, JSON.parse(JSON.stringify(other)) as Json)).toBe(false);
  });

  test('returns false for any two different schemas of this version', () => {
    const schemas = (['users', 'media', 'state', 'dead_letters'] as const).map(
      (role) => JSON.parse(readSchema(role).text) as Json,
    );

    expect(
      schemas.map((one) => schemas.map((other) => (isEquivalent(one, other) ? 1 : 0))),
    ).toEqual([
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
  });
});

/** Every attribute's name, in reverse; `JSON.stringify` writes attributes in that order. */
function sortedKeys(schema: object): string[] {
  const keys = new Set<string>();
  JSON.stringify(schema, (key: string, value: unknown) => {
    keys.add(key);
    return value;
  });
  return [...keys].toSorted().toReversed();
}
