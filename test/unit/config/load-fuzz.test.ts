import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdirSync } from 'node:fs';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig, type ConfigSources } from '../../../src/config/load.ts';
import { settings } from '../../../src/config/schema.ts';
import { env as least, useFolder } from './loading.ts';

const folder = useFolder();
const secretNames = settings.filter(({ format }) => format.secret).map(({ env }) => env);

/** A marker of secrets that no error contains by itself. */
const mark = 'zQ7vK2pX9mW4';
/** A token in a field that is not a secret; its form makes it masked there, too. */
const stray = `EAA${mark}${mark}${mark}`;

beforeAll(() => {
  mkdirSync(folder.path('folder'));
  folder.write('secret', `${mark}\n`);
  folder.write('empty', '');
  folder.write('binary', `\u0000${mark}\u0000`);
});

const secrets = fc.oneof(
  fc.constant(mark),
  fc.tuple(fc.string(), fc.string()).map(([before, after]) => `${before}${mark}${after}`),
  fc.constant(`${mark}\n${mark}`),
  fc.constant(''),
);

/** Values that are valid in one field and invalid in another. */
const words = fc.constantFrom(
  ...['', ' ', 'true', 'no', '0', '-1', '8', '1e3', '15m', '15min', '99999d', 'null', '[]', '{}'],
  ...['a:9092', 'a:99999', 'http://a', 'https://a/b', 'https://169.254.169.254', 'a,,b', 'all'],
  ...[
    'PLAIN',
    'SASL_SSL',
    'SSL',
    'OAUTHBEARER',
    'v25.0',
    '2026-02-30',
    '17841400000000000',
    '../x',
  ],
  ...['instagram.{stream}', '{stream}', 'https://me:pw@a', '/', '%00', '$HOME', '__proto__', stray],
);

const values = fc.oneof(
  { weight: 3, arbitrary: words },
  fc.string(),
  fc.string({ unit: 'binary' }),
);

/** Variables, secrets among them by their value or by a file. */
const environments = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom(...settings.map(({ env }) => env)), values),
      fc.tuple(fc.constantFrom(...secretNames), secrets),
      fc.tuple(
        fc.constantFrom(...secretNames.map((name) => `${name}_FILE`)),
        fc.constantFrom('secret', 'empty', 'binary', 'folder', 'missing', mark),
      ),
      fc.tuple(fc.constantFrom('KAFKA_X', 'STREAM_', 'INSTAGRAM_TOKEN', 'KAFKA_PORT'), values),
    ),
    { maxLength: 12 },
  )
  .map((pairs) => {
    // Secrets must contain the marker, so that the test can find them.
    const isWrong = ([name, value]: readonly [string, string]) =>
      secretNames.includes(name) && !value.includes(mark);
    return Object.fromEntries(pairs.filter((pair) => !isWrong(pair)));
  });

const files = fc.option(
  fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.string(),
    fc
      .dictionary(fc.constantFrom('kafka', 'instagram', 'polling', 'x'), fc.jsonValue())
      .map((json) => JSON.stringify(json)),
    fc.constant(JSON.stringify({ kafka: { sasl: { password: { is: mark } } } })),
    fc.constant(`{"instagram":{"accessToken":"${mark}`),
  ),
  { nil: undefined },
);

const args = fc.dictionary(fc.constantFrom(...settings.map(({ arg }) => arg), 'no-such'), values, {
  maxKeys: 3,
});

/** The error of a configuration that is refused. */
function refusalOf(sources: ConfigSources): ConfigError | undefined {
  try {
    loadConfig(sources);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

describe('any configuration', () => {
  test('is either accepted or rejected with exit code 2 by field names, without showing a secret', () => {
    fc.assert(
      fc.property(environments, files, args, (env, file, given) => {
        const named = Object.entries(env).map(([name, value]) => [
          name,
          name.endsWith('_FILE') && value !== mark ? folder.path(value) : value,
        ]);
        const error = refusalOf({
          env: { ...least, ...Object.fromEntries(named) } as NodeJS.ProcessEnv,
          args: given,
          ...(file === undefined ? {} : { configFile: folder.write('config.json', file) }),
        });
        if (error === undefined) return;
        expect(error.exitCode).toBe(2);
        expect(error.problems.length).toBeGreaterThan(0);
        for (const { path, received, expected, action } of error.problems) {
          expect([path, received, expected, action]).not.toContain('');
        }
        expect(error.message.split('\n')).toHaveLength(error.problems.length + 1);
        expect(error.message).not.toContain(mark);
      }),
      { numRuns: 300 },
    );
  });
});
