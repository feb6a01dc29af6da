import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { allExitCodes, exitsOf, notesOf, pathOf } from '../../../src/cli/command.ts';
import { createProgram, loadCommands } from '../../../src/cli/program.ts';
import { rowsBelow } from '../docs/markdown.ts';

const page = readFileSync(
  new URL('../../../docs/operations/reference.md', import.meta.url),
  'utf8',
);

function all(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(all)];
}

const program = createProgram(await loadCommands());
const commands = all(program.root).map((command) => [pathOf(command), command] as const);
const leaves = commands.filter(([, command]) => command.commands.length === 0);

/** The words of a shell command; no example has a quoted space. */
function wordsOf(example: string): readonly string[] {
  return (example.split(/ [|>] /)[0] ?? '').split(' ');
}

describe('every command', () => {
  test.each(commands)('has examples and exit codes in its help: %s', (path, command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();

    const examples = help.split('\nExamples:\n')[1]?.split('\n\nExit codes:\n')[0]?.split('\n');
    const codes = help.split('\nExit codes:\n')[1]?.trimEnd().split('\n');
    expect(examples?.length).toBeGreaterThan(0);
    expect(examples?.every((line) => line.startsWith('  instagram-kafka'))).toBe(true);
    expect(examples?.join('\n')).toContain(path);
    expect(codes?.every((line) => /^ {2}\d+ +\S/.test(line))).toBe(true);
    expect(help).toContain(`Usage: ${path} `);
  });

  test.each(commands)(
    'documents the exit codes 0, 1 and 2, and only known codes: %s',
    (_path, command) => {
      const codes = exitsOf(notesOf(command)?.exits ?? {}).map(([code]) => code);

      expect(codes).toEqual(expect.arrayContaining([0, 1, 2]));
      expect(allExitCodes).toEqual(expect.arrayContaining(codes));
    },
  );

  test.each(leaves)('has only examples with existing options: %s', (path, command) => {
    const known = command.options.map(({ long }) => long);
    const own = (notesOf(command)?.examples ?? []).filter((line) => line.startsWith(path));
    const given = own.flatMap((line) => wordsOf(line).filter((word) => word.startsWith('--')));

    expect(own).not.toEqual([]);
    expect([...known, '--help']).toEqual(expect.arrayContaining(given));
  });

  test.each(leaves)(
    'has the option --json unless it runs until it is stopped: %s',
    (path, command) => {
      // These run until they are stopped, and log JSON lines.
      const logs = ['instagram-kafka run', 'instagram-kafka sandbox'];
      const hasJson = command.options.some(({ long }) => long === '--json');

      expect(hasJson).toBe(!logs.includes(path));
    },
  );
});

describe('docs/operations/reference.md', () => {
  test('has a row for every top-level command', () => {
    const rows = rowsBelow(page, '## Commands').map(([command = '']) => command);

    expect(rows.map((text) => text.replaceAll(/`| …/g, ''))).toEqual(
      program.root.commands.map((command) => command.name()),
    );
  });
});
