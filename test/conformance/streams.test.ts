import { describe, expect, test } from '@jest/globals';
import { readOrReject } from '../../src/engine/dead-letters.ts';
import { DeadLetterError } from '../../src/engine/errors.ts';
import type { Json, Node, Value } from '../../src/engine/json.ts';
import { recordKey } from '../../src/engine/key.ts';
import { readSchema } from '../../src/registry/schemas.ts';
import { streams, streamNames } from '../../src/instagram/streams/index.ts';
import { account } from '../support/accounts.ts';
import { deepFreeze } from '../support/frozen.ts';
import { examples } from './examples/index.ts';
import { placesOf, withValue } from './places.ts';
import { schemaFields } from './schema-fields.ts';
import { checkedPlaces, refusedPath, wrongFor } from './wrong-values.ts';

const origin = { account, polledAtMs: 1_760_000_000_000 };

describe.each(streamNames)('stream %s', (name) => {
  const stream = streams[name];
  const example = examples[name];
  const schema = readSchema(name);

  const recordOf = (node: Node): Value => {
    const mapped = stream.toRecord(node, origin);
    if (mapped.kind === 'skipped') throw new Error(`skipped: ${mapped.reason}`);
    return mapped.record;
  };

  test('makes records with exactly the fields of its schema', () => {
    const declared = schemaFields(JSON.parse(schema.text) as Json)
      .map(({ path }) => path)
      .filter((path) => !path.includes('.'));

    expect(Object.keys(recordOf(example.node)).sort()).toEqual([...declared].sort());
  });

  test('has an example without null values', () => {
    const empty = placesOf(recordOf(example.node)).filter(({ value, path }) => {
      return value === null && !path.startsWith('children[1].');
    });

    expect(empty).toEqual([]);
  });

  test.each([
    ['all declared fields', example.node],
    ['only the required fields', example.minimal],
  ])('encodes and decodes to equal values for a node with %s', (_what, node) => {
    const record = recordOf(node);

    expect(schema.type.fromBuffer(schema.type.toBuffer(record))).toEqual(record);
  });

  test('gives equal nodes equal keys', () => {
    expect(recordKey(stream.key, recordOf(example.node))).toBe(example.key);
    expect(recordKey(stream.key, recordOf(structuredClone(example.node)))).toBe(example.key);
    expect(recordKey(stream.key, recordOf(example.minimal))).toBe(example.key);
  });

  test('ignores and names an undeclared field', () => {
    const mapped = stream.toRecord({ ...example.node, brand_new: { a: 1 } }, origin);

    expect(mapped).toEqual({
      kind: 'record',
      record: recordOf(example.node),
      unknown: ['brand_new'],
      rejected: [],
    });
    expect(stream.toRecord(example.node, origin)).toMatchObject({ unknown: [] });
  });

  test('does not change its input', () => {
    const node = structuredClone(example.node);

    expect(recordOf(deepFreeze(node))).toEqual(recordOf(example.node));
    expect(node).toEqual(example.node);
  });

  /** The rejections of a node, whole or in part. */
  const rejectionsOf = (node: Node): readonly DeadLetterError[] => {
    const rejected: DeadLetterError[] = [];
    const mapped = readOrReject(rejected, () => stream.toRecord(node, origin));
    return mapped?.kind === 'record' ? (mapped.rejected ?? []) : rejected;
  };

  // Invariant 5
  test.each(checkedPlaces(example.node))(
    'rejects $path by its path when its type is wrong (Invariant 5)',
    (place) => {
      const node = withValue(example.node, place, wrongFor(place.value));
      const [error, ...others] = rejectionsOf(node);

      expect(others).toEqual([]);
      expect(error).toBeInstanceOf(DeadLetterError);
      expect(error).toMatchObject({ code: 'mapping.invalid', path: refusedPath(place) });
      expect(error).toMatchObject({ raw: JSON.stringify(node) });
      expect(error?.message).toContain(`"${refusedPath(place)}"`);
    },
  );

  test.each(example.required)('rejects a node or a part without %s by its path', (path) => {
    const place = placesOf(example.node).find((candidate) => candidate.path === path);
    if (place === undefined) throw new Error(`the example has no ${path}`);
    const node = withValue(example.node, place, undefined);

    expect(rejectionsOf(node)).toMatchObject([
      { name: 'DeadLetterError', code: 'mapping.invalid', path, raw: JSON.stringify(node) },
    ]);
  });
});
