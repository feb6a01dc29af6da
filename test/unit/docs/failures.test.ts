import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { rowsBelow } from './markdown.ts';

const root = new URL('../../../', import.meta.url);

interface Named {
  readonly step: string;
  readonly file: string;
  readonly title: string;
}

/** `` `file.test.ts`: title ``, several of them separated by `<br>`. */
function testsNamedIn(step: string, cell: string): readonly Named[] {
  return cell.split('<br>').map((part) => {
    const [, file = '', title = ''] =
      /^`(test\/[\w./-]+\.test\.ts)`: (.+)$/.exec(part.trim()) ?? [];
    return { step, file, title };
  });
}

/** The text that contains a title: the file itself and the lists of steps that it imports. */
function sourceOf(file: string): string {
  const path = new URL(file, root);
  if (!existsSync(path)) return '';
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/from '(\.\/[\w-]+\.ts)'/g)];
  return [text, ...imports.map(([, name = '']) => readFileSync(new URL(name, path), 'utf8'))].join(
    '\n',
  );
}

describe.each([
  ['docs/architecture.md', '## What a crash leaves', 4, 10],
  ['docs/architecture.md', '### What a fault does', 3, 10],
  ['docs/numbers.md', '## Tests of this page', 2, 10],
])('%s: the table below "%s"', (page, heading, columns, atLeast) => {
  const rows = rowsBelow(readFileSync(new URL(page, root), 'utf8'), heading);

  test('has complete rows', () => {
    expect(rows.length).toBeGreaterThanOrEqual(atLeast);
    expect(rows.filter((cells) => cells.length !== columns || cells.includes(''))).toEqual([]);
  });

  test('names an existing test, by file and title, in each row', () => {
    const missing = rows
      .flatMap((cells) => testsNamedIn(cells[0] ?? '', cells.at(-1) ?? ''))
      .filter(({ file, title }) => title === '' || !sourceOf(file).includes(`'${title}'`));

    expect(missing).toEqual([]);
  });
});
