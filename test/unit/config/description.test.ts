import { describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { readDefaults, type FileGroup } from '../../../src/config/config-file.ts';
import { describeConfig } from '../../../src/config/description.ts';
import { loadConfig } from '../../../src/config/load.ts';

const root = new URL('../../../', import.meta.url);

function leafPaths(group: FileGroup, prefix = ''): readonly string[] {
  return Object.entries(group).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leafPaths(value as FileGroup, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  );
}

describe('describeConfig', () => {
  const entries = describeConfig();

  test('lists exactly the fields that have defaults, in their order', () => {
    const { values, problems } = readDefaults();
    expect(problems).toEqual([]);
    expect(entries.map((entry) => entry.path)).toEqual(leafPaths(values));
  });

  test('gives every field its own variable and argument', () => {
    expect(new Set(entries.map((entry) => entry.env)).size).toBe(entries.length);
    expect(new Set(entries.map((entry) => entry.arg)).size).toBe(entries.length);
    expect(entries.filter((entry) => entry.doc === '')).toEqual([]);
  });

  test('lists the variables that users know', () => {
    expect(entries.map((entry) => entry.env)).toEqual(
      expect.arrayContaining([
        'INSTAGRAM_ACCESS_TOKEN',
        'INSTAGRAM_API_VERSION',
        'INSTAGRAM_BASE_URL',
        'INSTAGRAM_LOGIN',
        'INSTAGRAM_ACCOUNTS',
        'INSTAGRAM_START_DATE',
        'KAFKA_BROKERS',
        'KAFKA_TOPIC_TEMPLATE',
        'SCHEMA_REGISTRY_URL',
        'STREAMS',
        'STREAM_USERS_INTERVAL',
        'STREAM_MEDIA_PUBLISH',
        'LOG_LEVEL',
        'HTTP_PORT',
        'HTTP_HOST',
      ]),
    );
  });

  test('requires only the token, the brokers and the registry', () => {
    expect(entries.filter((entry) => entry.required).map((entry) => entry.path)).toEqual([
      'instagram.accessToken',
      'kafka.brokers',
      'schemaRegistry.url',
    ]);
  });

  test('describes a field completely', () => {
    expect(entries.find((entry) => entry.path === 'streams.media.interval')).toEqual({
      path: 'streams.media.interval',
      env: 'STREAM_MEDIA_INTERVAL',
      arg: 'stream-media-interval',
      format: 'a duration from 1s to 24d, a number with its unit (ms, s, m, h, d)',
      default: '1h',
      required: false,
      doc: 'How often `media` is polled for each account.',
      secret: false,
    });
  });
});

describe('config/example.json', () => {
  test('is a valid configuration once a token is set', () => {
    const config = loadConfig({
      env: { INSTAGRAM_ACCESS_TOKEN: 'token' },
      configFile: fileURLToPath(new URL('config/example.json', root)),
      args: {},
    });
    expect(config.kafka.topics.replicationFactor).toBe(3);
  });
});
