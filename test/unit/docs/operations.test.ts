import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram, loadCommands } from '../../../src/cli/program.ts';
import { errorCodes } from '../../../src/engine/errors.ts';
import { apiVersions } from '../../../src/instagram/api/api-versions.ts';
import { rowsBelow } from './markdown.ts';

const program = createProgram(await loadCommands());
const folder = new URL('../../../docs/operations/', import.meta.url);
const reference = readFileSync(new URL('reference.md', folder), 'utf8');
const runPage = readFileSync(new URL('run.md', folder), 'utf8');

const dispositions =
  /^(?:(?:retry|wait|skip|dead-letter|fail|stop-stream|stop-account|stop-process \([123]\))(?:$|; )|none: )/;

describe('docs/operations/', () => {
  const codes = rowsBelow(reference, '## Error codes');

  test('has one row for each error code, in the order of errorCodes', () => {
    expect(codes.map(([code]) => code)).toEqual(errorCodes.map((code) => `\`${code}\``));
  });

  test('has the disposition, the meaning and the remedy of each error code', () => {
    expect(codes.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
    expect(codes.filter(([, disposition = '']) => !dispositions.test(disposition))).toEqual([]);
  });

  test('has one row for each known API version', () => {
    expect(rowsBelow(runPage, '## API versions')).toEqual(
      apiVersions.map(({ version, released, until }) => [
        `\`${version}\``,
        released,
        until ?? 'not announced',
      ]),
    );
  });

  test('names only existing commands and options in the on-call runbook', () => {
    const night = readFileSync(new URL('night.md', folder), 'utf8');
    const named = [...night.matchAll(/`instagram-kafka ([^`]+)`/g)].map(([, text = '']) => text);

    expect(named.length).toBeGreaterThan(9);
    expect(named.flatMap(unknownIn)).toEqual([]);
  });
});

/** Returns the options of a command line that its command lacks, or the line of no command. */
function unknownIn(line: string): readonly string[] {
  const words = line.split(' ');
  const find = (name: string | undefined, commands: readonly Command[]): Command | undefined =>
    commands.find((command) => command.name() === name);
  const first = find(words[0], program.root.commands);
  const command = first === undefined ? undefined : (find(words[1], first.commands) ?? first);
  if (command === undefined) return [line];
  const known = command.options.map(({ long }) => long);
  return words.filter((word) => word.startsWith('--') && !known.includes(word));
}
