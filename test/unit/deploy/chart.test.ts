import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { describeConfig } from '../../../src/config/description.ts';

/** A part of the chart's schema; `false` accepts no value. */
type Schema = false | { readonly properties?: Readonly<Record<string, Schema>> };

const file = new URL(
  '../../../deploy/helm/instagram-kafka-producer/values.schema.json',
  import.meta.url,
);
const chart = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly properties: {
    readonly config: Schema;
    readonly env: {
      readonly items: {
        readonly not: { readonly properties: { readonly name: { readonly enum: string[] } } };
      };
    };
  };
};
const secrets = describeConfig().filter(({ secret }) => secret);

/** The fields that a schema refuses, as `kafka.sasl.password`. */
function refusedIn(schema: Schema, path = ''): readonly string[] {
  if (schema === false) return [path];
  return Object.entries(schema.properties ?? {}).flatMap(([name, below]) =>
    refusedIn(below, path === '' ? name : `${path}.${name}`),
  );
}

describe('the Helm chart', () => {
  test('rejects every secret of the configuration in the config map (Invariant 9)', () => {
    expect(refusedIn(chart.properties.config).toSorted()).toEqual(
      secrets.map(({ path }) => path).toSorted(),
    );
  });

  test('rejects every secret of the configuration as a literal variable (Invariant 9)', () => {
    expect(chart.properties.env.items).toMatchObject({ not: { required: ['name', 'value'] } });
    expect(chart.properties.env.items.not.properties.name.enum.toSorted()).toEqual(
      secrets.map(({ env }) => env).toSorted(),
    );
  });
});
