import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigSources } from '../../../src/config/load.ts';
import { explainConfig } from '../../../src/config/explain.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explain-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function explained(sources: Partial<ConfigSources>, path: string) {
  const all = explainConfig({ env: {}, args: {}, ...sources });
  return all.values.find((value) => value.path === path);
}

describe('explainConfig', () => {
  test('names the source with the highest precedence', async () => {
    const configFile = await write('c.json', '{"http":{"port":1,"host":"0.0.0.0"}}');
    const env = { HTTP_PORT: '2' };
    const args = { 'http-port': '3' };

    expect(explained({ configFile, env, args }, 'http.port')).toMatchObject({
      value: 3,
      origin: 'argument',
      from: '--http-port',
    });
    expect(explained({ configFile, env }, 'http.port')).toMatchObject({
      value: 2,
      origin: 'environment',
      from: 'HTTP_PORT',
    });
    expect(explained({ configFile }, 'http.port')).toMatchObject({
      value: 1,
      origin: 'file',
      from: configFile,
    });
    expect(explained({}, 'http.port')).toMatchObject({ value: 8080, origin: 'default' });
    expect(explained({}, 'instagram.startDate')).toMatchObject({ value: null, origin: 'unset' });
  });

  test('masks a secret from any source, and distinguishes a secret file from the environment', async () => {
    const file = await write('token', 'EAAGabc\n');
    const env = { INSTAGRAM_ACCESS_TOKEN_FILE: file, SCHEMA_REGISTRY_PASSWORD: 'hunter2' };
    const { values, problems } = explainConfig({
      env: {
        ...env,
        KAFKA_BROKERS: 'k:1',
        SCHEMA_REGISTRY_URL: 'http://r:1',
        SCHEMA_REGISTRY_USERNAME: 'u',
      },
      args: {},
    });
    const shown = JSON.stringify(values);

    expect(problems).toEqual([]);
    expect(shown).not.toMatch(/EAAGabc|hunter2/);
    expect(values[0]).toMatchObject({
      env: 'INSTAGRAM_ACCESS_TOKEN',
      value: '[secret]',
      origin: 'secret-file',
      from: 'INSTAGRAM_ACCESS_TOKEN_FILE',
    });
    expect(values.find(({ env: name }) => name === 'SCHEMA_REGISTRY_PASSWORD')).toMatchObject({
      value: '[secret]',
      origin: 'environment',
    });
  });

  test('shows lists, flags and numbers as parsed values, and a duration as it was written', () => {
    const env = {
      KAFKA_BROKERS: 'a:1,b:2',
      KAFKA_TOMBSTONES: 'true',
      INSTAGRAM_PAGE_SIZE: '50',
      STREAM_MEDIA_INTERVAL: '15m',
    };

    expect(explained({ env }, 'kafka.brokers')?.value).toEqual(['a:1', 'b:2']);
    expect(explained({ env }, 'kafka.tombstones')?.value).toBe(true);
    expect(explained({ env }, 'instagram.pageSize')?.value).toBe(50);
    expect(explained({ env }, 'streams.media.interval')?.value).toBe('15m');
  });

  test('masks a token in a field that is not a secret', () => {
    const env = { POLLING_INSTANCE: `EAA${'x'.repeat(40)}` };

    expect(explained({ env }, 'polling.instance')?.value).toBe('[secret]');
  });

  test('lists every problem beside the values', () => {
    const { values, problems } = explainConfig({ env: { HTTP_PORT: 'x' }, args: {} });

    expect(problems.map(({ path }) => path)).toEqual([
      'instagram.accessToken',
      'kafka.brokers',
      'schemaRegistry.url',
      'http.port',
    ]);
    expect(values.find(({ path }) => path === 'http.port')).toMatchObject({ value: 'x' });
  });
});
