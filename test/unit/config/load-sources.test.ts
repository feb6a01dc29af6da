import { describe, expect, test } from '@jest/globals';
import { env, failure, load, problemPaths, token, useFolder } from './loading.ts';

const { path, write } = useFolder();

describe('the configuration file', () => {
  test('accepts JSON values and texts', () => {
    const configFile = write('a.json', {
      kafka: { brokers: ['a:1', 'b:2'], topics: { create: false } },
      polling: { jitter: 0.2, concurrency: '3' },
      instagram: { requestTimeout: '5s', baseUrl: null },
    });
    const config = load({ configFile, env: { ...env, KAFKA_BROKERS: undefined } });
    expect(config.kafka.brokers).toEqual(['a:1', 'b:2']);
    expect(config.kafka.topics.create).toBe(false);
    expect([config.polling.jitter, config.polling.concurrency]).toEqual([0.2, 3]);
    expect(config.instagram.requestTimeoutMs).toBe(5000);
  });

  test('is rejected when it is missing, without reporting the fields that it may set', () => {
    const error = failure({ configFile: path('none.json'), env: { HTTP_PORT: 'x' } });
    expect(error.problems.map(({ path, received }) => [path, received])).toEqual([
      [`file ${path('none.json')}`, 'a file that cannot be read (ENOENT)'],
      ['http.port', '"x"'],
    ]);
  });

  test('is rejected when it is a directory', () => {
    expect(failure({ configFile: path('') }).problems[0]?.received).toBe(
      'a file that cannot be read (EISDIR)',
    );
  });

  test('is rejected without showing its content when it is not JSON', () => {
    const configFile = write('a.json', `{"instagram": {"accessToken": ${token}}}`);
    const error = failure({ configFile });
    expect(error.problems[0]?.received).toBe('text that is not JSON');
    expect(error.message).not.toContain('test');
  });

  test('is rejected with the line and column of the JSON error', () => {
    const configFile = write('a.json', '{"log": {"level": "info",}}');
    expect(failure({ configFile }).problems[0]?.received).toBe(
      'text that is not JSON at line 1 column 26',
    );
  });

  test('is rejected when it is not an object', () => {
    expect(failure({ configFile: write('a.json', '[]') }).problems[0]?.received).toBe(
      'JSON that is not an object',
    );
  });

  test('is rejected when a group is a value or a value is a group', () => {
    const configFile = write('a.json', { http: 8080, log: { level: { a: { b: 1 } } } });
    expect(problemPaths({ configFile })).toEqual(['http', 'log.level']);
  });

  test('is rejected when a required field is null', () => {
    expect(problemPaths({ configFile: write('a.json', { http: { port: null } }) })).toEqual([
      'http.port',
    ]);
  });

  test('is rejected when a duration is a number without a unit', () => {
    const configFile = write('a.json', { polling: { lookback: 48 } });
    expect(problemPaths({ configFile })).toEqual(['polling.lookback']);
  });
});

describe('secrets in the configuration', () => {
  const withFile = (file: string) => ({
    ...env,
    INSTAGRAM_ACCESS_TOKEN: undefined,
    INSTAGRAM_ACCESS_TOKEN_FILE: file,
  });

  test('are read from a file without the line break at its end', () => {
    const { instagram } = load({ env: withFile(write('token', `${token}\n`)) });
    expect(instagram.accessTokens).toEqual([token]);
  });

  test('from a secret file take precedence over the configuration file', () => {
    const configFile = write('a.json', { instagram: { accessToken: 'other' } });
    const { instagram } = load({ configFile, env: withFile(write('token', token)) });
    expect(instagram.accessTokens).toEqual([token]);
  });

  test('are rejected when both the variable and its file variable are set', () => {
    const file = write('token', token);
    const error = failure({ env: { ...env, INSTAGRAM_ACCESS_TOKEN_FILE: file } });
    expect(error.message).toContain(
      '(INSTAGRAM_ACCESS_TOKEN_FILE): got both INSTAGRAM_ACCESS_TOKEN and ' +
        'INSTAGRAM_ACCESS_TOKEN_FILE, expected one of the two; remove one of the two',
    );
    expect(error.problems).toHaveLength(1);
  });

  test('are rejected once when their file is empty or missing', () => {
    const received = (file: string) =>
      failure({ env: withFile(file) }).problems.map((p) => p.received);
    expect(received(write('token', '\n'))).toEqual(['an empty file']);
    expect(received(path('none'))).toEqual(['a file that cannot be read (ENOENT)']);
  });

  test('are masked in every error', () => {
    const spaced = `${token} more`;
    const errors = [
      failure({ env: { ...env, INSTAGRAM_ACCESS_TOKEN: spaced } }),
      failure({ env: { ...env, INSTAGRAM_LOGIN: token } }),
      failure({ env: withFile(token) }),
      failure({ env: { ...env, SCHEMA_REGISTRY_URL: `http://me:${token}@host` } }),
      failure({ env: { ...env, SCHEMA_REGISTRY_URL: 'http://host/?key=token0123456789' } }),
      failure({ env: { ...env, KAFKA_BROKERS: 'me:token0123456789@host:1' } }),
      failure({ configFile: write('a.json', { instagram: { accessToken: { a: token } } }) }),
      failure({ configFile: write('b.json', { instagram: { token } }) }),
    ];
    expect(errors.filter((error) => error.message.includes('token0123456789'))).toEqual([]);
    expect(errors[0]?.problems[0]?.received).toBe('[secret]');
  });
});
