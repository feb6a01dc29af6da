import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCommandConfig } from '../../../src/cli/context.ts';
import { openApp } from '../../../src/cli/open-app.ts';
import { readVersion } from '../../../src/cli/version.ts';
import { exitCodeOf } from '../../../src/cli/command.ts';
import { ConfigError } from '../../../src/config/config-error.ts';

let directory: string;
let variables: NodeJS.ProcessEnv;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'context-'));
  variables = process.env;
  process.env = {
    INSTAGRAM_ACCESS_TOKEN: 'EAAGtoken',
    KAFKA_BROKERS: 'from-environment:9092',
    SCHEMA_REGISTRY_URL: 'http://registry:8081',
  };
});

afterEach(async () => {
  process.env = variables;
  await rm(directory, { recursive: true });
});

async function writeConfig(content: object): Promise<string> {
  const file = join(directory, 'config.json');
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe('loadCommandConfig', () => {
  test('puts the file above the defaults, the environment above the file, and the arguments above all', async () => {
    const file = await writeConfig({
      kafka: { brokers: ['from-file:9092'], clientId: 'from-file' },
      http: { port: 9001, host: '0.0.0.0' },
    });

    const { kafka, http, log } = loadCommandConfig({ config: file, 'http-port': '9002' });

    expect(kafka.brokers).toEqual(['from-environment:9092']);
    expect(kafka.clientId).toBe('from-file');
    expect(http).toMatchObject({ port: 9002, host: '0.0.0.0' });
    expect(log.level).toBe('info');
  });

  test('ignores settings of Instagram that do not fit together for a command of Kafka alone', () => {
    Object.assign(process.env, {
      INSTAGRAM_LOGIN: 'instagram',
      INSTAGRAM_HASHTAGS: 'sunset',
      STREAMS: 'users,discovered_users',
      STREAM_MEDIA_INSIGHTS_EXTRA: 'facebook_views',
    });

    expect(loadCommandConfig({}, ['kafka', 'registry']).instagram.login).toBe('instagram');
    expect(() => loadCommandConfig({}, ['token'])).toThrow('INSTAGRAM_HASHTAGS');
    process.env['KAFKA_SASL_MECHANISM'] = 'PLAIN';
    expect(() => loadCommandConfig({}, ['kafka', 'registry'])).toThrow('KAFKA_SECURITY_PROTOCOL');
  });

  test('reports the problems of file, environment and arguments together, with exit code 2', async () => {
    process.env['STREAM_MEDIA_INTERVAL'] = '15min';
    const file = await writeConfig({ kafka: { broker: 'a:1' } });
    const load = () => loadCommandConfig({ config: file, 'http-port': 'x', 'log-levle': 'info' });

    let error: unknown;
    try {
      load();
    } catch (caught) {
      error = caught;
    }

    expect(error).toBeInstanceOf(ConfigError);
    expect(exitCodeOf(error)).toBe(2);
    expect((error as ConfigError).problems.map(({ path }) => path).sort()).toEqual([
      '--log-levle',
      'http.port',
      'kafka.broker',
      'streams.media.interval',
    ]);
  });
});

describe('openApp', () => {
  test('opens without a connection, and closes', async () => {
    const config = loadCommandConfig({ 'kafka-brokers': '127.0.0.1:1', 'log-level': 'silent' });

    await using app = openApp(config);

    expect(Object.keys(app).sort()).toEqual([
      'log',
      'once',
      'run',
      'setAccounts',
      'setInterval',
      'setPublicContent',
    ]);
  });
});

describe('readVersion', () => {
  test('returns the version of package.json', async () => {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');

    expect(readVersion()).toBe((JSON.parse(text) as { version: string }).version);
    expect(readVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });
});
