import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram, loadCommands } from '../../src/cli/program.ts';
import { runProcess } from '../support/command.ts';
import { rowsBelow } from '../unit/docs/markdown.ts';
import { expectGolden } from './golden.ts';

const page = readFileSync(new URL('../../docs/operations/reference.md', import.meta.url), 'utf8');

function all(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(all)];
}

/** The exit codes in a command's `--help`: `run 0 stopped as asked`. */
function codesOf(command: Command): readonly string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  const path = /^Usage: ([a-z -]*[a-z])/.exec(help)?.[1] ?? '';
  const codes = help.split('\nExit codes:\n')[1]?.trimEnd().split('\n') ?? [];
  return codes.map((line) => `${path} → ${line.trim().replaceAll(/ +/g, ' ')}`);
}

const documented = all(createProgram(await loadCommands()).root).flatMap(codesOf);

/** The minimal settings of a command, without any running dependency. */
const settings = {
  INSTAGRAM_ACCESS_TOKEN: 'EAAGtoken',
  KAFKA_BROKERS: '127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  INSTAGRAM_BASE_URL: 'http://127.0.0.1:1',
  HTTP_PORT: '1',
};
const calls = ['--help', 'run --http-port nonsense', 'health', 'schemas diff'];

describe('exit codes', () => {
  test('match the golden file, for every command and for calls that need no service', async () => {
    const ended = await Promise.all(
      calls.map((call) => runProcess(call.split(' '), { env: settings })),
    );

    expectGolden('exit-codes', [
      '# as --help says',
      ...documented,
      '# as it is',
      ...calls.map((call, index) => `instagram-kafka ${call} → ${ended[index]?.exitCode ?? ''}`),
    ]);
  });

  test('have a row each in docs/operations/reference.md', () => {
    const rows = rowsBelow(page, '### Exit codes').flatMap(([code = '']) => code.split(', '));

    const codes = documented.map((line) => /→ (\d+)/.exec(line)?.[1] ?? '');
    expect(rows).toEqual([...new Set(codes)].sort((a, b) => Number(a) - Number(b)));
  });
});
