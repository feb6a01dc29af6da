import { describe, expect, test } from '@jest/globals';
import { createProgram, loadCommands } from '../../../src/cli/program.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { describeConfig } from '../../../src/config/description.ts';
import { answering, startHttpServer } from '../../support/http-server.ts';
import { runProcess } from '../../support/command.ts';

/** The paths of the fields that a command refused. */
async function refusedFields(args: readonly string[]): Promise<readonly string[]> {
  const error: unknown = await createProgram(await loadCommands())
    .parse(args)
    .catch((reason: unknown) => reason);
  return error instanceof ConfigError ? error.problems.map(({ path }) => path) : [];
}

describe('the command line', () => {
  test('lists the commands and exits with 0 for --help', async () => {
    const { exitCode, stdout } = await runProcess(['--help']);

    expect(exitCode).toBe(0);
    const listed = stdout.split('Commands:')[1]?.split('Examples:')[0];
    const commands = listed?.match(/^ {2}[a-z-]+ /gm)?.map((command) => command.trim());
    const known = createProgram(await loadCommands()).root.commands.map((command) =>
      command.name(),
    );
    expect(commands).toEqual([...known, 'help']);
    expect(known).toEqual(expect.arrayContaining(['run', 'once', 'health', 'config', 'state']));
  });

  test('loads only the command that is called, and all for any other word', async () => {
    const nameOf = ({ usage }: { readonly usage: string }) => usage.split(' ')[0] ?? '';
    const all = (await loadCommands('--help')).map(nameOf);

    for (const name of all) expect((await loadCommands(name)).map(nameOf)).toEqual([name]);
    expect((await loadCommands('toString')).map(nameOf)).toEqual(all);
  });

  test('lists every option except secrets for the --help of a command', async () => {
    const { exitCode, stdout } = await runProcess(['run', '--help']);

    const options = stdout.match(/^ {2}--[a-z-]+/gm)?.map((text) => text.trim()) ?? [];
    expect(exitCode).toBe(0);
    expect(options).toEqual(
      expect.arrayContaining(['--config', '--kafka-brokers', '--http-port', '--streams']),
    );
    expect(options).toHaveLength(describeConfig().filter(({ secret }) => !secret).length + 1);
    expect(stdout).not.toContain('--instagram-access-token ');
  });

  test('lists the commands and exits with 2 without a command', async () => {
    const { exitCode, stderr } = await runProcess([]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('Commands:');
  });

  test('names an unknown command and exits with 2', async () => {
    const { exitCode, stderr } = await runProcess(['onc']);

    expect(exitCode).toBe(2);
    expect(stderr).toBe("error: unknown command 'onc'\n(Did you mean once?)\n");
  });

  test('names an unknown option without its value and exits with 2', async () => {
    const { exitCode, stdout, stderr } = await runProcess([
      'run',
      '--instagram-access-token=EAAGsecret',
    ]);

    expect(exitCode).toBe(2);
    expect(stderr).toBe("error: unknown option '--instagram-access-token'\n");
    expect(stdout).toBe('');
  });

  test('maps every configuration option to its field', async () => {
    const entries = describeConfig().filter(({ secret }) => !secret);
    // No format accepts a text with a line break.
    const args = entries.flatMap(({ arg }) => [`--${arg}`, 'a\nb']);

    const refused = await refusedFields(['once', ...args]);

    expect(entries.length).toBeGreaterThan(40);
    const fields = entries.filter(({ env }) => !env.endsWith('<SETTING>'));
    expect(refused).toEqual(expect.arrayContaining(fields.map(({ path }) => path)));
    expect(refused).toContain('--stream-media-topic=a');
  });

  test('reads the file of --config', async () => {
    expect(await refusedFields(['run', '--config', '/no/such/file.json'])).toContain(
      'file /no/such/file.json',
    );
  });

  test('reports every problem of the configuration at once and exits with 2', async () => {
    const { exitCode, stdout, stderr } = await runProcess(['once', '--http-port', '70000'], {
      env: {
        KAFKA_BROKERS: 'nowhere',
        STREAM_MEDIA_INTERVAL: '15min',
        STREAMS: 'media,reels',
        INSTAGRAM_ACCESS_TOKEN: 'has a space',
        SCHEMA_REGISTRY_URL: 'http://registry:8081',
      },
    });

    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.split('\n')[0]).toMatch(/^config\.invalid: 5 problems in the configuration:$/);
    for (const name of [
      'KAFKA_BROKERS',
      'STREAM_MEDIA_INTERVAL',
      'STREAMS',
      'INSTAGRAM_ACCESS_TOKEN',
      'HTTP_PORT',
    ]) {
      expect(stderr).toContain(`(${name})`);
    }
    expect(stderr).not.toContain('has a space');
    expect(stderr).not.toContain('    at ');
  });
});

describe('the command health', () => {
  test('exits with 0 when the instance on HTTP_PORT is live', async () => {
    await using server = await startHttpServer(answering(200, { live: true }));

    const { exitCode, stdout } = await runProcess(['health'], {
      env: { HTTP_PORT: new URL(server.url).port },
    });

    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${server.url}/livez answered 200: {"live":true}\n`);
  });

  test('exits with 1 when the response is 503', async () => {
    await using server = await startHttpServer(answering(503, { ready: false }));

    const { exitCode, stdout } = await runProcess(['health', '--url', `${server.url}/readyz`]);

    expect(exitCode).toBe(1);
    expect(stdout).toBe(`${server.url}/readyz answered 503: {"ready":false}\n`);
  });
});
