import { describe, expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../../src/config/config-error.ts';
import { fieldRulesOf } from '../../src/config/field-lists.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type FieldRules, treatments, type Treatment } from '../../src/engine/field-rules.ts';
import type { Json, Value } from '../../src/engine/json.ts';
import {
  type InstagramStreamName,
  streamNames,
  streams,
} from '../../src/instagram/streams/index.ts';
import { openLocalCodec } from '../../src/registry/index.ts';
import { readSchema } from '../../src/registry/schemas.ts';
import { account } from '../support/accounts.ts';
import { examples } from './examples/index.ts';
import { schemaFields } from './schema-fields.ts';

const required = {
  INSTAGRAM_ACCESS_TOKEN: 'token',
  KAFKA_BROKERS: 'localhost:9092',
  SCHEMA_REGISTRY_URL: 'http://localhost:8081',
  FIELDS_HASH_SECRET: 'k'.repeat(32),
};

/** The rules of one listed field; undefined where the configuration rejects it. */
function rulesOf(
  name: InstagramStreamName,
  treatment: Treatment,
  path: string,
): FieldRules | undefined {
  const variable = `STREAM_${name}_${treatment}`.toUpperCase();
  try {
    return fieldRulesOf(loadConfig({ env: { ...required, [variable]: path }, args: {} }))[name];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}

describe.each(streamNames)('field rules of %s', (name) => {
  const codec = openLocalCodec([name]);
  const encoded = (value: Value) => codec.toJson(name, codec.encoder.encode(name, value));
  const mapped = streams[name].toRecord(examples[name].node, { account, polledAtMs: 1 });
  const record = mapped.kind === 'record' ? mapped.record : {};
  const fields = schemaFields(JSON.parse(readSchema(name).text) as Json);

  test.each(treatments)(
    'change the value of every field that `%s` may list, and keep the record valid',
    (treatment) => {
      const unchanged = encoded(record);
      // A field without effect has no value in the stream's example (test/conformance/examples/).
      const withoutEffect = fields
        .filter(({ path }) => {
          const rules = rulesOf(name, treatment, path);
          return rules !== undefined && isDeepStrictEqual(encoded(rules.apply(record)), unchanged);
        })
        .map(({ path }) => path);

      expect(withoutEffect).toEqual([]);
    },
  );

  test('has the fields that name the author in its schema, as texts', () => {
    const { author } = streams[name];
    const texts = fields.filter(({ type }) => JSON.stringify(type).includes('"string"'));
    const paths = [...(author?.username ?? []), ...(author?.id ?? [])];
    expect(texts.map(({ path }) => path)).toEqual(expect.arrayContaining(paths));
  });

  test('exclude every field that may be null, except the origin', () => {
    const accepted = fields.filter(({ path }) => rulesOf(name, 'exclude', path) !== undefined);
    const nullable = fields.filter(({ type }) => Array.isArray(type));

    expect(accepted).toEqual(nullable.filter(({ path }) => path !== 'page_id'));
  });
});
