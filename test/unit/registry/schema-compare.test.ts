import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/engine/json.ts';
import { describeDifference } from '../../../src/registry/schema-compare.ts';

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
