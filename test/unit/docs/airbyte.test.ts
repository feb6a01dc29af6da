import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { differences } from '../../support/airbyte/differences.ts';

const page = readFileSync(new URL('../../../docs/airbyte.md', import.meta.url), 'utf8');

/** The cells of the table under a heading, without its first two lines. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('docs/airbyte.md', () => {
  test('has the tested table of differences', () => {
    expect(rowsUnder('Field by field')).toEqual(
      differences.map(({ field, theirs, ours, reason }) => [`\`${field}\``, theirs, ours, reason]),
    );
  });
});
