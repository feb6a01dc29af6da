import { describe, expect, test } from '@jest/globals';
import { runMain } from './command-line.ts';

const env = {
  INSTAGRAM_ACCESS_TOKEN: 'EAAGverysecret',
  KAFKA_BROKERS: 'kafka-1:9092',
  SCHEMA_REGISTRY_URL: 'http://registry:8081',
};

describe('the command config', () => {
  test('shows each value with its source, and masks secrets', async () => {
    const { exitCode, stdout, stderr } = await runMain(['config', '--http-port', '9000'], env);
    const cells = stdout.split('\n').map((line) => line.split(/ {2,}/));

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(cells).toContainEqual(['http.port', '9000', 'argument --http-port']);
    expect(cells).toContainEqual(['kafka.brokers', 'kafka-1:9092', 'environment KAFKA_BROKERS']);
    expect(cells).toContainEqual(['kafka.clientId', 'instagram-kafka-producer', 'default']);
    expect(cells).toContainEqual(['instagram.startDate', '-', 'not set']);
    expect(stdout).toContain('[secret]');
    expect(stdout).not.toContain('verysecret');
  });

  test('omits defaults with --set-only', async () => {
    const { stdout } = await runMain(['config', '--set-only', '--json'], env);
    const { values, problems } = JSON.parse(stdout) as {
      readonly values: readonly { readonly env: string }[];
      readonly problems: readonly unknown[];
    };

    expect(values.map((value) => value.env)).toEqual(Object.keys(env));
    expect(problems).toEqual([]);
  });

  test('reports all problems and exits with 2 when the configuration is invalid', async () => {
    const bad = { ...env, HTTP_PORT: '70000', KAFKA_BROKRS: 'x' };
    const { exitCode, stdout, stderr } = await runMain(['config', '--json'], bad);
    const { problems } = JSON.parse(stdout) as { readonly problems: readonly { path: string }[] };

    expect(exitCode).toBe(2);
    expect(problems.map(({ path }) => path).sort()).toEqual(['KAFKA_BROKRS', 'http.port']);
    expect(stderr).toMatch(/^config\.invalid: 2 problems in the configuration:\n/);
  });
});
